"""Backup and restore of the embedded stack: `make backup`, `make restore`."""

import asyncio
import os
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from chassis.kafka import KafkaClient
from chassis.topics import apply
from deploy.backup import keys, running
from deploy.backup.files import Manifest
from deploy.backup.running import Order, Part, Place, Progress, Restored
from deploy.local import lock
from deploy.local.environment import Wiring
from deploy.local.errors import StackError
from deploy.local.layout import Layout
from deploy.local.ports import Ports
from deploy.local.postgres import binaries
from deploy.local.process import run_to_end
from deploy.local.progress import Report
from deploy.local.stack import Stack, ensure_jars, python

SERVICES = ("intake", "verification", "portal")
CATCH_UP_SECONDS = 600.0


def new_name() -> Path:
    return Layout().backups / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"


async def take(folder: Path, progress: Progress) -> Manifest:
    """Of the stack that runs. Raises StackError, Unusable and outages."""
    layout = Layout()
    lock.running_urls(layout)
    public_key = keys.create_recovery_key(layout.recovery_key)
    folders = [layout.keys / service for service in SERVICES if (layout.keys / service).is_dir()]
    return await running.take(folder, _place(_stack(layout)), folders, public_key, progress)


async def restore(folder: Path, progress: Progress) -> tuple[Restored, str]:
    """What the stopped stack lacks, with servers of its own, which end with it: topics, databases, or both.
    Returns also what catching up said. Raises StackError, Unusable and outages; what was missing is then
    missing again.
    """
    layout = Layout()
    with lock.held(layout):
        data = {Part.TOPICS: layout.kafka, Part.DATABASES: layout.postgres}
        missing = {part: where for part, where in data.items() if not where.exists()}
        if not missing:
            raise StackError("Nothing is missing.", "`make clean` removes all data, and keeps the backups.")
        lock.end_leftovers(layout)
        stack = _stack(layout)
        await ensure_jars(layout, stack.report)
        try:
            async with stack.broker, stack.database:
                return await _restored(stack, folder, missing, progress)
        except BaseException:
            for where in missing.values():
                await asyncio.to_thread(shutil.rmtree, where, ignore_errors=True)
            raise


async def _restored(
    stack: Stack, folder: Path, missing: Iterable[Part], progress: Progress
) -> tuple[Restored, str]:
    layout, place = stack.layout, _place(stack)
    await apply(place.kafka)
    order = Order({Part.KEYS, *missing}, layout.keys, layout.recovery_key)
    done = await running.restore(folder, place, order, progress)
    settings = Wiring(layout, stack.ports, stack.broker.bootstrap, place.database_urls).verification()
    catching_up = python(layout, "catch-up", "services.verification", "catch-up", settings=settings)
    with progress("catching up", 0):
        said = await run_to_end(catching_up, CATCH_UP_SECONDS)
    return done, said.strip()


def _stack(layout: Layout) -> Stack:
    return Stack(layout, Ports.read(os.environ), Report())


def _place(stack: Stack) -> Place:
    urls = {name: stack.database.url(name) for name in stack.database.databases}
    return Place(KafkaClient(bootstrap=stack.broker.bootstrap), urls, binaries())


def latest() -> Path:
    """Raises StackError."""
    found = sorted(path.parent for path in Layout().backups.glob("*/manifest.json"))
    if not found:
        raise StackError("There is no backup.", "Take one with `make backup` while the stack runs.")
    return found[-1]
