"""Starts parts in layers, watches them, and stops them in reverse: on a signal, or when one of them dies."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from deploy.local import lock
from deploy.local.errors import StackError
from deploy.local.layout import Layout
from deploy.local.process import Process
from deploy.local.progress import Report


class Part(Protocol):
    """A broker, a database or a service: whatever has a process of its own."""

    @property
    def process(self) -> Process: ...

    async def start(self) -> float:
        """Return the seconds until it was ready. Raises StackError."""


class Supervisor:
    """Owns the processes of one stack. Call `run` once, with the checkout's lock held."""

    def __init__(self, layout: Layout, report: Report) -> None:
        self._layout = layout
        self._report = report
        self._layers: list[list[Part]] = []
        self._watchers: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()
        self._death: StackError | None = None
        self._hurried = asyncio.Event()

    async def run(self, bring_up: Callable[[], Awaitable[None]]) -> None:
        """Bring the stack up and keep it up until SIGINT, SIGTERM or SIGHUP; then stop it and return.

        Raises StackError where a part cannot start or dies, after stopping the others.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal)
        starting: asyncio.Future[None] = asyncio.ensure_future(bring_up())
        starting.add_done_callback(self._on_started)
        try:
            await self._over.wait()
            if self._death is not None:
                raise self._death
            if starting.done():
                starting.result()
        finally:
            await _cancelled(starting)
            await self._stop_all()

    async def start(self, parts: Iterable[tuple[Part, str]]) -> None:
        """Start the parts of one layer together, each with what to say when it is ready."""
        layer: list[Part] = []
        self._layers.append(layer)
        async with asyncio.TaskGroup() as group:
            for part, address in parts:
                layer.append(part)
                group.create_task(self._start(part, address))

    async def _start(self, part: Part, address: str) -> None:
        name = part.process.name
        with self._report.waiting_for(name):
            took = await part.start()
        self._report.ready(name, address, took)
        watcher = asyncio.create_task(self._watch(part.process), name=f"watch {name}")
        self._watchers.add(watcher)
        lock.record_processes(self._layout, {p.name: p.pid for p in self._running()})

    async def _watch(self, process: Process) -> None:
        try:
            await process.wait()
            self._death = self._death or process.died()
        finally:
            self._over.set()

    def _running(self) -> list[Process]:
        return [part.process for layer in self._layers for part in layer if part.process.running]

    def _on_started(self, starting: "asyncio.Future[None]") -> None:
        if starting.cancelled() or starting.exception() is not None:
            self._over.set()

    def _on_signal(self) -> None:
        (self._hurried if self._over.is_set() else self._over).set()

    async def _stop_all(self) -> None:
        """In reverse order of starting, each layer together; a second signal kills what is left."""
        for watcher in self._watchers:
            watcher.cancel()
        if self._running():
            why = f"{self._death.problem} " if self._death else ""
            self._report.say(f"{why}Stopping (Ctrl-C again kills).")
        stopping = asyncio.create_task(self._stop_in_order())
        hurried = asyncio.create_task(self._hurried.wait())
        try:
            await asyncio.wait({stopping, hurried}, return_when=asyncio.FIRST_COMPLETED)
            if not stopping.done():
                await _cancelled(stopping)
                await asyncio.gather(*(process.kill() for process in self._running()))
            else:
                stopping.result()
        finally:
            hurried.cancel()
        lock.forget(self._layout)

    async def _stop_in_order(self) -> None:
        for layer in reversed(self._layers):
            processes = [part.process for part in layer if part.process.running]
            for process, gracefully in zip(
                processes, await asyncio.gather(*(process.stop() for process in processes)), strict=True
            ):
                if not gracefully:
                    self._report.say(
                        f"{process.name} did not stop within {process.grace:.0f} s and was killed."
                    )


async def _cancelled(task: "asyncio.Future[None]") -> None:
    """Cancel and wait; its own result was looked at before, or no longer matters."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # marks it as seen


def first_stack_error(group: BaseExceptionGroup[BaseException]) -> StackError | None:
    """The first StackError in a group of failures that happened together."""
    matching, _ = group.split(StackError)
    while isinstance(matching, BaseExceptionGroup):
        found = matching.exceptions[0]
        if isinstance(found, StackError):
            return found
        matching = found if isinstance(found, BaseExceptionGroup) else None
    return None
