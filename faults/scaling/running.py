"""One trial: a load, more replicas of everything, fewer again, and then the checker."""

import asyncio
import base64
import json
import random
import secrets
import shutil
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from deploy.local.errors import StackError
from deploy.local.layout import CHECKOUT
from faults.client import Client
from faults.judging import Json, settled, verdict
from faults.ledger import Ledger
from faults.load import Load, Probes
from faults.planning import WITHOUT_CODES, Planner
from faults.scaling.compose import REPLICAS, Compose
from faults.sms import SmsGateway
from faults.stack import AT_ONCE, write_edition
from services.verification.challenges import Challenges

BEFORE_SECONDS = 60.0
PART_SECONDS = 180.0
SETTLE_SECONDS = 60.0
WORKERS = {
    "verification-worker": "verification_decisions_total",
    "aggregation-worker": "aggregation_outcomes_total",
}
"""By service, what it counts of its work."""
APIS = {"intake": 8001, "verification": 8002, "aggregation": 8003}
OPERATIONS = {"verification-worker": 8022, "aggregation-worker": 8023}
METRICS = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())"


@dataclass(frozen=True, slots=True)
class Order:
    """What to run. `ratings` are kept in each of three parts: before, while and after there are `workers`."""

    folder: Path
    brokers: int = 1
    ratings: int = 300
    rate: float = 15.0
    workers: int = 3
    seed: int = 1


@dataclass(slots=True)
class Results:
    order: Order
    seconds: dict[str, float] = field(default_factory=dict)
    work: dict[str, int] = field(default_factory=dict)
    ledger: Json = field(default_factory=dict)
    check: Json = field(default_factory=dict)
    failure: str = ""

    @property
    def red(self) -> list[str]:
        """Why the trial failed; empty where all is well."""
        found = [self.failure] if self.failure else []
        found += [f"{replica} did no work" for replica, done in self.work.items() if not done]
        return found + [
            f"the checker: {number} {wrong}" for wrong, number in self.check.get("wrong", {}).items()
        ]


