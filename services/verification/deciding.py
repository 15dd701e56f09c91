"""Decide a batch inside one database transaction, with a few set-based statements however long it is."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from contracts.envelope import Message
from contracts.events import PhoneCodeEntered, RatingSubmitted
from services.verification.batches import Batch, Item
from services.verification.becoming import Rating, Work
from services.verification.domain.outcomes import Rated, outcome_message, withdrawal_message
from services.verification.domain.ratings import (
    WITHDRAWABLE,
    Accepted,
    Claim,
    Decided,
    PhoneCodeIssued,
    Rejected,
    State,
    Withdrawn,
    decide,
    evolve,
)
from services.verification.ports import (
    DecisionTransaction,
    Key,
    NewPhoneCode,
    NewRating,
    Source,
    Stored,
    Try,
)

Open = tuple[Item, Rating]
"""A message that is still to be decided, and what it is about."""


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
    open_items: list[Open] = []
    for index, item in enumerate(batch.items):
        rating = work.rating(item.rating_id)
        stored = rating.stored
        before = item.decided_here(stored)
        if before is not None and stored is not None:
            again[index] = outcome_message(_rated(item, stored), before, stored.decided_at)
        elif stored is not None and (withdrawn := _withdrawn_here(item, stored)) is not None:
            again[index] = withdrawn
        elif counted and item.event_id in counted:
            result.ignored += 1
        else:
            open_items.append((item, rating))
            if isinstance(item.event, PhoneCodeEntered):
                counted.add(item.event_id)
    told = await _settle(tx, work, open_items, result)
    await _store(tx, work)
    by_item = {id(item): _message(work, rating, state) for item, rating, state in told}
    for index, item in enumerate(batch.items):
        message = again.get(index) or by_item.get(id(item))
        if message is not None:
            result.outcomes.append(message)
    result.decided = [state for _, _, state in told]
    result.phone_codes = len(work.codes)
    return result


async def _settle(
    tx: DecisionTransaction, work: Work, items: Sequence[Open], result: Result
) -> list[tuple[Item, Rating, Decided | Withdrawn]]:
    """Decide all items; those of one rating in their order. Claims are made kind by kind, for all at once."""
    told: list[tuple[Item, Rating, Decided | Withdrawn]] = []

    def apply(item: Item, rating: Rating) -> Claim | None:
        """Decide as far as the claims known allow; returns the claim to make next."""
        assert item.command is not None  # noqa: S101 - set for every item that could be read
        state = rating.state
        event = decide(item.command, state, item.claims, work.decided_at(rating) + work.window)
        if isinstance(event, Claim):
            return event
        if event is None:
            result.ignored += 1
            return None
        if isinstance(event, Withdrawn):
            counts = isinstance(event.of, Accepted)
            if counts and rating.rated is None:  # from before there were withdrawals
                result.ignored += 1
                return None
            rating.state = evolve(state, event)
            rating.withdrawn_by = item.source
            if counts:
                told.append((item, rating, event))
            return None
        after = rating.state = evolve(state, event)
        rating.source = item.source
        if isinstance(item.event, RatingSubmitted):
            rating.submission = item
            if isinstance(event, PhoneCodeIssued):
                work.codes.append(_phone_code(rating, item, item.event))
        else:
            work.tries.append(Try(item.event_id, rating.id))
        if isinstance(after, Accepted | Rejected):
            told.append((item, rating, after))
        return None

    waiting: Sequence[Open] = items
    while waiting:
        needs, waiting = _sweep(waiting, apply)
        if needs:
            kind = min(claim for _, claim in needs)
            await _claim(tx, kind, [each for each, claim in needs if claim is kind])
    return told


def _sweep(
    items: Iterable[Open], apply: Callable[[Item, Rating], Claim | None]
) -> tuple[list[tuple[Open, Claim]], list[Open]]:
    """The claims needed next, and the items not settled: those, and later ones of the same ratings."""
    needs: list[tuple[Open, Claim]] = []
    left: list[Open] = []
    held: set[Rating] = set()
    for each in items:
        item, rating = each
        if rating not in held:
            need = apply(item, rating)
            if need is None:
                continue
            needs.append((each, need))
            held.add(rating)
        left.append(each)
    return needs, left


async def _claim(tx: DecisionTransaction, kind: Claim, items: Sequence[Open]) -> None:
    """Within the batch the earlier message is first; against other workers, the database says who is."""
    keys = [rating.key(item, kind) for item, rating in items]
    wanted: dict[Key, UUID] = {}
    for key, (_, rating) in zip(keys, items, strict=True):
        wanted.setdefault(key, rating.id)
    owners = await tx.claim(kind, wanted)
    for key, (item, rating) in zip(keys, items, strict=True):
        item.claims[kind] = owners[key] == rating.id


async def _store(tx: DecisionTransaction, work: Work) -> None:
    new: list[NewRating] = []
    changed: dict[UUID, tuple[State, Source]] = {}
    withdrawn: dict[UUID, tuple[Withdrawn, Source]] = {}
    for rating in work.ratings.values():
        if rating.source is not None:
            if rating.submission is None:
                changed[rating.id] = rating.state, rating.source
            else:
                new.append(_new(rating, rating.submission, rating.source))
        if rating.withdrawn_by is not None and isinstance(rating.state, Withdrawn):
            withdrawn[rating.id] = rating.state, rating.withdrawn_by
    if new:
        await tx.add(new, work.codes, work.now)
    if work.tries:
        await tx.count_tries(work.tries)
    if changed:
        await tx.update(changed, work.now)
    if withdrawn:
        await tx.withdraw(withdrawn, work.now)


def _new(rating: Rating, submission: Item, source: Source) -> NewRating:
    event, rated = submission.event, submission.rated
    assert isinstance(event, RatingSubmitted)  # noqa: S101 - nothing else is taken for a submission
    assert rated is not None  # noqa: S101 - of every submission
    return NewRating(rating.id, rated, rating.state, source, event.client_id)


def _phone_code(rating: Rating, item: Item, event: RatingSubmitted) -> NewPhoneCode:
    assert event.phone is not None  # noqa: S101 - it was readable
    return NewPhoneCode(
        rating.id, _said_of(rating), rating.slot(item), event.phone, event.language, event.origin
    )


def _message(work: Work, rating: Rating, state: Decided | Withdrawn) -> Message | None:
    if isinstance(state, Withdrawn):
        return withdrawal_message(_said_of(rating), state, work.decided_at(rating), work.now)
    return outcome_message(_said_of(rating), state, work.now)


def _withdrawn_here(item: Item, stored: Stored) -> Message | None:
    """What this very message told when it was processed before."""
    state, by = stored.state, stored.withdrawal
    if isinstance(state, Withdrawn) and by is not None and by.at == item.source and stored.rated is not None:
        return withdrawal_message(stored.rated, state, stored.decided_at, by.when)
    return None


def _rated(item: Item, stored: Stored) -> Rated:
    rated = item.rated or stored.rated
    assert rated is not None  # noqa: S101 - kept whenever a phone code is asked for
    return rated


def _said_of(rating: Rating) -> Rated:
    assert rating.rated is not None  # noqa: S101 - of what is told now: see _settle
    return rating.rated
