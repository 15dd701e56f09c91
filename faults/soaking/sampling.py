"""What processes hold, as the kernel tells (proc(5)): memory, open files, threads."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import asyncpg

PROC = Path("/proc")
MIB = 1024.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One process, or a server with all of its children. Memory in MiB.

    `private` is memory of its own (RssAnon), which is what leaks; `resident` has mapped files and shared
    memory in it. `pid` tells one life from the next.
    """

    at: float
    name: str
    pid: int
    private: float
    resident: float
    files: int
    threads: int
    connections: int = 0


def sample(name: str, pid: int, at: float, *, family: bool = False) -> Sample | None:
    """None where the process is gone. `family`: with its children; private memory shared since a fork is
    counted for each."""
    pids = [pid, *children_of(pid)] if family else [pid]
    private = resident = 0.0
    files = threads = 0
    seen = False
    for each in pids:
        # A child may end between being listed and being read.
        with contextlib.suppress(OSError, KeyError):
            status = _status(each)
            files += len(list((PROC / str(each) / "fd").iterdir()))
            private += status["RssAnon"] / MIB
            resident += status["VmRSS"] / MIB
            threads += int(status["Threads"])
            seen = True
    return Sample(at, name, pid, round(private, 3), round(resident, 3), files, threads) if seen else None


def children_of(pid: int) -> list[int]:
    found = []
    for task in (PROC / str(pid) / "task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in task.read_text().split()]
    return found


def _status(pid: int) -> dict[str, float]:
    """Numbers of /proc/PID/status; sizes in KiB."""
    found = {}
    for line in (PROC / str(pid) / "status").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name in ("RssAnon", "VmRSS", "Threads"):
            found[name] = float(rest.split()[0])
    return found


class Sampler:
    """Takes a sample of each of `pids` (asked anew each time) every `interval` seconds, until cancelled.

    The one called `postgres` counts with its children and with the clients connected to it.
    """

    def __init__(self, pids: Callable[[], Mapping[str, int]], database: str, interval: float) -> None:
        self._pids = pids
        self._database = database
        self._interval = interval
        self.samples: list[Sample] = []

    async def run(self, started: float) -> None:
        """`started` (monotonic seconds) is the samples' time 0."""
        connection = await asyncpg.connect(self._database, timeout=10, command_timeout=10)
        due = time.monotonic()
        try:
            while True:
                await self._take(connection, time.monotonic() - started)
                due = max(due + self._interval, time.monotonic())
                await asyncio.sleep(due - time.monotonic())
        finally:
            connection.terminate()

    async def _take(self, connection: "asyncpg.Connection[asyncpg.Record]", at: float) -> None:
        clients = await connection.fetchval(
            "SELECT sum(numbackends) - 1 FROM pg_stat_database WHERE datname IS NOT NULL"
        )
        for name, pid in self._pids().items():
            found = sample(name, pid, round(at, 2), family=name == "postgres")
            if found is not None and name == "postgres":
                found = Sample(**{**asdict(found), "connections": int(clients)})
            if found is not None:
                self.samples.append(found)
