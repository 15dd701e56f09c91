"""The checker's verdict over a running stack, with all that it needs kept first."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

from deploy.local.errors import StackError
from deploy.local.http_process import get
from deploy.local.layout import CHECKOUT
from deploy.local.stack import python
from faults.stack import Stack

CHECK_SECONDS = 300.0
REFOLD_SECONDS = 180.0

Json = dict[str, Any]


async def judge(stack: Stack, *, settle: float, refold: bool) -> Json:
    """The checker's report, once nothing is under way any more. What may be on its way has `settle` seconds.

    `refold`: also fold the whole log again. Raises StackError where the checker itself failed.
    """
    await _keep_metrics(stack)
    # It folds on while the checker reads: codes may expire, and so outcomes come, at any time.
    async with _folding_again(stack) if refold else nullcontext(True) as in_time:
        report = await settled(stack.layout.root, *(["--refolded"] if refold else []), settle=settle)
    report["folded again in time"] = in_time
    return report


async def settled(folder: Path, *options: str, settle: float) -> Json:
    """The checker's report over what a folder's addresses.json names; as `judge`."""
    until = time.monotonic() + settle
    while True:
        report = await _checked(folder, *options)
        if not report["wrong"] or not report["transient"] or time.monotonic() > until:
            return report
        await asyncio.sleep(3)


def verdict(report: Json) -> str:
    """In a line."""
    wrong = ", ".join(f"{number} {name}" for name, number in report["wrong"].items()) or "nothing wrong"
    counts = report["counts"]
    late = "" if report.get("folded again in time", True) else "; the log folded again was late"
    return (
        f"{counts['posted']} posted, {counts['kept']} kept, {counts['outcomes']} outcomes,"
        f" {counts['deliveries'] - counts['submissions']} repeated deliveries,"
        f" {counts['aborted']} aborted records: {wrong}{late}"
    )


async def _checked(folder: Path, *options: str) -> Json:
    command = [sys.executable, "-m", "faults.checking", str(folder), *options]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=CHECKOUT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(CHECK_SECONDS):
        output, errors = await process.communicate()
    if process.returncode not in (0, 1) or not output.strip():
        raise StackError("The checker itself failed:", errors.decode("utf-8", "replace")[-3000:])
    report: Json = json.loads(output)
    return report


async def _keep_metrics(stack: Stack) -> None:
    folder = stack.layout.root / "metrics"
    folder.mkdir(exist_ok=True)
    for replica in stack.replicas:
        async with asyncio.timeout(10):
            _, shown = await get(replica.operations, "/metrics")
        (folder / f"{replica.name}.{replica.lives}.txt").write_text(shown, encoding="utf-8")


@asynccontextmanager
async def _folding_again(stack: Stack) -> AsyncIterator[bool]:
    """A worker that has seen nothing folds the whole log into an empty database. False: not in time."""
    settings = {
        **stack.of("aggregation-worker")[0].settings,
        "AGGREGATION_KAFKA_BOOTSTRAP": stack.kafka.bootstrap,
        "AGGREGATION_DATABASE_URL": stack.postgres.database.url("refolded"),
        "AGGREGATION_WORKER_OPERATIONS_PORT": str(stack.spare_port),
    }
    worker = python(stack.layout, "refold", "faults.processes", "refold", settings=settings)
    await worker.start()
    try:
        in_time = True
        try:
            async with asyncio.timeout(REFOLD_SECONDS):
                await stack.folded_alike()
        except TimeoutError:
            in_time = False
        yield in_time
    finally:
        await worker.stop()
