"""Do 500 readers of one API process, on one core, see every change, and come back when it is restarted?"""

import asyncio
import itertools
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.a_year import outcomes
from benchmarks.servers import MIGRATIONS, figures_pool, own_postgres
from chassis import logs, postgres
from contracts.events import RatingAccepted
from deploy.local.http_process import HttpProcess
from deploy.local.layout import CHECKOUT
from deploy.local.ports import HOST, free_ports
from deploy.local.process import Process
from services.aggregation.adapters.ledger import PostgresLedger
from services.aggregation.domain import Read

PATIENCE = 60.0
BEFORE, AWAY = 100, 5
"""Ratings that are counted before anybody reads, and while the API is away."""


@dataclass(eq=False, slots=True)
class Reader:
    """Reads the city's stream as a browser's EventSource does: it comes back by itself, after as long as the
    server asked for, and says the last event that it saw."""

    port: int
    seen: int = 0
    last_id: str = ""
    snapshots: int = 0
    backwards: int = 0
    retry_seconds: float = 1.0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        while True:
            with suppress(OSError):
                await self._read()
            await asyncio.sleep(self.retry_seconds)

    async def has_seen(self, total: int) -> float:
        """When it had."""
        while self.seen < total:
            self.changed.clear()
            await self.changed.wait()
        return time.monotonic()

    async def _read(self) -> None:
        reader, writer = await asyncio.open_connection(HOST, self.port)
        try:
            resumed = f"Last-Event-ID: {self.last_id}\r\n" if self.last_id else ""
            writer.write(f"GET /v1/live?scope=city HTTP/1.1\r\nHost: {HOST}\r\n{resumed}\r\n".encode())
            if b" 200 " not in await reader.readline():
                return
            event: dict[str, str] = {}
            while line := await reader.readline():
                name, _, value = line.decode().rstrip("\r\n").partition(": ")
                if name:
                    event[name] = value
                if name == "data":
                    self._take(event)
                    event = {}
                elif name == "retry":
                    self.retry_seconds = int(value) / 1000
        finally:
            writer.close()

    def _take(self, event: dict[str, str]) -> None:
        total = json.loads(event["data"])["total"]
        self.backwards += total < self.seen
        self.snapshots += event["event"] == "snapshot"
        self.seen, self.last_id = total, event["id"]
        self.changed.set()


@dataclass(slots=True)
class Results:
    """`missed`: how often a reader did not see a change in time, or saw figures go back; `delays`: seconds
    from a commit until each reader had it; `back`: from when the API was ready again until each had what
    changed meanwhile; `anew`: readers that were told everything again rather than what changed."""

    missed: int = 0
    opened_seconds: float = 0.0
    delays: list[float] = field(default_factory=list)
    burst_seconds: float = 0.0
    back: list[float] = field(default_factory=list)
    anew: int = 0
    memory_mib: float = 0.0


class Watched:
    """Figures that change when told to, and their readers."""

    def __init__(self, ledger: PostgresLedger, readers: Sequence[Reader]) -> None:
        self._ledger = ledger
        self.readers = readers
        self._log = (outcome for outcome in outcomes(10_000) if isinstance(outcome, RatingAccepted))
        self._total = 0

    async def rate(self, ratings: int) -> None:
        """In one commit."""
        batch = enumerate(itertools.islice(self._log, ratings), start=self._total)
        await self._ledger.count({0: [Read(offset, offset, each) for offset, each in batch]})
        self._total += ratings

    async def told(self, results: Results, since: float) -> list[float]:
        """After how many seconds each reader saw what is counted; those that do not in time missed it."""
        waiting = [asyncio.create_task(reader.has_seen(self._total)) for reader in self.readers]
        done, late = await asyncio.wait(waiting, timeout=PATIENCE)
        for each in late:
            each.cancel()
        results.missed += len(late)
        return [each.result() - since for each in done]


