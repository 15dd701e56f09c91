"""Replicas of the services, and the supervisor that starts each again when it ends, as production would."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from deploy.local.errors import StackError
from deploy.local.http_process import get
from deploy.local.layout import Layout
from deploy.local.process import Process
from deploy.local.stack import python

RESTART_SECONDS = 0.3
READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Service:
    """A kind of process: how it is started (`module command`), and what it depends on."""

    name: str
    module: str
    command: str
    replicas: int
    kafka: bool
    postgres: str = ""


SERVICES = (
    Service("intake", "services.intake", "serve", 2, kafka=True),
    Service("verification-worker", "services.verification", "worker", 2, kafka=True, postgres="verification"),
    Service("verification", "services.verification", "serve", 2, kafka=False, postgres="verification"),
    Service("aggregation-worker", "services.aggregation", "worker", 2, kafka=True, postgres="aggregation"),
    Service("aggregation", "services.aggregation", "serve", 2, kafka=False, postgres="aggregation"),
)


@dataclass(slots=True)
class Ending:
    """How one life of a replica ended; `wanted` where a fault ended it."""

    replica: str
    code: int
    wanted: bool


@dataclass(slots=True, eq=False)
class Replica:
    """One replica through all its lives. `arm` gives the next life (only) another environment and module.

    `port` is the public one, 0 where it has none; `operations` is where /readyz and /metrics are.
    """

    service: Service
    number: int
    port: int
    operations: int
    settings: Mapping[str, str]
    layout: Layout
    on_ending: Callable[[Ending], None]
    process: Process | None = None
    lives: int = 0
    wanted: bool = False
    armed: dict[str, str] = field(default_factory=dict)
    _again: asyncio.Event = field(default_factory=asyncio.Event)
    _task: "asyncio.Task[None] | None" = None

    @property
    def name(self) -> str:
        return f"{self.service.name}-{self.number}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.running

    def supervise(self) -> None:
        self._again.set()
        self._task = asyncio.create_task(self._supervise(), name=f"supervise {self.name}")

    async def _supervise(self) -> None:
        while True:
            await self._again.wait()
            self.lives += 1
            armed, self.armed = self.armed, {}
            module = "faults.processes" if armed else self.service.module
            command = self.service.name if armed else self.service.command
            name = f"{self.name}.{self.lives}"
            settings = {**self.settings, **armed}
            self.process = python(self.layout, name, module, command, settings=settings)
            await self.process.start()
            code = await self.process.wait()
            self.on_ending(Ending(self.name, code, self.wanted))
            self.wanted = False
            await asyncio.sleep(RESTART_SECONDS)

    async def ready(self, seconds: float = READY_SECONDS) -> None:
        """Wait until /readyz says so. Raises StackError."""
        until = time.monotonic() + seconds
        why = "not started"
        while time.monotonic() < until:
            try:
                async with asyncio.timeout(5):
                    status, why = await get(self.operations, "/readyz")
            except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError) as error:
                status, why = 0, repr(error)
            if status == 200:
                return
            await asyncio.sleep(0.1)
        raise StackError(
            f"{self.name} was not ready within {seconds:.0f} s: {why}", f"Its log is {self.name}."
        )

    def signal(self, number: signal.Signals, *, ends: bool = False) -> None:
        """To the process alone. `ends`: it is meant to end by it."""
        if self.running and self.process is not None:
            self.wanted = self.wanted or ends
            os.kill(self.process.pid, number)

    async def ended(self, life: int, seconds: float) -> bool:
        """Whether that life ended within `seconds`."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.lives > life or not self.running:
                return True
            await asyncio.sleep(0.05)
        return False

    def hold(self) -> None:
        """Do not start it again once it ends."""
        self._again.clear()

    def release(self) -> None:
        self._again.set()

    async def stop(self) -> None:
        """For good."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        if self.process is not None and self.process.running:
            os.kill(self.process.pid, signal.SIGCONT)
            await self.process.stop()
