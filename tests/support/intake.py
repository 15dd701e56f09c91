"""What tests of intake stand on: a small directory, and a log in memory."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from contracts.envelope import Message
from contracts.events import (
    AnswerChoice,
    EditionPublished,
    Event,
    Instrument,
    OfficerPublished,
    Policy,
    ProofOfWork,
    Reason,
    SealingKey,
    Text,
    UnitPublished,
    VerificationPolicy,
)
from contracts.topics import key_of
from services.intake.domain.directory import Directory
from services.intake.domain.rating import Rating
from services.intake.ports import DirectoryUnread, NotKept

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
UNIT, OFFICER = "so-y-te", "so-y-te.nguyen-thi-lan"
PUBLIC_KEY = "1TpNPrkTkYYe1IN7ngkSOIzxtCwaajm4UHHK0WWjDQ8="


def text(words: str) -> Text:
    return Text(vi=words, en=words)


def unit(unit_id: str = UNIT, name: str = "Sở Y tế", **changes: Any) -> UnitPublished:
    return UnitPublished(
        unit_id=unit_id,
        name=Text(vi=name, en="Department of Health"),
        group_id="so-ban-nganh",
        group_name=text("Sở, Ban, Ngành"),
    ).model_copy(update=changes)


def officer(officer_id: str = OFFICER, name: str = "Nguyễn Thị Lan", **changes: Any) -> OfficerPublished:
    made = OfficerPublished(officer_id=officer_id, unit_id=UNIT, name=name, title=text("Công chức một cửa"))
    return made.model_copy(update=changes)


def edition(
    edition_id: str = "2026",
    *,
    verification: VerificationPolicy = VerificationPolicy.CAPTCHA,
    proof_of_work: ProofOfWork = ProofOfWork.NONE,
    public_key: str = PUBLIC_KEY,
    **changes: Any,
) -> EditionPublished:
    return EditionPublished(
        edition_id=edition_id,
        title=text("Khảo sát"),
        opens_on=date(2026, 1, 1),
        closes_on=date(2026, 12, 31),
        policy=Policy(verification=verification, proof_of_work=proof_of_work),
        instrument=Instrument(
            id="two-answer",
            version=1,
            question=text("Có hài lòng không?"),
            answers=(
                AnswerChoice(id="satisfied", text=text("Hài lòng")),
                AnswerChoice(id="not_satisfied", text=text("Chưa hài lòng"), asks_reasons=True),
            ),
            reasons=(Reason(id="late", text=text("Trễ")), Reason(id="other", text=text("Khác"))),
        ),
        sealing_key=SealingKey(key_id=f"{edition_id}-1", public_key=public_key),
    ).model_copy(update=changes)


def directory(*events: Event) -> Directory:
    """A directory of these events, or of one unit, one officer and one edition."""
    chosen = events or (unit(), officer(), edition())
    return Directory().with_({key_of(event): event for event in chosen})


def rating(**changes: Any) -> Rating:
    """A rating that can be taken in, but for `changes`."""
    fields: dict[str, Any] = {
        "edition_id": "2026",
        "officer_id": OFFICER,
        "answer": "satisfied",
        "reasons": [],
        "phone": "0905 123 456",
        "consent": True,
        "challenge": ("challenge", "234567"),
        "channel": "portal",
        "language": "vi",
    }
    return Rating(**(fields | changes))


@dataclass
class MemoryLog:
    """Keeps what is appended; while `away`, confirms nothing."""

    away: bool = False
    messages: dict[str, list[Message]] = field(default_factory=lambda: defaultdict(list))

    async def append(self, topic: str, message: Message) -> None:
        if self.away:
            raise NotKept("away")
        self.messages[topic].append(message)

    async def read(self, topic: str) -> list[Message]:
        return self.messages[topic]


@dataclass
class FixedDirectory:
    """What was `read`; None before anything was."""

    read: Directory | None

    @property
    def current(self) -> Directory:
        if self.read is None:
            raise DirectoryUnread
        return self.read