class Scaling:
    """`run` once. `say` is told what happens, a line at a time; `step` how far it is, in ratings."""

    def __init__(self, order: Order, say: Callable[[str], None], step: Callable[[int], None]) -> None:
        self._order = order
        self._say = say
        self._step = step
        self._ledger: Ledger
        # The city's directory, and an edition of which everybody sees every rating at once.
        settings = {"HAILONG_EDITION": AT_ONCE, "HAILONG_DATA": str(order.folder / "data")}
        self._compose = Compose(f"hai-long-trial-{secrets.token_hex(4)}", order.brokers, settings)
        self.results = Results(order)

    async def run(self) -> Results:
        """A failure, of the system or of the trial itself, is in the results. Its containers are removed."""
        folder = self._order.folder
        (folder / "data").mkdir(parents=True)
        edition = write_edition(folder, AT_ONCE, "captcha")
        shutil.copy(edition, folder / "data" / f"edition-{AT_ONCE}.yaml")
        shutil.copy(CHECKOUT / "data" / "directory-2017.yaml", folder / "data" / f"directory-{AT_ONCE}.yaml")
        self._ledger = Ledger(folder / "ledger.jsonl")
        try:
            # Two of intake: the same request at both at once is one of the things that are posted.
            await self._timed("start", self._compose.up(intake=REPLICAS))
            async with httpx.AsyncClient(limits=httpx.Limits(max_connections=600)) as http:
                await self._with_load(http)
        except StackError as error:
            self.results.failure = str(error)
        except Exception as error:  # noqa: BLE001  whatever it is, the evidence is kept and the report written
            self.results.failure = repr(error)
        finally:
            self._ledger.close()
            self.results.ledger = dict(self._ledger.counts)
            await self._take_down()
        return self.results

    async def _take_down(self) -> None:
        try:
            logs = await self._compose.logs()
            await asyncio.to_thread((self._order.folder / "containers.log").write_text, logs, "utf-8")
        finally:
            await self._compose.down()

    async def _with_load(self, http: httpx.AsyncClient) -> None:
        compose, order = self._compose, self._order
        chance = random.Random(order.seed)
        planner = Planner(chance, WITHOUT_CODES)
        intake = [await compose.url("intake", APIS["intake"], index + 1) for index in range(REPLICAS)]
        verification = [await compose.url("verification", APIS["verification"])]
        figures = [await compose.url("aggregation", APIS["aggregation"])]
        await self._write_addresses(figures[0])
        client = Client(
            http=http,
            intake=intake,
            verification=verification,
            challenges=Challenges(
                base64.b64decode(await compose.exec("verification", "cat", "/keys/challenge.key"))
            ),
            portal_key=(await compose.exec("portal", "cat", "/keys/intake.key")).strip(),
            sms=SmsGateway(order.folder / "outbox"),  # nothing that is posted asks for a text message
            ledger=self._ledger,
            chance=chance,
        )
        load = Load(client, planner, order.rate)
        probes = Probes(client, planner, http, figures)
        posting = asyncio.create_task(load.run())
        try:
            await self._work_seen(probes)
            load.resume()
            await self._kept(1)
            await self._timed("scaling out", self._scale(order.workers, REPLICAS))
            # From here on ratings are sent to the second ones too, and probes have to show in both.
            verification.append(await compose.url("verification", APIS["verification"], REPLICAS))
            figures.append(await compose.url("aggregation", APIS["aggregation"], REPLICAS))
            await self._kept(2)
            await self._work_seen(probes)
            await self._note_work()
            del verification[1:], figures[1:]
            await self._timed("scaling in", self._scale(1, 1))
            await self._kept(3)
            await load.drain()
            await self._work_seen(probes)
        finally:
            posting.cancel()
            await asyncio.wait({posting})
        self.results.check = await settled(order.folder, "--no-leaks", settle=SETTLE_SECONDS)
        self._say(verdict(self.results.check))

    async def _work_seen(self, probes: Probes) -> None:
        if not await probes.recovered(BEFORE_SECONDS):
            raise StackError("Ratings did not show in the figures in time.", "")

    async def _scale(self, workers: int, apis: int) -> None:
        services = (*WORKERS, "verification", "aggregation")
        await self._compose.up(
            *services,
            verification_worker=workers,
            aggregation_worker=workers,
            verification=apis,
            aggregation=apis,
        )

    async def _kept(self, part: int) -> None:
        """Until so many more ratings are kept."""
        ratings = self._order.ratings
        before = self._ledger.counts["kept"]
        self._say(f"part {part} of 3: {ratings} ratings")
        async with asyncio.timeout(PART_SECONDS):
            while (kept := self._ledger.counts["kept"] - before) < ratings:
                self._step((part - 1) * ratings + kept)
                await asyncio.sleep(0.2)
        self._step(part * ratings)

    async def _note_work(self) -> None:
        """What each worker has done since it was started."""
        for service, counted in WORKERS.items():
            for index in range(1, self._order.workers + 1):
                address = f"http://127.0.0.1:{OPERATIONS[service]}/metrics"
                shown = await self._compose.exec(service, "python", "-c", METRICS, address, index=index)
                lines = [line for line in shown.splitlines() if line.startswith(counted)]
                self.results.work[f"{service} {index}"] = round(
                    sum(float(line.split()[-1]) for line in lines)
                )

    async def _timed(self, what: str, work: Coroutine[Any, Any, None]) -> None:
        started = time.monotonic()
        await work
        self.results.seconds[what] = round(time.monotonic() - started, 1)
        self._say(f"{what}: {self.results.seconds[what]} s")

    async def _write_addresses(self, figures: str) -> None:
        """Where the checker finds everything."""
        addresses = {
            "kafka": ",".join(f"127.0.0.1:{port}" for port in self._compose.kafka_ports),
            "verification": await self._database("verification", "verification_app"),
            "aggregation": await self._database("aggregation", "aggregation_api"),
            "figures": figures,
        }
        path = self._order.folder / "addresses.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(addresses, indent=1))

    async def _database(self, service: str, role: str) -> str:
        entry = await self._compose.exec(service, "cat", f"/keys/{role}.pgpass")
        password = entry.strip().rpartition(":")[2]
        return f"postgresql://{role}:{password}@127.0.0.1:{self._compose.postgres_port}/{service}?sslmode=disable"
