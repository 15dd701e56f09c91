"""The use cases of `rebuild` and `verify`: the whole log folded again, beside the figures that are read."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import NamedTuple, Protocol

from services.aggregation.domain import LogShortened, Read
from services.aggregation.folding import Counted, Ledger, Received, read

Offsets = Mapping[int, int]
AT_ONCE = 20_000
"""Records in one transaction."""
Told = Callable[[int, int], None]
"""Hears how many offsets of how many are folded."""


class Busy(Exception):
    """Another process folds the log of this database again."""


class Log(Protocol):
    async def begins(self, partitions: Sequence[int]) -> Offsets:
        """The first offset that each partition still has."""

    def between(self, begins: Offsets, ends: Offsets) -> AsyncIterator[Sequence[Received]]:
        """Committed records, without those at `ends` and later, in batches. Raises outages of Kafka."""


class Difference(NamedTuple):
    """One row that the log does not bear out: what it counts, as it is shown, and as the log says."""

    what: str
    live: str
    log: str


class Comparison(NamedTuple):
    rows: int
    differing: int
    first: Sequence[Difference]


class Generation(Protocol):
    """Read models of their own beside the live ones, empty at first."""

    @property
    def ledger(self) -> Ledger: ...

    async def complete(self) -> bool:
        """Make of what was loaded what the live ledger would have made. Returns False where the log holds an
        outcome twice: then it is empty again, and slower from here on."""

    async def live(self) -> Offsets:
        """The checkpoints of the live read models."""

    def standing_still(self) -> "AbstractAsyncContextManager[StandingStill]":
        """No worker counts meanwhile. Figures go on being read."""


class StandingStill(Protocol):
    """The live read models while nobody moves them."""

    @property
    def checkpoints(self) -> Offsets: ...

    async def compare(self) -> Comparison:
        """With the generation, which has folded as far."""

    async def give_way(self) -> None:
        """Let the generation be the live read models, at once for every reader."""


async def rebuild(log: Log, generation: Generation, told: Told) -> None:
    """Put what the log says in the place of the live figures. Broken off, it goes on where it was.

    Raises LogShortened and outages.
    """
    async with _level(log, generation, told) as live:
        await live.give_way()


async def verify(log: Log, generation: Generation, told: Told) -> Comparison:
    """What of the live figures the log does not say. Raises LogShortened and outages."""
    async with _level(log, generation, told) as live:
        return await live.compare()


@asynccontextmanager
async def _level(log: Log, generation: Generation, told: Told) -> AsyncIterator[StandingStill]:
    """The generation has folded what the live read models have, which stand still."""
    await _fold(log, generation.ledger, await generation.live(), told)
    if not await generation.complete():
        await _fold(log, generation.ledger, await generation.live(), told)
    # What came meanwhile: what is left for when the live ones stand still is little.
    await _fold(log, generation.ledger, await generation.live(), told)
    async with generation.standing_still() as live:
        await _fold(log, generation.ledger, live.checkpoints, told)
        yield live


async def _fold(log: Log, ledger: Ledger, ends: Offsets, told: Told) -> None:
    """Fold up to the live checkpoints. What cannot be read counts nothing, as it did then."""
    done = dict(await ledger.checkpoints(sorted(ends)))
    first = await log.begins(sorted(ends))
    for partition, offset in done.items():
        if offset < min(first[partition], ends[partition]):
            raise LogShortened(
                f"partition {partition} begins at offset {first[partition]}, and {offset} is wanted"
            )
    total = sum(ends.values())
    told(sum(done.values()), total)
    counting: asyncio.Task[Counted] | None = None
    try:
        async for batch in _batches(log.between(done, ends)):
            # While PostgreSQL counts one batch, the next is read.
            if counting is not None:
                done |= (await counting).checkpoints
                told(sum(done.values()), total)
            counting = asyncio.create_task(ledger.count(batch))
        if counting is not None:
            done |= (await counting).checkpoints
            told(sum(done.values()), total)
    finally:
        if counting is not None and not counting.done():
            counting.cancel()
            await asyncio.wait([counting])


async def _batches(records: AsyncIterator[Sequence[Received]]) -> AsyncIterator[Mapping[int, Sequence[Read]]]:
    """By partition, so many at a time that most of what they add up to is the same few figures."""
    reads: dict[int, list[Read]] = defaultdict(list)
    size = 0
    async for some in records:
        for received in some:
            outcome, _ = read(received)
            reads[received.partition].append(Read(received.offset, received.follows, outcome))
        size += len(some)
        if size >= AT_ONCE:
            yield reads
            reads, size = defaultdict(list), 0
    if size:
        yield reads
