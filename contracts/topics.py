"""The topic catalogue: who writes what, under which key, and how long it is kept.

Topics are made from this page alone; brokers never make one by themselves.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from contracts.events import (
    ApiClientPublished,
    EditionPublished,
    Event,
    OfficeActionTaken,
    OfficerPublished,
    PaperFormEntered,
    PaperFormsIssued,
    PhoneCodeEntered,
    RatingAccepted,
    RatingRejected,
    RatingSubmitted,
    RatingVoidRequested,
    RatingWithdrawalRequested,
    RatingWithdrawn,
    UnitPublished,
    WaveVoided,
)

HOUR_MS = 60 * 60 * 1000
DAY_MS = 24 * HOUR_MS
# Kafka deletes whole segments, so the oldest message of one waits for the newest: see kept_ms.
SEGMENT_MS = 12 * HOUR_MS
FUTURE_MS = HOUR_MS  # no message may claim to be newer than this, or it would be kept longer
DLT_SUFFIX = "-dlt"
SUBMISSIONS_KEPT_DAYS = 90  # at most; an edition may ask for less
# A value of 1 MiB with its headers; and of such a message the dead letter, whose headers say why as well.
# Measured by the broker after compression, so a dead letter can still be too large: see dead_letters.py.
MESSAGE_BYTES = 1024 * 1024 + 64 * 1024
DEAD_LETTER_BYTES = MESSAGE_BYTES + 64 * 1024


def kept_ms(days: int) -> int:
    """The `retention.ms` with which a message is gone `days` after it was written, the latest.

    What lies between: the rest of its segment, a clock that was ahead, and the broker's rounds (every 5
    minutes, and a minute until files go), for which there is another hour.
    """
    return days * DAY_MS - SEGMENT_MS - FUTURE_MS - HOUR_MS


@dataclass(frozen=True, slots=True)
class Topic:
    """`retention_days`: a message is gone by then; None keeps it for ever.

    `message_bytes` is the largest that fits.
    """

    name: str
    description: str
    writer: str
    readers: tuple[str, ...]
    key: str
    partitions: int
    events: tuple[type[Event], ...] = ()
    compacted: bool = False
    retention_days: int | None = None
    message_bytes: int = MESSAGE_BYTES
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def config(self) -> dict[str, str]:
        """The broker's settings for this topic."""
        return {
            "cleanup.policy": "compact" if self.compacted else "delete",
            **self._retention,
            "retention.bytes": "-1",
            "max.message.bytes": str(self.message_bytes),
            **self.extra,
        }

    @property
    def _retention(self) -> dict[str, str]:
        if self.retention_days is None:
            return {"retention.ms": "-1"}
        return {
            "retention.ms": str(kept_ms(self.retention_days)),
            "segment.ms": str(SEGMENT_MS),
            # By the writer's clock: what is sent again (a redriven dead letter) is as old as it was.
            "message.timestamp.type": "CreateTime",
            "message.timestamp.after.max.ms": str(FUTURE_MS),
        }

    @property
    def dead_letters(self) -> str:
        return self.name + DLT_SUFFIX


RATING_SUBMISSIONS = Topic(
    name="rating-submissions",
    description="Ratings as intake took them, the phone codes entered for them, and what asks for their"
    " withdrawal. Phones only sealed.",
    writer="intake",
    readers=("verification", "intake"),
    key="rating_id",
    partitions=6,
    events=(RatingSubmitted, PhoneCodeEntered, RatingWithdrawalRequested, RatingVoidRequested),
    retention_days=SUBMISSIONS_KEPT_DAYS,
)
RATING_OUTCOMES = Topic(
    name="rating-outcomes",
    description="The outcome of every submission, and its withdrawal: the source of truth of every figure. No"
    " personal data.",
    writer="verification",
    readers=("aggregation",),
    key="officer_id",
    partitions=6,
    events=(RatingAccepted, RatingRejected, RatingWithdrawn),
)
DIRECTORY = Topic(
    name="directory",
    description="Units, officers, editions and API clients, each as it stands now, and waves that were"
    " voided. A null value removes one.",
    writer="intake",
    readers=("intake", "verification", "aggregation"),
    key="unit:<id>, officer:<id>, edition:<id>, client:<id> or wave:<id>",
    partitions=1,
    events=(UnitPublished, OfficerPublished, EditionPublished, ApiClientPublished, WaveVoided),
    compacted=True,
)
OFFICE_ACTIONS = Topic(
    name="office-actions",
    description="Who changed the directory or an edition, when and how: in the transaction of the change."
    " Paper forms: which numbers were issued, and what was read on each.",
    writer="intake",
    readers=("intake",),
    key="the key on directory of what it was done to, `directory`, or form:<number>",
    partitions=1,
    events=(OfficeActionTaken, PaperFormsIssued, PaperFormEntered),
)


def _dead_letters_of(topic: Topic, consumer: str, *, read_back: bool = False) -> Topic:
    return Topic(
        name=topic.dead_letters,
        description=f"Messages of {topic.name} that can never be read: the original bytes, and why.",
        writer=consumer,
        readers=("operators", consumer) if read_back else ("operators",),
        key="as the original",
        partitions=1,
        retention_days=topic.retention_days or 365,
        message_bytes=DEAD_LETTER_BYTES,
    )


TOPICS: tuple[Topic, ...] = (
    RATING_SUBMISSIONS,
    RATING_OUTCOMES,
    DIRECTORY,
    OFFICE_ACTIONS,  # its one reader shows what it cannot read as such: nothing is left out of a trail
    _dead_letters_of(RATING_SUBMISSIONS, "verification"),
    _dead_letters_of(RATING_OUTCOMES, "aggregation"),
    _dead_letters_of(DIRECTORY, "intake", read_back=True),  # each message is buried once
)


# Those that hold sealed phones.
SEALED = tuple(t for t in TOPICS if t.name in (RATING_SUBMISSIONS.name, RATING_SUBMISSIONS.dead_letters))


def submissions_kept_days(editions: Iterable[EditionPublished]) -> int:
    """How long submissions may be kept: all lie in one topic, so the strictest edition says."""
    return min([SUBMISSIONS_KEPT_DAYS, *(edition.policy.phone_retention_days for edition in editions)])


def key_of(event: Event) -> str:  # noqa: PLR0911 - one a rule
    """The Kafka key of an event, by the catalogue above."""
    match event:  # first what there is most of
        case RatingSubmitted() | PhoneCodeEntered() | RatingWithdrawalRequested() | RatingVoidRequested():
            return str(event.rating_id)
        case RatingAccepted() | RatingRejected() | RatingWithdrawn():
            return event.officer_id
        case UnitPublished():
            return f"unit:{event.unit_id}"
        case OfficerPublished():
            return f"officer:{event.officer_id}"
        case EditionPublished():
            return f"edition:{event.edition_id}"
        case ApiClientPublished():
            return f"client:{event.client_id}"
        case WaveVoided():
            return f"wave:{event.wave_id}"
        case OfficeActionTaken():
            return event.target
        case PaperFormsIssued():
            return f"officer:{event.officer_id}"
        case PaperFormEntered():
            return f"form:{event.number}"
    raise TypeError(f"no key rule for {type(event).__name__}")
