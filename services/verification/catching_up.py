"""Make the database agree with the log, after either of them was restored. See docs/decisions/0020.

What `rating-outcomes` tells was decided: figures are made of it. What the database decided beyond that was
told to nobody, so it is forgotten, and decided again when its submission is read. Offsets may have changed,
so no decision is told again by the offset that led to it; all of them have been told.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

from contracts.events import PhoneCodeEntered, RatingSubmitted
from services.verification.batches import Item, Reader
from services.verification.domain.outcomes import Rated
from services.verification.domain.ratings import (
    Claim,
    Decided,
    Rejected,
    Verify,
    Withdraw,
    Withdrawn,
    held,
    would_prove,
)
from services.verification.ports import Committed, Key, Record


@dataclass(frozen=True, slots=True)
class Told:
    """What the log says of a submission: its outcome, or that it was accepted before and is withdrawn."""

    submission_id: UUID
    decided: Decided
    decided_at: datetime
    withdrawn: Withdrawn | None = None
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TakenOver:
    """A decision of the log with what it had claimed."""

    rating_id: UUID
    rated: Rated
    told: Told
    claims: Mapping[Claim, Key]


Progress = Callable[[int, int], None]
"""Hears how many offsets of how many have been read."""


class Log(Protocol):
    """Read while no worker is a member of the group. All raise outages."""

    async def extent(self) -> int:
        """How many offsets there are to read."""

    def outcomes(self) -> AsyncIterator[Sequence[Told]]: ...

    def submissions(self) -> AsyncIterator[tuple[int, Sequence[Record]]]:
        """All that is kept, with its partition, each partition in its order."""

    async def committed(self) -> dict[int, Committed]:
        """Where each partition goes on; at its beginning where nobody said."""

    async def go_on_from(self, positions: Mapping[int, Committed]) -> None:
        """Raises `WorkersRun`."""


class Agreeing(Protocol):
    """One transaction. `tell` comes before `forget`, and that before all others."""

    async def tell(self, told: Sequence[Told]) -> None:
        """Of several outcomes of one submission the first stands, and so of its withdrawals."""

    async def forget(self) -> int:
        """Decisions that the log does not tell, with their claims, and withdrawals. Returns how many
        decisions."""

    async def told(self, ids: Collection[UUID]) -> Mapping[UUID, Told]:
        """By submission."""

    async def take_over(self, decisions: Sequence[TakenOver]) -> int:
        """Returns how many the database did not have."""

    async def known(self, ratings: Collection[UUID]) -> Collection[UUID]:
        """Those that are stored, decided or awaiting their code."""

    async def withdrawable(self, ratings: Collection[UUID]) -> Collection[UUID]:
        """Those that a request may still withdraw."""

    async def settled(self, tries: Mapping[UUID, UUID]) -> Collection[UUID]:
        """Which of these tries (their ratings by event id) were counted, or are of a decided rating."""


class Store(Protocol):
    def agreeing(self) -> AbstractAsyncContextManager[Agreeing]:
        """Nobody else decides meanwhile."""


class WorkersRun(Exception):
    """The consumer group has members; nothing was changed."""


@dataclass(slots=True)
class CaughtUp:
    taken_over: int = 0
    forgotten: int = 0
    read: int = 0
    positions: dict[int, Committed] = field(default_factory=dict)
    went_back: dict[int, int] = field(default_factory=dict)  # by how many offsets


async def catch_up(log: Log, store: Store, reader: Reader, progress: Progress) -> CaughtUp:
    """Raises `WorkersRun` and outages; then nothing was changed."""
    result = CaughtUp()
    extent, done = await log.extent(), 0
    async with store.agreeing() as agreeing:
        async for told in log.outcomes():
            await agreeing.tell(told)
            done += len(told)
            progress(done, extent)
        result.forgotten = await agreeing.forget()
        committed = await log.committed()
        first_open: dict[int, int] = {}
        async for partition, records in log.submissions():
            result.read += len(records)
            progress(done + result.read, extent)
            left = records
            while left:
                batch = await reader.read(partition, left)
                result.taken_over += await _take_over(agreeing, batch.items)
                for offset in await _open(agreeing, batch.items):
                    first_open.setdefault(partition, offset)
                left = [record for record in left if record.offset >= batch.next_offset]
        for partition, at in committed.items():
            next_offset = min(at.next_offset, first_open.get(partition, at.next_offset))
            result.positions[partition] = Committed(next_offset, at.expiries)
            if next_offset < at.next_offset:
                result.went_back[partition] = at.next_offset - next_offset
        await log.go_on_from(result.positions)
    return result


async def _take_over(agreeing: Agreeing, items: Sequence[Item]) -> int:
    submissions = {
        item.event_id: (item, Rated.of(item.event_id, item.event))
        for item in items
        if isinstance(item.event, RatingSubmitted)
    }
    told = await agreeing.told(submissions.keys())
    return await agreeing.take_over([_taken_over(*submissions[name], each) for name, each in told.items()])


def _taken_over(item: Item, rated: Rated, told: Told) -> TakenOver:
    decided = told.decided
    if isinstance(decided, Rejected) and isinstance(item.command, Verify):
        # An outcome does not say it, and what a citizen may hear of a duplicate depends on it.
        decided = Rejected(decided.reason, would_prove(item.command))
    keys: dict[Claim, Key | None] = {
        Claim.IDEMPOTENCY_TOKEN: item.token,
        Claim.CHALLENGE: item.nonce,
        Claim.PROOF_OF_WORK: item.proof_nonce,
        Claim.SLOT: item.slot,
    }
    claims = {claim: key for claim in held(decided) if (key := keys[claim])}
    return TakenOver(item.rating_id, rated, replace(told, decided=decided), claims)


async def _open(agreeing: Agreeing, items: Sequence[Item]) -> Sequence[int]:
    """The offsets of what is still to be decided or counted, in their order."""
    known = await agreeing.known({item.rating_id for item in items})
    tries = {item.event_id: item.rating_id for item in items if isinstance(item.event, PhoneCodeEntered)}
    settled = await agreeing.settled(tries) if tries else ()
    requests = {item.rating_id for item in items if isinstance(item.command, Withdraw)}
    withdrawable = await agreeing.withdrawable(requests) if requests else ()

    def is_open(item: Item) -> bool:
        if isinstance(item.command, Withdraw):
            return item.rating_id in withdrawable
        return item.event_id not in settled if item.event_id in tries else item.rating_id not in known

    return [item.source.offset for item in items if item.source.offset is not None and is_open(item)]
