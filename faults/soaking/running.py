"""The soak: the whole stack under a steady load, watched, and at the end checked like a campaign."""

import asyncio
import json
import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx

from deploy.local.environment import Wiring
from deploy.local.errors import StackError
from deploy.local.ports import Ports, free_ports
from deploy.local.process import run_to_end
from deploy.local.stack import python
from faults.judging import Json, judge
from faults.ledger import Ledger
from faults.load import Load, Probes, client_of
from faults.planning import Planner, read_officers
from faults.replicas import Replica, Service
from faults.soaking import verdicts as judged
from faults.soaking.reading import Readers
from faults.soaking.sampling import Sample, Sampler
from faults.stack import Stack

BEFORE_SECONDS = 60.0
ASSETS_SECONDS = 300.0
SETTLE_SECONDS = 90.0
FILLED_MINUTES = 17.0
"""Intake counts over a window of 15 minutes, by slices of a minute: until it is full, memory grows."""
PORTAL = Service("portal", "portal", "serve", 1, kafka=False)


def usual_warm_up(minutes: float) -> float:
    """A share: until windows are full, a third at least; of a run that is too short for it, not all."""
    return min(0.6, max(1 / 3, FILLED_MINUTES / minutes))


@dataclass(frozen=True, slots=True)
class Order:
    """What to run. `warm_up` is the share of the time that is not judged: windows fill, pools open."""

    folder: Path
    jars: Path
    minutes: float
    rate: float = 20.0
    pages: float = 5.0
    every: float = 5.0
    warm_up: float = 1 / 3
    seed: int = 1

    @property
    def seconds(self) -> float:
        return self.minutes * 60


@dataclass(slots=True)
class Results:
    order: Order
    samples: list[Sample] = field(default_factory=list)
    verdicts: list[judged.Verdict] = field(default_factory=list)
    check: Json = field(default_factory=dict)
    ledger: Json = field(default_factory=dict)
    reads: Json = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)
    wrong_reads: list[str] = field(default_factory=list)
    failure: str = ""

    @property
    def red(self) -> list[str]:
        """Why the soak failed; empty where all is well."""
        found = [self.failure] if self.failure else []
        found += [f"{each} ended by itself" for each in self.ended]
        found += [f"{each.process}: {each.what} {each.wrong}" for each in self.verdicts if each.wrong]
        found += [f"the checker: {number} {wrong}" for wrong, number in self.check.get("wrong", {}).items()]
        return found + [f"reading: {each}" for each in self.wrong_reads]


class Soak:
    """`run` once; it ends by itself. `say` is told what happens; `step` the seconds that are behind."""

    def __init__(self, order: Order, say: Callable[[str], None], step: Callable[[float], None]) -> None:
        self._order = order
        self._say = say
        self._step = step
        self._stack = Stack(order.folder, order.jars, 1)
        self.results = Results(order)

    async def run(self) -> Results:
        """A failure, of the system or of the soak itself, is in the results. The stack is stopped."""
        self._order.folder.mkdir(parents=True)
        ledger = Ledger(self._order.folder / "ledger.jsonl")
        try:
            await self._stack.start()
            await self._start_portal()
            self._say("the system is up")
            limits = httpx.Limits(max_connections=600)
            async with httpx.AsyncClient(limits=limits) as http:
                await self._soak(http, ledger)
        except Exception as error:  # noqa: BLE001  whatever it is, the evidence is kept and the report written
            self.results.failure = str(error) if isinstance(error, StackError) else repr(error)
        finally:
            # Before the stack is stopped, which ends them all.
            self.results.ended = [f"{each.replica} ({each.code})" for each in self._stack.endings]
            await self._stack.stop()
            ledger.close()
        self.results.ledger = dict(ledger.counts)
        return self.results

    async def _start_portal(self) -> None:
        stack = self._stack
        await run_to_end(python(stack.layout, "portal-assets", "portal.assets", "build"), ASSETS_SECONDS)
        port, operations = free_ports(2)
        apis = {name: stack.of(name)[0].port for name in ("intake", "verification", "aggregation")}
        ports = Ports({"portal": port, "portal-operations": operations, **apis}, {})
        settings = Wiring(stack.layout, ports, "", {}).portal()
        replica = Replica(PORTAL, 0, port, operations, settings, stack.layout, stack.endings.append)
        stack.replicas.append(replica)
        replica.supervise()
        await replica.ready()

    async def _soak(self, http: httpx.AsyncClient, ledger: Ledger) -> None:
        stack, order = self._stack, self._order
        chance = random.Random(order.seed)
        planner = Planner(chance)
        client = client_of(stack, http, ledger, chance)
        load = Load(client, planner, order.rate)
        figures = [replica.url for replica in stack.of("aggregation")]
        if not await Probes(client, planner, http, figures).recovered(BEFORE_SECONDS):
            raise StackError("The system did not work before the soak.", "")
        services = ("aggregation", "intake", "portal")
        urls = {name: [replica.url for replica in stack.of(name)] for name in services}
        readers = Readers(http, urls, read_officers(), order.pages, chance)
        database = stack.postgres.database.url("aggregation")
        sampler = Sampler(self._pids, database, order.every)
        load.resume()
        started = time.monotonic()
        steady = [load.run(), readers.run(), sampler.run(started)]
        tasks = [asyncio.create_task(each) for each in steady]
        try:
            await self._until_over(started, tasks)
        finally:
            for task in tasks:  # ratings under way are tasks of their own, and go on
                task.cancel()
            await asyncio.wait(tasks, timeout=10)
            self.results.samples = sampler.samples
            self.results.reads, self.results.wrong_reads = dict(readers.counts), readers.wrong
            self._keep_samples()
        self.results.verdicts = judged.judge(sampler.samples, warm_up=order.warm_up * order.seconds)
        self._say("the load has ended; waiting for what is under way, then checking")
        await load.drain()
        await stack.all_ready()
        self.results.check = await judge(stack, settle=SETTLE_SECONDS, refold=True)

    async def _until_over(self, started: float, tasks: "list[asyncio.Task[None]]") -> None:
        """Raises what a task raised, for none of them ends by itself."""
        while (behind := time.monotonic() - started) < self._order.seconds:
            self._step(behind)
            await asyncio.wait(tasks, timeout=1, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
        self._step(self._order.seconds)

    def _pids(self) -> dict[str, int]:
        stack = self._stack
        running = {
            replica.name: replica.process.pid
            for replica in stack.replicas
            if replica.running and replica.process is not None
        }
        running |= {f"kafka-{node.node_id}": node.process.pid for node in stack.kafka.nodes}
        return {**running, "postgres": stack.postgres.database.process.pid}

    def _keep_samples(self) -> None:
        with (self._order.folder / "samples.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(each)) + "\n" for each in self.results.samples)
