"""A rolling restart: every replica of every service, one after the other, while ratings come in."""

import asyncio
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from deploy.local.errors import StackError
from faults.judging import Json, judge, verdict
from faults.ledger import Ledger
from faults.load import Load, Probes, client_of
from faults.planning import Planner
from faults.replicas import SERVICES, Replica
from faults.stack import Stack

STOP_SECONDS = 30.0
PAUSE_SECONDS = 3.0
RECOVERY_SECONDS = 60.0
SETTLE_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Order:
    folder: Path
    jars: Path
    rate: float
    seed: int


@dataclass(slots=True)
class Results:
    """Seconds: `kept` until a rating had its 202, `shown` from then until a figure showed it; `restarts`, by
    replica, until it was ready again."""

    kept: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    restarts: dict[str, float] = field(default_factory=dict)
    check: Json = field(default_factory=dict)


class Rolling:
    """`run` once. `say` is told what happens, a line at a time."""

    def __init__(self, order: Order, say: Callable[[str], None]) -> None:
        self._order = order
        self._say = say
        self._results = Results()

    async def run(self) -> Results:
        """Raises StackError where something did not come back."""
        await asyncio.to_thread(self._order.folder.mkdir, parents=True)
        stack = Stack(self._order.folder, self._order.jars, 1)
        ledger = Ledger(self._order.folder / "ledger.jsonl")
        try:
            await stack.start()
            async with httpx.AsyncClient(limits=httpx.Limits(max_connections=200)) as http:
                await self._under_load(stack, http, ledger)
            self._results.check = await judge(stack, settle=SETTLE_SECONDS, refold=False)
            self._say(verdict(self._results.check))
        finally:
            await stack.stop()
            ledger.close()
        return self._results

    async def _under_load(self, stack: Stack, http: httpx.AsyncClient, ledger: Ledger) -> None:
        chance = random.Random(self._order.seed)
        planner = Planner(chance)
        client = client_of(stack, http, ledger, chance)
        load = Load(client, planner, self._order.rate)
        probes = Probes(client, planner, http, [replica.url for replica in stack.of("aggregation")])
        over = asyncio.Event()
        posting = asyncio.create_task(load.run())
        load.resume()
        watching = asyncio.create_task(self._watch(probes, over))
        try:
            for service in SERVICES:
                for replica in stack.of(service.name):
                    await self._restart(replica)
        finally:
            over.set()
            await watching
            await load.drain()
            posting.cancel()
            await asyncio.wait({posting})
        # The checker reads one thing after the other: nothing may be on its way meanwhile.
        if not await probes.recovered(RECOVERY_SECONDS):
            raise StackError("What was posted last does not show in the figures.", "")

    async def _watch(self, probes: Probes, over: asyncio.Event) -> None:
        while not over.is_set():
            kept, shown = await probes.timed()
            self._results.kept.append(kept)
            self._results.shown.append(shown)

    async def _restart(self, replica: Replica) -> None:
        started, life = time.monotonic(), replica.lives
        replica.signal(signal.SIGTERM, ends=True)
        if not await replica.ended(life, STOP_SECONDS):
            raise StackError(f"{replica.name} did not stop within {STOP_SECONDS:.0f} s.", "")
        while replica.lives == life:
            await asyncio.sleep(0.05)
        await replica.ready()
        self._results.restarts[replica.name] = time.monotonic() - started
        self._say(f"{replica.name}: ready again after {self._results.restarts[replica.name]:.1f} s")
        await asyncio.sleep(PAUSE_SECONDS)
