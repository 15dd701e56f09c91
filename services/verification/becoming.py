"""The ratings that a batch is about, as they become while it is decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from services.verification.batches import Item
from services.verification.domain.ratings import Claim, State, Undecided, Withdrawn
from services.verification.ports import Key, NewPhoneCode, Slot, Source, Stored, Try


@dataclass(slots=True)
class Work:
    """`window`: how long citizens can withdraw."""

    stored: Mapping[UUID, Stored]
    now: datetime
    window: timedelta
    states: dict[UUID, State] = field(default_factory=dict)
    sources: dict[UUID, Source] = field(default_factory=dict)  # of the ratings that changed
    submissions: dict[UUID, Item] = field(default_factory=dict)
    codes: list[NewPhoneCode] = field(default_factory=list)
    tries: list[Try] = field(default_factory=list)
    withdrawn: dict[UUID, tuple[Withdrawn, Source]] = field(default_factory=dict)

    def decided_at(self, rating_id: UUID) -> datetime:
        """A rating that is decided in this batch is decided now."""
        before = self.stored.get(rating_id)
        return self.now if before is None or rating_id in self.sources else before.decided_at

    def state(self, rating_id: UUID) -> State:
        if rating_id not in self.states:
            before = self.stored.get(rating_id)
            self.states[rating_id] = before.state if before else Undecided()
        return self.states[rating_id]

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
        first, before = self.submissions.get(item.rating_id, item), self.stored.get(item.rating_id)
        slot = first.slot or (before.slot if before else None)
        assert slot is not None  # noqa: S101 - known of every edition, and kept where a code is asked for
        return slot
