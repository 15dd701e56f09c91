"""Decide a batch inside one database transaction, with a few set-based statements however long it is."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from contracts.envelope import Message
from contracts.events import PhoneCodeEntered, RatingSubmitted
from services.verification.batches import Batch, Item
from services.verification.domain.outcomes import Rated, outcome_message
from services.verification.domain.ratings import (
    Accepted,
    Claim,
    Decided,
    PhoneCodeIssued,
    Rejected,
    State,
    Undecided,
    decide,
    evolve,
)
from services.verification.ports import (
    DecisionTransaction,
    Key,
    NewPhoneCode,
    NewRating,
    Slot,
    Source,
    Stored,
    Try,
)


@dataclass(slots=True)
class Result:
    """`decided` are this batch's own decisions; `outcomes` holds those made before by these messages too."""

    outcomes: list[Message] = field(default_factory=list)
    decided: list[Decided] = field(default_factory=list)
    phone_codes: int = 0
    ignored: int = 0


@dataclass(slots=True)
class _Work:
    """The ratings that a batch is about, as they become."""

    stored: Mapping[UUID, Stored]
    states: dict[UUID, State] = field(default_factory=dict)
    sources: dict[UUID, Source] = field(default_factory=dict)  # of the ratings that changed
    submissions: dict[UUID, Item] = field(default_factory=dict)
    codes: list[NewPhoneCode] = field(default_factory=list)
    tries: list[Try] = field(default_factory=list)

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


async def decide_batch(tx: DecisionTransaction, batch: Batch, now: datetime) -> Result:
    """Store what the batch decides and return what to tell.

    A message that was processed before gives the outcome it gave then. The same rating in another message is
    a caller's repetition and gives none. Raises `Conflict`, and outages of the database.
    """
    for item in batch.items:
        item.claims.clear()  # an earlier attempt at this batch may have been rolled back
    work = _Work(await tx.ratings(list({item.rating_id for item in batch.items})))
    tries = [item.event_id for item in batch.items if isinstance(item.event, PhoneCodeEntered)]
    counted = await tx.tries_counted(tries) if tries else set()
    result, again = Result(), dict[int, Message]()
    open_items: list[Item] = []
    for index, item in enumerate(batch.items):
        stored = work.stored.get(item.rating_id)
        before = item.decided_here(stored)
        if before is not None and stored is not None:
            again[index] = outcome_message(_rated(item, stored), before, stored.decided_at)
        elif item.event_id in counted:
            result.ignored += 1
        else:
            open_items.append(item)
            if isinstance(item.event, PhoneCodeEntered):
                counted.add(item.event_id)
    told = await _settle(tx, work, open_items, result)
    await _store(tx, work, now)
    by_item = {id(item): outcome_message(rated, decided, now) for item, rated, decided in told}
    for index, item in enumerate(batch.items):
        message = again.get(index) or by_item.get(id(item))
        if message is not None:
            result.outcomes.append(message)
    result.decided = [decided for _, _, decided in told]
    result.phone_codes = len(work.codes)
    return result


async def _settle(
    tx: DecisionTransaction, work: _Work, items: Sequence[Item], result: Result
) -> list[tuple[Item, Rated, Decided]]:
    """Decide all items; those of one rating in their order. Claims are made kind by kind, for all at once."""
    told: list[tuple[Item, Rated, Decided]] = []

    def apply(item: Item) -> Claim | None:
        """Decide as far as the claims known allow; returns the claim to make next."""
        assert item.command is not None  # noqa: S101 - set for every item that could be read
        state = work.state(item.rating_id)
        event = decide(item.command, state, item.claims)
        if isinstance(event, Claim):
            return event
        if event is None:
            result.ignored += 1
            return None
        after = work.states[item.rating_id] = evolve(state, event)
        work.sources[item.rating_id] = item.source
        if isinstance(item.event, RatingSubmitted):
            work.submissions[item.rating_id] = item
            if isinstance(event, PhoneCodeIssued):
                work.codes.append(_phone_code(work, item, item.event))
        else:
            work.tries.append(Try(item.event_id, item.rating_id))
        if isinstance(after, Accepted | Rejected):
            told.append((item, _rated_in(work, item), after))
        return None

    waiting: Sequence[Item] = items
    while waiting:
        needs, waiting = _sweep(waiting, apply)
        if needs:
            kind = min(claim for _, claim in needs)
            await _claim(tx, work, kind, [item for item, claim in needs if claim is kind])
    return told


def _sweep(
    items: Iterable[Item], apply: Callable[[Item], Claim | None]
) -> tuple[list[tuple[Item, Claim]], list[Item]]:
    """The claims needed next, and the items not settled: those, and later ones of the same ratings."""
    needs: list[tuple[Item, Claim]] = []
    left: list[Item] = []
    held: set[UUID] = set()
    for item in items:
        need = None if item.rating_id in held else apply(item)
        if need is not None:
            needs.append((item, need))
            held.add(item.rating_id)
        if item.rating_id in held:
            left.append(item)
    return needs, left


async def _claim(tx: DecisionTransaction, work: _Work, kind: Claim, items: Sequence[Item]) -> None:
    """Within the batch the earlier message is first; against other workers, the database says who is."""
    wanted: dict[Key, UUID] = {}
    for item in items:
        wanted.setdefault(work.key(item, kind), item.rating_id)
    owners = await tx.claim(kind, wanted)
    for item in items:
        item.claims[kind] = owners[work.key(item, kind)] == item.rating_id


async def _store(tx: DecisionTransaction, work: _Work, now: datetime) -> None:
    new = [
        NewRating(rating_id, item.event_id, work.states[rating_id], work.sources[rating_id])
        for rating_id, item in work.submissions.items()
    ]
    if new:
        await tx.add(new, work.codes, now)
    if work.tries:
        await tx.count_tries(work.tries)
    changed = {
        rating_id: (work.states[rating_id], source)
        for rating_id, source in work.sources.items()
        if rating_id not in work.submissions
    }
    if changed:
        await tx.update(changed, now)


def _phone_code(work: _Work, item: Item, event: RatingSubmitted) -> NewPhoneCode:
    rated = Rated.of(item.event_id, event)
    return NewPhoneCode(item.rating_id, rated, work.slot(item), event.phone, event.language, event.origin)


def _rated(item: Item, stored: Stored) -> Rated:
    if isinstance(item.event, RatingSubmitted):
        return Rated.of(item.event_id, item.event)
    assert stored.rated is not None  # noqa: S101 - kept whenever a phone code is asked for
    return stored.rated


def _rated_in(work: _Work, item: Item) -> Rated:
    first = work.submissions.get(item.rating_id, item)
    if isinstance(first.event, RatingSubmitted):
        return Rated.of(first.event_id, first.event)
    return _rated(item, work.stored[item.rating_id])
