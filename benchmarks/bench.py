"""What every row is given: the servers, how much to measure, and whom to tell how far it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import Told, cpu_seconds, told_by
from benchmarks.results import Row, Side
from benchmarks.sizes import Sizes
from benchmarks.stack import Stack
from deploy.local.errors import StackError


@dataclass(frozen=True, slots=True)
class Bench:
    """`tell` says what is measured now; `folder` is for files that are gone afterwards."""

    stack: Stack
    sizes: Sizes
    folder: Path
    tell: Callable[[str], None]


class Wrong(Exception):
    """A result does not match its independent count: the row is worth nothing."""


@dataclass(slots=True)
class Meter:
    """CPU of one process and of the servers, from when it is made."""

    stack: Stack
    pid: int
    own: float = 0.0
    servers: float = 0.0

    def __post_init__(self) -> None:
        self.own, self.servers = self._now()

    def note(self, side: Side, count: int, seconds: float) -> None:
        """What `count` items took, on the clock and of cores."""
        own, servers = self._now()
        side.rates.append(count / seconds)
        side.core.append(count / max(own - self.own, 0.01))
        side.servers.append(1e6 * (servers - self.servers) / count)

    def _now(self) -> tuple[float, float]:
        return cpu_seconds(self.pid), sum(cpu_seconds(pid) for pid in self.stack.servers.values())


async def note_peer(row: Row, name: str, command: Sequence[str]) -> Told | None:
    """A round of a peer that times itself; None where it failed, and then it is left out from then on."""
    side = row.side(name)
    if side.note:
        return None
    try:
        told = await told_by(command)
    except StackError as error:
        side.note = " ".join([str(error), *error.details])[:500]
        return None
    note_told(side, told)
    return told


def note_told(side: Side, told: Told) -> None:
    side.rates.append(told.rate)
    side.core.append(told.core)
