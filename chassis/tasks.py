"""Background tasks that somebody owns: a failure is logged, ends the process and sets its exit code."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from chassis.logs import logger
from chassis.readiness import Check

log = logger(__name__)
T = TypeVar("T")


class Owned:
    """The tasks of one process.

    A task that raises, or returns although it should run for ever, makes the process drain and stop
    (`stop_process`, set by whoever runs the process); `failure` then holds the reason and the process exits
    with 1. `close` cancels what still runs.
    """

    def __init__(self) -> None:
        self.failure: BaseException | None = None
        self.stop_process: Callable[[], None] = lambda: None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closing = False

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def fail(self, name: str, error: BaseException) -> None:
        """End the process because of `error`."""
        if self.failure is None:
            self.failure = error
            log.critical("task failed, stopping the process", task=name, exc_info=error)
            self.stop_process()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._closing:
            return
        if task.cancelled():  # by a library, say: nobody but `close` cancels a task that is owned
            self.fail(task.get_name(), RuntimeError("cancelled although it should run for ever"))
            return
        self.fail(task.get_name(), task.exception() or RuntimeError("ended although it should run for ever"))

    async def close(self, *, seconds: float = 5.0) -> None:
        """Cancel all tasks and wait for them, `seconds` at most."""
        self._closing = True
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)


async def attempts(*, first: float = 0.1, most: float = 1.0) -> AsyncIterator[int]:
    """Number attempts 1, 2, … for ever, sleeping between them: `first` seconds, doubling up to `most`."""
    pause, number = first, 0
    while True:
        number += 1
        yield number
        await asyncio.sleep(pause)
        pause = min(pause * 2, most)


async def wait_out(
    check: Check,
    action: Callable[[], Awaitable[T]],
    *,
    outage: Callable[[BaseException], bool],
    first: float = 0.1,
    most: float = 1.0,
) -> T:
    """Do `action`, again and again while it fails with what `outage` knows, with backoff (seconds).

    The outage shows on `check`; any other error is raised.
    """
    async for number in attempts(first=first, most=most):
        try:
            result = await action()
        except Exception as error:
            if not outage(error):
                raise
            check.down(f"{type(error).__name__}: {error}"[:200])
            if number == 1 or number % 20 == 0:
                log.warning(
                    "waiting for a dependency", dependency=check.name, error=repr(error), attempt=number
                )
        else:
            check.up()
            return result
    raise AssertionError("attempts never end")
