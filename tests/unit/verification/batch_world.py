"""Batches to decide, and a database in memory that keeps what PostgreSQL would."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from uuid import UUID, uuid5

from contracts.envelope import decode
from contracts.events import (
    PhoneCodeEntered,
    RatingAccepted,
    RatingRejected,
    RatingSubmitted,
    RatingWithdrawalRequested,
    RatingWithdrawn,
    VerificationPolicy,
    Withdrawal,
)
from contracts.golden import EVENTS
from services.verification.batches import Batch, Item
from services.verification.deciding import Result, decide_batch
from services.verification.domain.outcomes import Rated
from services.verification.domain.ratings import (
    Accepted,
    ChallengeCheck,
    Claim,
    CodeCheck,
    State,
    Withdraw,
    Withdrawn,
    decision,
)
from services.verification.ports import (
    Key,
    NewPhoneCode,
    NewRating,
    Source,
    Stored,
    Try,
    Withdrawing,
)
from tests.unit.verification.scenario import NOON, code, submission

PARTITION = 3
_SUBMITTED = next(event for event in EVENTS if isinstance(event, RatingSubmitted))
_ENTERED = next(event for event in EVENTS if isinstance(event, PhoneCodeEntered))
_ASKED = next(event for event in EVENTS if isinstance(event, RatingWithdrawalRequested))
_NAMES = UUID(int=17)


def identity(*name: object) -> UUID:
    return uuid5(_NAMES, repr(name))


@dataclass
class Database:
    """Every transaction is committed. `statements` are those of the last one, in order."""

    stored: dict[UUID, Stored] = field(default_factory=dict)
    codes: dict[UUID, NewPhoneCode] = field(default_factory=dict)
    tries: dict[UUID, UUID] = field(default_factory=dict)
    submissions: dict[UUID, UUID] = field(default_factory=dict)
    owners: dict[tuple[Claim, Key], UUID] = field(default_factory=dict)
    statements: list[str] = field(default_factory=list)

    async def decide(self, *items: Item, at: datetime = NOON) -> Result:
        self.statements = []
        return await decide_batch(self, Batch(items, [], [], 0), at)

    async def ratings(self, ids: Sequence[UUID]) -> Mapping[UUID, Stored]:
        self.statements.append("ratings")
        return {each: self.stored[each] for each in ids if each in self.stored}

    async def tries_counted(self, ids: Sequence[UUID]) -> set[UUID]:
        self.statements.append("tries_counted")
        return self.tries.keys() & set(ids)

    async def claim(self, kind: Claim, wanted: Mapping[Key, UUID]) -> Mapping[Key, UUID]:
        self.statements.append(f"claim {kind.name} {len(wanted)}")
        return {key: self.owners.setdefault((kind, key), rating) for key, rating in wanted.items()}

    async def add(self, ratings: Sequence[NewRating], codes: Sequence[NewPhoneCode], at: datetime) -> None:
        self.statements.append(f"add {len(ratings)}")
        kept = {code.rating_id: code for code in codes}
        self.codes |= kept
        for new in ratings:
            assert new.rating_id not in self.stored
            asked = kept.get(new.rating_id)
            self.submissions[new.rating_id] = new.rated.submission_id
            accepted = isinstance(decision(new.state), Accepted)
            self.stored[new.rating_id] = Stored(
                decision(new.state) or new.state,
                at,
                new.source,
                new.rated if asked or accepted else None,
                asked.slot if asked else None,
            )

    async def update(self, states: Mapping[UUID, tuple[State, Source]], at: datetime) -> None:
        self.statements.append(f"update {len(states)}")
        for rating_id, (state, source) in states.items():
            before = self.stored[rating_id]
            self.stored[rating_id] = Stored(decision(state) or state, at, source, before.rated, before.slot)

    async def withdraw(self, ratings: Mapping[UUID, tuple[Withdrawn, Source]], at: datetime) -> None:
        self.statements.append(f"withdraw {len(ratings)}")
        for rating_id, (state, source) in ratings.items():
            before = self.stored[rating_id]
            assert before.state == state.of
            assert before.withdrawal is None
            self.stored[rating_id] = replace(before, state=state, withdrawal=Withdrawing(source, at))

    async def count_tries(self, tries: Sequence[Try]) -> None:
        self.statements.append(f"count_tries {len(tries)}")
        self.tries |= {each.event_id: each.rating_id for each in tries}

    async def due(self, reached: datetime, *, most: int) -> Mapping[UUID, Stored]:
        raise AssertionError(f"a batch of messages asks for no expiries: {reached}, {most}")

    async def next_expiry(self) -> int:
        raise AssertionError("a batch of messages numbers no round of expiries")


@dataclass
class Citizens:
    """Makes the messages of one partition. Whoever is named the same is the same; offsets go up."""

    offsets: Iterator[int] = field(default_factory=count)

    def rates(
        self,
        rating: str,
        policy: VerificationPolicy = VerificationPolicy.CAPTCHA,
        *,
        phone: str = "",
        key: str = "",
        challenge: str = "",
        check: ChallengeCheck = ChallengeCheck.RIGHT,
        message: str = "",
        origin: str | None = None,
    ) -> Item:
        """`phone`, idempotency `key`, `challenge` and `message` are the rating's own unless named.

        The channel is the rating's name, which shows in an outcome whose words it repeats.
        """
        pseudonym = (phone or rating).encode().hex()
        event = _SUBMITTED.model_copy(
            update={
                "rating_id": identity(rating),
                "phone_pseudonym": pseudonym,
                "channel": rating,
                "origin": origin,
            }
        )
        return Item(
            source=Source(PARTITION, next(self.offsets)),
            event_id=identity("submission", message or rating),
            event=event,
            command=submission(policy, challenge=check),
            token=(key or rating).encode(),
            nonce=(challenge or rating).encode(),
            slot=(pseudonym, event.officer_id, event.edition_id, 0),
        )

    def enters(self, rating: str, check: CodeCheck, entry: str = "first") -> Item:
        return Item(
            source=Source(PARTITION, next(self.offsets)),
            event_id=identity("code", rating, entry),
            event=_ENTERED.model_copy(update={"rating_id": identity(rating)}),
            command=code(check, NOON),
        )

    def withdraws(
        self, rating: str, at: datetime = NOON, kind: Withdrawal = Withdrawal.CITIZEN, message: str = ""
    ) -> Item:
        return Item(
            source=Source(PARTITION, next(self.offsets)),
            event_id=identity("withdrawal", message or rating),
            event=_ASKED.model_copy(update={"rating_id": identity(rating), "requested_at": at}),
            command=Withdraw(at, kind, *(("mistake", _NAMES) if kind is Withdrawal.VOIDED else ())),
        )


def told(result: Result) -> dict[str, str]:
    """What became of whom, in the order in which it is told."""
    said = {}
    for event in (decode(each.value, each.headers).data for each in result.outcomes):
        assert isinstance(event, RatingAccepted | RatingRejected | RatingWithdrawn)
        if isinstance(event, RatingWithdrawn):
            said[f"{event.channel} withdrawn"] = event.kind
        else:
            said[event.channel] = event.reason if isinstance(event, RatingRejected) else "accepted"
    assert len(said) == len(result.outcomes), "nobody is told twice"
    return said


def rated(item: Item) -> Rated:
    assert isinstance(item.event, RatingSubmitted)
    return Rated.of(item.event_id, item.event)
