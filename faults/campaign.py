"""The campaign: load, one fault after another, recovery after each, and the checker."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx

from deploy.local.errors import StackError
from faults.breaking import Done, do
from faults.judging import Json, judge, verdict
from faults.ledger import Ledger
from faults.load import Load, Probes, client_of
from faults.planning import Planner
from faults.processes.failpoints import CRASHED
from faults.schedule import Fault, schedule
from faults.stack import Stack

RECOVERY_SECONDS = 60.0


@dataclass(slots=True)
class Cycle:
    """What became of one fault. `recovery` in seconds; None: not in time."""

    fault: str
    kind: str
    part: str
    took: float = 0.0
    recovery: float | None = None
    stopped_in: float | None = None
    reached: bool = True


@dataclass(frozen=True, slots=True)
class Order:
    """What to run. `every`: check after so many cycles. `settle`: seconds that a check waits for what may
    still be on its way."""

    folder: Path
    jars: Path
    cycles: int
    seed: int
    brokers: int = 1
    rate: float = 20.0
    every: int = 10
    only: str = ""
    settle: float = 90.0


@dataclass(slots=True)
class Results:
    order: Order
    cycles: list[Cycle] = field(default_factory=list)
    checks: list[Json] = field(default_factory=list)
    ledger: Json = field(default_factory=dict)
    restarts: Json = field(default_factory=dict)
    failure: str = ""
    seconds: float = 0.0

    @property
    def red(self) -> list[str]:
        """Why the campaign failed; empty where all is well."""
        found = [self.failure] if self.failure else []
        found += [
            f"no recovery within {RECOVERY_SECONDS:.0f} s from: {c.fault}"
            for c in self.cycles
            if c.recovery is None
        ]
        for report in self.checks:
            found += [f"{number} {wrong}" for wrong, number in report["wrong"].items()]
        return found


class Campaign:
    """`run` once. `say` is told what happens, a line at a time; `step` after each cycle."""

    def __init__(self, order: Order, say: Callable[[str], None], step: Callable[[int], None]) -> None:
        self._order = order
        self._say = say
        self._step = step
        self._stack = Stack(order.folder, order.jars, order.brokers)
        self._ledger: Ledger
        self.results = Results(order)

    async def run(self) -> Results:
        """A failure, of the system or of the campaign itself, is in the results. The stack is stopped."""
        started = time.monotonic()
        self._order.folder.mkdir(parents=True)
        self._ledger = Ledger(self._order.folder / "ledger.jsonl")
        try:
            await self._stack.start()
            self._say(f"the system is up after {time.monotonic() - started:.0f} s")
            async with httpx.AsyncClient(limits=httpx.Limits(max_connections=600)) as http:
                await self._with_load(http)
        except StackError as error:
            self.results.failure = str(error)
        except Exception as error:  # noqa: BLE001  whatever it is, the evidence is kept and the report written
            self.results.failure = repr(error)
        finally:
            await self._stack.stop()
            self._ledger.close()
        self.results.ledger = dict(self._ledger.counts)
        endings = self._stack.endings
        self.results.restarts = {
            "by faults": sum(ending.wanted for ending in endings),
            "by themselves": [asdict(e) for e in endings if not e.wanted and e.code != CRASHED],
            "at failpoints": sum(ending.code == CRASHED for ending in endings),
        }
        self.results.seconds = round(time.monotonic() - started, 1)
        return self.results

    async def _with_load(self, http: httpx.AsyncClient) -> None:
        stack, order = self._stack, self._order
        chance = random.Random(order.seed + 1)
        planner = Planner(chance)
        client = client_of(stack, http, self._ledger, chance)
        load = Load(client, planner, order.rate)
        probes = Probes(client, planner, http, [replica.url for replica in stack.of("aggregation")])
        posting = asyncio.create_task(load.run())
        try:
            if not await probes.recovered(RECOVERY_SECONDS):
                raise StackError("The system did not work before any fault.", "")
            load.resume()
            for number, fault in enumerate(
                schedule(order.cycles, order.seed, brokers=order.brokers, only=order.only), start=1
            ):
                await self._cycle(number, fault, probes)
                last = number == order.cycles
                if last or number % order.every == 0:
                    await load.drain()
                    await self._check(probes, last=last)
                    load.resume()
                self._step(number)
        finally:
            posting.cancel()
            await asyncio.wait({posting})

    async def _cycle(self, number: int, fault: Fault, probes: Probes) -> None:
        cycle = Cycle(str(fault), fault.kind, fault.part)
        self.results.cycles.append(cycle)
        started = time.monotonic()
        done: Done = await do(self._stack, fault)
        cycle.took = round(time.monotonic() - started, 2)
        cycle.stopped_in = done.stopped_in
        cycle.reached = done.reached
        if await probes.recovered(RECOVERY_SECONDS):
            cycle.recovery = round(time.monotonic() - done.cleared, 2)
        if done.undo is not None:
            await done.undo()
        await self._stack.all_ready()
        recovery = f"recovered in {cycle.recovery} s" if cycle.recovery is not None else "NOT RECOVERED"
        missed = "" if done.reached else " (never came by)"
        self._say(f"{number:>4} {fault}{missed}: {recovery}")

    async def _check(self, probes: Probes, *, last: bool) -> None:
        """Once nothing is under way any more; what may be on its way still gets time."""
        await probes.recovered(RECOVERY_SECONDS)
        await self._stack.all_ready()
        report = await judge(self._stack, settle=self._order.settle, refold=last)
        self.results.checks.append(report)
        self._say(f"     check: {verdict(report)}")
        if report["wrong"]:
            raise StackError(f"The checker found: {verdict(report)}.", "See report.md.")
