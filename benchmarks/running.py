"""Runs the rows one after the other. A row that fails ends alone; what is measured is written as it goes."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks import machine
from benchmarks.bench import Bench
from benchmarks.results import Results, Row
from benchmarks.rows import (
    aggregation,
    challenge,
    end_to_end,
    idle,
    intake,
    reads,
    rebuild,
    scale,
    verification,
)
from benchmarks.sizes import Sizes
from benchmarks.stack import Stack
from deploy.local.errors import StackError
from deploy.local.layout import CHECKOUT

START_SECONDS, STOP_SECONDS = 180.0, 60.0


class Planned(NamedTuple):
    """`most`: seconds after which the row is given up."""

    title: str
    measure: Callable[[Bench, Row], Awaitable[None]]
    most: float


ROWS: Mapping[str, Planned] = {
    "intake": Planned("Intake", intake.measure, 420),
    "verification": Planned("Verification", verification.measure, 240),
    "aggregation": Planned("Aggregation, live", aggregation.measure, 400),
    "challenge": Planned("Challenges", challenge.measure, 180),
    "end-to-end": Planned("End to end", end_to_end.measure, 300),
    "scale": Planned("Scale and recovery", scale.measure, 420),
    "idle": Planned("Idle", idle.measure, 240),
    "reads": Planned("Dashboard reads", reads.measure, 420),
    # Last, for it fills the log.
    "rebuild": Planned("Aggregation, rebuild", rebuild.measure, 800),
}
QUICK_ROWS = ("intake", "verification", "aggregation", "challenge")


async def run(
    into: Path,
    sizes: Sizes,
    rows: Sequence[str],
    *,
    command: str,
    minutes: float,
    tell: Callable[[str, int], None],
) -> Results:
    """`tell` hears what is measured now and how many rows are done. After `minutes` no further row is begun,
    and the one under way is given up; so it all ends in time, whatever hangs."""
    begun = time.monotonic()
    results = Results(
        command=command,
        commit=machine.commit(),
        taken_at=datetime.now(UTC).isoformat(timespec="minutes"),
        machine=machine.described(),
        versions=machine.versions(),
    )
    folder = _own_folder()
    stack = Stack(folder)
    try:
        tell("starting servers", 0)
        async with asyncio.timeout(START_SECONDS):
            await stack.start()
        for done, key in enumerate(rows):
            planned = ROWS[key]
            row = Row(key=key, title=planned.title)
            results.rows.append(row)
            left = 60 * minutes - (time.monotonic() - begun)
            bench = Bench(stack, sizes, folder, partial(_told, tell, done))
            await _measure(bench, row, planned, min(planned.most, left))
            results.seconds = round(time.monotonic() - begun, 1)
            results.write(into)
    finally:
        tell("stopping", len(rows))
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await stack.stop()
        except TimeoutError:
            await stack.broker.kill()
            await stack.database.kill()
        shutil.rmtree(folder, ignore_errors=True)
    return results


def _told(tell: Callable[[str, int], None], done: int, what: str) -> None:
    tell(what, done)


async def _measure(bench: Bench, row: Row, planned: Planned, seconds: float) -> None:
    begun = time.monotonic()
    try:
        if seconds <= 0:
            raise TimeoutError  # noqa: TRY301  as if it had been begun
        async with asyncio.timeout(seconds):
            await planned.measure(bench, row)
    except TimeoutError:
        row.failure = "no time was left" if seconds <= 0 else f"not done within {seconds:.0f} s"
    except StackError as error:
        row.failure = " ".join([str(error), *error.details])[:1000]
    except Exception as error:  # noqa: BLE001  whatever it is, the other rows are measured
        row.failure = f"{type(error).__name__}: {_text(error)}"[:1000]
    row.seconds = round(time.monotonic() - begun, 1)
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await bench.stack.end_all()
    except TimeoutError:
        for each in bench.stack.running.values():
            await each.process.kill()
        bench.stack.running.clear()
    bench.stack.keep_apart()


def _text(error: Exception) -> str:
    inner = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
    return str(inner)


def _own_folder() -> Path:
    home = CHECKOUT / ".local" / "bench"
    home.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=home))
    folder.chmod(0o755)  # the database runs as somebody else where we are root
    return folder
