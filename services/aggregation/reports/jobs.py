"""Reports in the background: ordered at one process, made by whichever is free, and kept for a while.

Who makes a report holds a lease on it and renews it meanwhile; a process that ends or freezes loses it, and
another begins anew. Its file is put down only by who still holds the lease.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from chassis.logs import logger
from chassis.readiness import Check
from chassis.tasks import wait_out
from services.aggregation.files_handled import FilesHandled
from services.aggregation.reports.files import headers, written
from services.aggregation.reports.press import Press
from services.aggregation.reports.report import Moments, Order, Texts, Told, read

log = logger(__name__)
RENEW_SECONDS = 1.0
LOOK_SECONDS = 5.0  # for what was ordered elsewhere, where nobody is free
MOST_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class File:
    content: bytes
    headers: Mapping[str, str]


class State(StrEnum):
    WAITING = "waiting"
    MAKING = "making"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """`done` of so many `steps` are made; `expires_at` is None until it has ended."""

    id: UUID
    state: State
    done: int
    steps: int
    ordered_at: datetime
    ended_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Taken:
    """A lease, by which what is done to the job is known to be its holder's."""

    job_id: UUID
    order: Order


class Jobs(Protocol):
    """Raises what `outage` knows."""

    async def order(self, order: Order) -> Job:
        """The job that makes it, which may have been ordered before. Raises Full."""

    async def find(self, job_id: UUID) -> Job | None: ...
    async def file(self, job_id: UUID) -> File | None: ...

    async def take(self) -> Taken | None:
        """The job that has waited longest and is nobody's, if there is one."""

    async def renew(self, taken: Taken, done: int, steps: int) -> None: ...

    async def end(self, taken: Taken, file: File | None) -> None:
        """Without a file it has failed. Changes nothing where the lease is another's by now."""

    def outage(self, error: BaseException) -> bool: ...


Make = Callable[[Order, Told], Awaitable[File]]


class NotWritten(Exception):
    """The figures were read, and could not be made a file."""


async def make(
    order: Order, told: Told, *, reading: Moments, texts: Texts, handled: FilesHandled, press: Press
) -> File:
    """The ordered file, of the figures as they are now. Raises Problem, NotWritten and what the reading's
    `outage` knows."""
    with press.place():
        report = await read(order, reading, texts, handled, told)
        pieces = written(report, order.format, bom=order.bom)
        try:
            content = await press.write(lambda: b"".join(pieces))
        except Exception as error:
            raise NotWritten from error
    return File(content, headers(report, order.format))


class Maker:
    """Makes one report at a time."""

    def __init__(self, jobs: Jobs, make: Make, check: Check) -> None:
        self._jobs = jobs
        self._make = make
        self._check = check
        self._ordered = asyncio.Event()

    def wake(self) -> None:
        """Something was ordered here."""
        self._ordered.set()

    async def run(self) -> None:
        while True:
            self._ordered.clear()
            if not await wait_out(self._check, self._one, outage=self._jobs.outage):
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._ordered.wait()

    async def _one(self) -> bool:
        """Returns whether there was one. An outage leaves it to whoever takes it next."""
        taken = await self._jobs.take()
        if taken is None:
            return False
        try:
            file = await self._made(taken)
        except Exception as error:
            if self._jobs.outage(error):
                raise
            log.exception("report not made", job_id=str(taken.job_id), scope=str(taken.order.scope))
            file = None
        await self._jobs.end(taken, file)
        return True

    async def _made(self, taken: Taken) -> File:
        done = steps = 0

        def told(now: int, of: int) -> None:
            nonlocal done, steps
            done, steps = now, of

        async with asyncio.timeout(MOST_SECONDS):
            making = asyncio.ensure_future(self._make(taken.order, told))
            try:
                while not (await asyncio.wait([making], timeout=RENEW_SECONDS))[0]:
                    await self._jobs.renew(taken, done, steps)
                file = making.result()
                await self._jobs.renew(taken, done, steps)
                return file
            finally:
                making.cancel()
