"""The ratings that a batch is about, as they become while it is decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from services.verification.batches import Item
from services.verification.domain.outcomes import Rated
from services.verification.domain.ratings import Claim, State, Undecided
from services.verification.ports import Key, NewPhoneCode, Slot, Source, Stored, Try


@dataclass(slots=True, eq=False)
class Rating:
    """`stored` is what was known of it before, `submission` its message, where that came in this batch.

    `source` led to the state it has now, and `withdrawn_by` withdrew it, where that happens in this batch.
    """

    id: UUID
    stored: Stored | None
    state: State
    submission: Item | None = None
    source: Source | None = None
    withdrawn_by: Source | None = None

    @property
    def rated(self) -> Rated | None:
        """None where it was stored without: a rejected one, and one from before there were withdrawals."""
        if self.submission is not None:
            return self.submission.rated
        return self.stored.rated if self.stored is not None else None

    def key(self, item: Item, kind: Claim) -> Key:
        match kind:
            case Claim.IDEMPOTENCY_TOKEN:
                return item.token
            case Claim.CHALLENGE:
                return item.nonce
            case Claim.PROOF_OF_WORK:
                return item.proof_nonce
            case Claim.SLOT:
                return self.slot(item)

    def slot(self, item: Item) -> Slot:
        """A submission's own; for a phone code, that of the submission it is for."""
        slot = (self.submission or item).slot or (self.stored.slot if self.stored is not None else None)
        assert slot is not None  # noqa: S101 - known of every edition, and kept where a code is asked for
        return slot


@dataclass(slots=True)
class Work:
    """`window`: how long citizens can withdraw."""

    stored: Mapping[UUID, Stored]
    now: datetime
    window: timedelta
    ratings: dict[UUID, Rating] = field(default_factory=dict)
    codes: list[NewPhoneCode] = field(default_factory=list)
    tries: list[Try] = field(default_factory=list)

    def rating(self, rating_id: UUID) -> Rating:
        found = self.ratings.get(rating_id)
        if found is None:
            before = self.stored.get(rating_id)
            found = Rating(rating_id, before, before.state if before else Undecided())
            self.ratings[rating_id] = found
        return found

    def decided_at(self, rating: Rating) -> datetime:
        """A rating that is decided in this batch is decided now."""
        before = rating.stored
        return self.now if before is None or rating.source is not None else before.decided_at
