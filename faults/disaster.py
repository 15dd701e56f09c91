"""Everything is lost but the backups: the system begins again from them, and the checker counts.

The databases come from an older backup than the topics, as they do where an operator has several: what was
decided in between is in the log alone.
"""

import asyncio
import random
import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from deploy.local.postgres import binaries
from deploy.local.process import run_to_end
from deploy.local.stack import python
from faults.checking.figures import Model, read_model
from faults.client import Client
from faults.judging import Json, judge, verdict
from faults.ledger import Ledger
from faults.load import client_of
from faults.planning import Kind, Planned, Planner
from faults.stack import STEP_SECONDS, Stack

AT_ONCE = 16
MET_AGAIN = 24
SETTLE_SECONDS = 90.0
QUIET_SECONDS = 60.0
SERVICES = ("intake", "verification", "portal")


@dataclass(frozen=True, slots=True)
class Order:
    folder: Path
    jars: Path
    ratings: int
    seed: int


@dataclass(slots=True)
class Results:
    """`seconds` by step; `red` says what is wrong, and is empty where all is well."""

    seconds: dict[str, float] = field(default_factory=dict)
    checks: list[Json] = field(default_factory=list)
    counters: int = 0
    red: list[str] = field(default_factory=list)


class _Restored(Stack):
    """On fresh servers, from backups instead of a directory and new keys."""

    def __init__(self, folder: Path, jars: Path, backups: Path) -> None:
        super().__init__(folder, jars, 1)
        self._backups = backups

    async def _set_up(self) -> None:
        urls = {name: self.postgres.database.url(name) for name in ("verification", "aggregation")}
        wiring = self._wiring(self.kafka.bootstrap, urls)
        refolded = {
            **wiring.aggregation(),
            "AGGREGATION_DATABASE_URL": self.postgres.database.url("refolded"),
        }
        await self._step("topics", "deploy.local", "topics", "--bootstrap", self.kafka.bootstrap)
        await self._step("migrate-r", "services.aggregation", "migrate", settings=refolded)
        keys = ("--keys-to", str(self.layout.keys), "--recovery-key", str(self._backups / "recovery.key"))
        for name, *parts in (("newer", "topics", "keys"), ("older", "databases")):
            only = [word for part in parts for word in ("--only", part)]
            arguments = ("restore", str(self._backups / name), *keys, *only, "--programs", str(binaries()))
            await self._step(f"restore-{name}", "deploy.backup", *arguments, settings=_operator(self))
        await self._step("catch-up", "services.verification", "catch-up", settings=wiring.verification())


