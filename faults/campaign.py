"""The campaign: load, one fault after another, recovery after each, and the checker."""

import asyncio
import json
import random
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx

from deploy.local.errors import StackError
from deploy.local.http_process import get
from deploy.local.layout import CHECKOUT
from deploy.local.stack import python
from faults.breaking import Done, do
from faults.client import Client
from faults.ledger import Ledger
from faults.load import Load, Probes
from faults.planning import Planner
from faults.processes.failpoints import CRASHED
from faults.schedule import Fault, schedule
from faults.stack import Stack
from services.verification.adapters.key_files import CHALLENGE_KEY, read_key
from services.verification.challenges import Challenges

RECOVERY_SECONDS = 60.0
CHECK_SECONDS = 300.0
REFOLD_SECONDS = 180.0

Json = dict[str, Any]


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
        client = Client(
            http=http,
            intake=[replica.url for replica in stack.of("intake")],
            verification=[replica.url for replica in stack.of("verification")],
            challenges=Challenges(read_key(stack.layout.keys / "verification" / CHALLENGE_KEY)),
            sms=stack.sms,
            ledger=self._ledger,
            chance=chance,
        )
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
        await self._keep_metrics()
        if last:
            await self._fold_again()
        until = time.monotonic() + self._order.settle
        while True:
            report = await self._checked(refolded=last)
            if not report["wrong"] or not report["transient"] or time.monotonic() > until:
                break
            await asyncio.sleep(3)
        self.results.checks.append(report)
        wrong = ", ".join(f"{number} {name}" for name, number in report["wrong"].items()) or "nothing wrong"
        counts = report["counts"]
        self._say(
            f"     check: {counts['posted']} posted, {counts['kept']} kept, {counts['outcomes']} outcomes,"
            f" {counts['deliveries'] - counts['submissions']} repeated deliveries,"
            f" {counts['aborted']} aborted records: {wrong}"
        )
        if report["wrong"]:
            raise StackError(f"The checker found: {wrong}.", "See report.md.")

    async def _checked(self, *, refolded: bool) -> Json:
        command = [sys.executable, "-m", "faults.checking", str(self._order.folder)]
        command += ["--refolded"] if refolded else []
        process = await asyncio.create_subprocess_exec(
            *command, cwd=CHECKOUT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(CHECK_SECONDS):
            output, errors = await process.communicate()
        if process.returncode not in (0, 1) or not output.strip():
            raise StackError("The checker itself failed:", errors.decode("utf-8", "replace")[-3000:])
        report: Json = json.loads(output)
        return report

    async def _keep_metrics(self) -> None:
        folder = self._order.folder / "metrics"
        folder.mkdir(exist_ok=True)
        for replica in self._stack.replicas:
            async with asyncio.timeout(10):
                _, shown = await get(replica.port, "/metrics")
            (folder / f"{replica.name}.{replica.lives}.txt").write_text(shown, encoding="utf-8")

    async def _fold_again(self) -> None:
        """A worker that has seen nothing folds the whole log into an empty database."""
        stack = self._stack
        settings = {
            **stack.of("aggregation-worker")[0].settings,
            "AGGREGATION_KAFKA_BOOTSTRAP": stack.kafka.bootstrap,
            "AGGREGATION_DATABASE_URL": stack.postgres.database.url("refolded"),
            "AGGREGATION_WORKER_PORT": str(stack.spare_port),
        }
        worker = python(stack.layout, "refold", "faults.processes", "refold", settings=settings)
        await worker.start()
        try:
            async with asyncio.timeout(REFOLD_SECONDS):
                await stack.folded_alike()
        except TimeoutError:
            self._say("     the log folded again has not come to the same end in time")
        finally:
            await worker.stop()
