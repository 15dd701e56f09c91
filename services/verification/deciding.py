"""Decide a batch inside one database transaction, with a few set-based statements however long it is."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from contracts.envelope import Message
from contracts.events import PhoneCodeEntered, RatingSubmitted
from services.verification.batches import Batch, Item
from services.verification.becoming import Work
from services.verification.domain.outcomes import Rated, outcome_message, withdrawal_message
from services.verification.domain.ratings import (
    WITHDRAWABLE,
    Accepted,
    Claim,
    Decided,
    PhoneCodeIssued,
    Rejected,
    Withdrawn,
    decide,
    evolve,
)
from services.verification.ports import (
    DecisionTransaction,
    Key,
    NewPhoneCode,
    NewRating,
    Stored,
    Try,
)


@dataclass(slots=True)
class Result:
    """`decided` are this batch's own decisions; `outcomes` holds those made before by these messages too."""

    outcomes: list[Message] = field(default_factory=list)
    decided: list[Decided | Withdrawn] = field(default_factory=list)
    phone_codes: int = 0
    ignored: int = 0


async def decide_batch(
    tx: DecisionTransaction, batch: Batch, now: datetime, window: timedelta = WITHDRAWABLE
) -> Result:
    """Store what the batch decides and return what to tell. `window`: how long citizens can withdraw.

    A message that was processed before gives the outcome it gave then. The same rating in another message is
    a caller's repetition and gives none. Raises `Conflict`, and outages of the database.
    """
    for item in batch.items:
        item.claims.clear()  # an earlier attempt at this batch may have been rolled back
    work = Work(await tx.ratings(list({item.rating_id for item in batch.items})), now, window)
    tries = [item.event_id for item in batch.items if isinstance(item.event, PhoneCodeEntered)]
    counted = await tx.tries_counted(tries) if tries else set()
    result, again = Result(), dict[int, Message]()
    open_items: list[Item] = []
    for index, item in enumerate(batch.items):
        stored = work.stored.get(item.rating_id)
        before = item.decided_here(stored)
        if before is not None and stored is not None:
            again[index] = outcome_message(_rated(item, stored), before, stored.decided_at)
        elif stored is not None and (withdrawn := _withdrawn_here(item, stored)) is not None:
            again[index] = withdrawn
        elif item.event_id in counted:
            result.ignored += 1
        else:
            open_items.append(item)
            if isinstance(item.event, PhoneCodeEntered):
                counted.add(item.event_id)
    told = await _settle(tx, work, open_items, result)
    await _store(tx, work)
    by_item = {id(item): _message(work, item, rated, state) for item, rated, state in told}
    for index, item in enumerate(batch.items):
        message = again.get(index) or by_item.get(id(item))
        if message is not None:
            result.outcomes.append(message)
    result.decided = [state for _, _, state in told]
    result.phone_codes = len(work.codes)
    return result


async def _settle(
    tx: DecisionTransaction, work: Work, items: Sequence[Item], result: Result
) -> list[tuple[Item, Rated, Decided | Withdrawn]]:
    """Decide all items; those of one rating in their order. Claims are made kind by kind, for all at once."""
    told: list[tuple[Item, Rated, Decided | Withdrawn]] = []

    def apply(item: Item) -> Claim | None:
        """Decide as far as the claims known allow; returns the claim to make next."""
        assert item.command is not None  # noqa: S101 - set for every item that could be read
        state = work.state(item.rating_id)
        until = work.decided_at(item.rating_id) + work.window
        event = decide(item.command, state, item.claims, until)
        if isinstance(event, Claim):
            return event
        if event is None:
            result.ignored += 1
            return None
        if isinstance(event, Withdrawn):
            rated = _known_rated(work, item)
            if isinstance(event.of, Accepted) and rated is None:  # from before there were withdrawals
                result.ignored += 1
                return None
            work.states[item.rating_id] = evolve(state, event)
            work.withdrawn[item.rating_id] = event, item.source
            if isinstance(event.of, Accepted) and rated is not None:
                told.append((item, rated, event))
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


async def _claim(tx: DecisionTransaction, work: Work, kind: Claim, items: Sequence[Item]) -> None:
    """Within the batch the earlier message is first; against other workers, the database says who is."""
    wanted: dict[Key, UUID] = {}
    for item in items:
        wanted.setdefault(work.key(item, kind), item.rating_id)
    owners = await tx.claim(kind, wanted)
    for item in items:
        item.claims[kind] = owners[work.key(item, kind)] == item.rating_id


async def _store(tx: DecisionTransaction, work: Work) -> None:
    new = [
        NewRating(
            rating_id,
            _rated_in(work, item),
            work.states[rating_id],
            work.sources[rating_id],
            _client_of(item.event),
        )
        for rating_id, item in work.submissions.items()
    ]
    if new:
        await tx.add(new, work.codes, work.now)
    if work.tries:
        await tx.count_tries(work.tries)
    changed = {
        rating_id: (work.states[rating_id], source)
        for rating_id, source in work.sources.items()
        if rating_id not in work.submissions
    }
    if changed:
        await tx.update(changed, work.now)
    if work.withdrawn:
        await tx.withdraw(work.withdrawn, work.now)


def _client_of(event: object) -> str | None:
    return event.client_id if isinstance(event, RatingSubmitted) else None


def _phone_code(work: Work, item: Item, event: RatingSubmitted) -> NewPhoneCode:
    rated = Rated.of(item.event_id, event)
    assert event.phone is not None  # noqa: S101 - it was readable
    return NewPhoneCode(item.rating_id, rated, work.slot(item), event.phone, event.language, event.origin)


def _message(work: Work, item: Item, rated: Rated, state: Decided | Withdrawn) -> Message | None:
    if isinstance(state, Withdrawn):
        return withdrawal_message(rated, state, work.decided_at(item.rating_id), work.now)
    return outcome_message(rated, state, work.now)


def _withdrawn_here(item: Item, stored: Stored) -> Message | None:
    """What this very message told when it was processed before."""
    state, by = stored.state, stored.withdrawal
    if isinstance(state, Withdrawn) and by is not None and by.at == item.source and stored.rated is not None:
        return withdrawal_message(stored.rated, state, stored.decided_at, by.when)
    return None


def _known_rated(work: Work, item: Item) -> Rated | None:
    """Of a rating that is stored, or came in this batch."""
    first, before = work.submissions.get(item.rating_id), work.stored.get(item.rating_id)
    if first is not None:
        return _rated_in(work, first)
    return before.rated if before is not None else None


def _rated(item: Item, stored: Stored) -> Rated:
    if isinstance(item.event, RatingSubmitted):
        return Rated.of(item.event_id, item.event)
    assert stored.rated is not None  # noqa: S101 - kept whenever a phone code is asked for
    return stored.rated


def _rated_in(work: Work, item: Item) -> Rated:
    first = work.submissions.get(item.rating_id, item)
    if isinstance(first.event, RatingSubmitted):
        return Rated.of(first.event_id, first.event)
    return _rated(item, work.stored[item.rating_id])