class Disaster:
    """`run` once. `say` is told what happens, a line at a time."""

    def __init__(self, order: Order, say: Callable[[str], None]) -> None:
        self._order = order
        self._say = say
        self._backups = order.folder / "backups"
        self._chance = random.Random(order.seed)
        self._planner = Planner(self._chance)
        self._posted: list[Planned] = []
        self._results = Results()

    async def run(self) -> Results:
        """Raises StackError where the system did not come up."""
        before, after = self._order.folder / "before", self._order.folder / "after"
        self._backups.mkdir(parents=True, mode=0o700)
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=200)) as http:
            figures = await self._until_the_disaster(before, http)
            await asyncio.to_thread(after.mkdir)
            for path in (before / "ledger.jsonl", *before.glob("faults-*.yaml")):
                shutil.copy(path, after)
            await asyncio.to_thread(shutil.rmtree, before)
            await self._begin_again(after, figures, http)
        return self._results

    async def _until_the_disaster(self, folder: Path, http: httpx.AsyncClient) -> Model:
        await asyncio.to_thread(folder.mkdir)
        stack, ledger = Stack(folder, self._order.jars, 1), Ledger(folder / "ledger.jsonl")
        try:
            await self._timed("start", stack.start())
            client = client_of(stack, http, ledger, self._chance)
            await self._timed("post the first half", self._post(client, self._order.ratings // 2))
            await self._timed("backup under way", self._back_up(stack, "older"))
            await self._timed("post the second half", self._post(client, self._order.ratings // 2))
            await self._judge(stack, "before")
            await self._timed("backup", self._back_up(stack, "newer"))
            return await read_model(stack.postgres.database.url("aggregation"))
        finally:
            await stack.stop()
            ledger.close()

    async def _begin_again(self, folder: Path, before: Model, http: httpx.AsyncClient) -> None:
        stack = _Restored(folder, self._order.jars, self._backups)
        ledger = Ledger(folder / "ledger.jsonl")
        try:
            await self._timed("restore on fresh servers, and start", stack.start())
            await self._judge(stack, "restored", refold=True)
            self._compare(before, await read_model(stack.postgres.database.url("aggregation")))
            client = client_of(stack, http, ledger, self._chance)
            await self._timed("meet what was rated before", self._meet_again(client))
            await self._timed("post new ones", self._post(client, self._order.ratings // 4))
            await self._judge(stack, "gone on", refold=True)
        finally:
            await stack.stop()
            ledger.close()

    async def _post(self, client: Client, count: int) -> None:
        """Those that belong together after each other, others side by side."""
        places = asyncio.Semaphore(AT_ONCE)

        async def one(group: list[Planned]) -> None:
            async with places:
                for planned in group:
                    await client.rate(planned)

        groups: list[list[Planned]] = []
        while sum(map(len, groups)) < count:
            groups.append(self._planner.draw())
        async with asyncio.TaskGroup() as tasks:
            for group in groups:
                tasks.create_task(one(group))
        self._posted += [planned for group in groups for planned in group]

    async def _meet_again(self, client: Client) -> None:
        """The same requests once more, and others with their phones and officers, challenges and keys."""
        plain = [planned for planned in self._posted if planned.kind is Kind.PLAIN]
        for first in self._chance.sample(plain, min(MET_AGAIN, len(plain))):
            await client.again(first)
            for kind in (Kind.DUPLICATE, Kind.USED, Kind.REUSED_KEY):
                await client.rate(self._planner.meeting(first, kind))

    async def _back_up(self, stack: Stack, name: str) -> None:
        recovery = self._backups / "recovery.key"
        made = python(stack.layout, "recovery-key", "deploy.backup", "recovery-key", str(recovery))
        public = (await run_to_end(made, STEP_SECONDS)).strip()
        folders = [word for each in SERVICES for word in ("--keys", str(stack.layout.keys / each))]
        arguments = ("take", str(self._backups / name), *folders, "--programs", str(binaries()))
        settings = _operator(stack) | {"OPERATOR_RECOVERY_PUBLIC_KEY": public}
        taking = python(stack.layout, f"backup-{name}", "deploy.backup", *arguments, settings=settings)
        await run_to_end(taking, STEP_SECONDS)

    async def _judge(self, stack: Stack, name: str, *, refold: bool = False) -> None:
        until = time.monotonic() + QUIET_SECONDS
        while True:  # what was posted last may still be on its way, to the tables or to the API
            report = await judge(stack, settle=SETTLE_SECONDS, refold=refold)
            if not report["wrong"] or time.monotonic() > until:
                break
            await asyncio.sleep(3)
        self._results.checks.append(report)
        self._results.red += [f"{name}: {number} {wrong}" for wrong, number in report["wrong"].items()]
        self._say(f"{name}: {verdict(report)}")
        for wrong, examples in report["examples"].items():
            self._say(f"  {wrong}: {examples[0]}")

    def _compare(self, before: Model, after: Model) -> None:
        self._results.counters = len(before.tallies)
        for what in ("tallies", "released", "counted", "parents"):
            if getattr(before, what) != getattr(after, what):
                self._results.red.append(f"restored: {what} are not those of before")
        self._say(f"restored: {len(before.tallies)} counters before, {len(after.tallies)} after, compared")

    async def _timed(self, name: str, step: Awaitable[None]) -> None:
        started = time.monotonic()
        await step
        self._results.seconds[name] = round(time.monotonic() - started, 1)
        self._say(f"{name}: {self._results.seconds[name]} s")


def _operator(stack: Stack) -> dict[str, str]:
    database = stack.postgres.database
    return {
        "OPERATOR_KAFKA_BOOTSTRAP": stack.kafka.bootstrap,
        "OPERATOR_VERIFICATION_DATABASE_URL": database.url("verification"),
        "OPERATOR_AGGREGATION_DATABASE_URL": database.url("aggregation"),
    }