async def run(
    database_url: str,
    folder: Path,
    readers: int,
    changes: int,
    advance: Callable[[str], None] = lambda _: None,
) -> Results:
    """On an empty database."""
    await postgres.migrate(database_url, MIGRATIONS)
    results = Results()
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(figures_pool(database_url))
        await pool.execute(
            "INSERT INTO publication VALUES ('2026', 1, 7, 1)"
        )  # every rating is public at once
        ledger = PostgresLedger(pool)
        await ledger.checkpoints([0])
        api, port = _api(database_url, folder)
        stack.push_async_callback(api.process.kill)
        await _start(api)
        city = Watched(ledger, [Reader(port) for _ in range(readers)])
        await city.rate(BEFORE)
        reading = [asyncio.create_task(reader.run()) for reader in city.readers]
        stack.push_async_callback(_end, reading)
        results.opened_seconds = max(await city.told(results, time.monotonic()), default=PATIENCE)
        advance("streams open")
        for _ in range(changes):
            await city.rate(1)
            results.delays += await city.told(results, time.monotonic())
            advance("changes one by one")
        begun = time.monotonic()
        for _ in range(changes):
            await city.rate(1)
        results.burst_seconds = max(await city.told(results, begun), default=PATIENCE)
        advance("changes at once")
        results.memory_mib = _memory_mib(api.process.pid)
        before = sum(reader.snapshots for reader in city.readers)
        await api.process.kill()
        for _ in range(AWAY):
            await city.rate(1)
        await _start(api)
        results.back = await city.told(results, time.monotonic())
        results.anew = sum(reader.snapshots for reader in city.readers) - before
        results.missed += sum(reader.backwards for reader in city.readers)
        advance("back after a restart")
    return results


def _api(database_url: str, folder: Path) -> tuple[HttpProcess, int]:
    port, operations = free_ports(2)
    process = Process(
        "aggregation",
        (sys.executable, "-m", "services.aggregation", "serve"),
        folder / "aggregation.log",
        {
            **os.environ,
            "AGGREGATION_DATABASE_URL": database_url,
            "AGGREGATION_PORT": str(port),
            "AGGREGATION_OPERATIONS_PORT": str(operations),
            "AGGREGATION_LOG_LEVEL": "ERROR",
        },
        directory=CHECKOUT,
    )
    return HttpProcess(process, operations), port


async def _start(api: HttpProcess) -> None:
    await api.start()
    _keep_to_one_core(api.process.pid)


def _keep_to_one_core(pid: int) -> None:
    core = min(os.sched_getaffinity(0))
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


def _memory_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


async def _end(reading: Sequence["asyncio.Task[None]"]) -> None:
    for task in reading:
        task.cancel()
    await asyncio.wait(reading)


def main(
    readers: Annotated[int, typer.Option(min=1, max=1000, help="Live streams at once.")] = 500,
    changes: Annotated[int, typer.Option(min=1, max=200, help="One by one, and again all at once.")] = 20,
) -> None:
    """Watch the city's figures with many readers while they change, kill the API and start it again; fails
    where a reader missed a change or did not come back.

    Example: python -m benchmarks live --readers 500 --changes 20
    """
    logs.configure("benchmark", level="ERROR")
    console = Console(highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=changes + 3)
        found = asyncio.run(
            _measured(readers, changes, lambda what: progress.update(task, advance=1, description=what))
        )
    table = Table("of one API process on one core", "", title=f"{readers} readers of /v1/live")
    for what, value in (
        ("changes that a reader missed", str(found.missed)),
        ("all streams open, with their snapshot", f"{found.opened_seconds:.1f} s"),
        ("a change at a reader: median; 99 of 100; last", _spread(found.delays)),
        (f"{changes} changes at once, at the last reader", f"{found.burst_seconds:.2f} s"),
        ("readers that came back after the API was killed", f"{len(found.back)} of {readers}"),
        ("with what changed meanwhile, from when it was ready: median; 99 of 100; last", _spread(found.back)),
        ("of these told everything again", str(found.anew)),
        ("resident memory of the API", f"{found.memory_mib:.0f} MiB"),
    ):
        table.add_row(what, value)
    console.print(table)
    raise typer.Exit(0 if found.missed == 0 and len(found.back) == readers else 1)


def _spread(seconds: list[float]) -> str:
    ordered = sorted(seconds) or [float("nan")]
    places = (len(ordered) // 2, len(ordered) * 99 // 100, -1)
    return "; ".join(f"{ordered[place]:.2f}" for place in places) + " s"


async def _measured(readers: int, changes: int, advance: Callable[[str], None]) -> Results:
    async with own_postgres() as (url, folder):
        return await run(url, folder, readers, changes, advance)
