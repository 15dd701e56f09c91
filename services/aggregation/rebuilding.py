"""The use cases of `rebuild` and `verify`: the whole log folded again, beside the figures that are read."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import NamedTuple, Protocol

from services.aggregation.domain import LogShortened, Read
from services.aggregation.folding import Ledger, Received, read

Offsets = Mapping[int, int]
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
    async for batch in log.between(done, ends):
        reads: dict[int, list[Read]] = defaultdict(list)
        for received in batch:
            outcome, _ = read(received)
            reads[received.partition].append(Read(received.offset, received.follows, outcome))
        counted = await ledger.count(reads)
        done |= counted.checkpoints
        told(sum(done.values()), total)
