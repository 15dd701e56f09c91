"""The system under test: servers, links, replicas, keys and a directory, in a folder of its own."""

import asyncio
import json
import re
from collections.abc import Mapping
from pathlib import Path

import asyncpg
import yaml

from deploy.local.environment import Wiring
from deploy.local.layout import CHECKOUT, Layout
from deploy.local.ports import HTTP_OFFSETS, Ports, free_ports
from deploy.local.postgres import binaries
from deploy.local.process import run_to_end
from deploy.local.stack import portal_client, python, sealing_key_in
from faults.proxy import Link
from faults.replicas import SERVICES, Ending, Replica, Service
from faults.servers import Kafka, Postgres, brokers
from faults.sms import SmsGateway

STEP_SECONDS = 120.0
EDITIONS = {"captcha": "captcha", "phone": "phone", "both": "captcha_and_phone"}
"""Edition id by verification policy: `faults-<name>`."""
AT_ONCE = "faults-captcha"
"""Of this one the public sees every rating at once: the API can be held to the tables, and probes be seen."""


def write_edition(folder: Path, edition_id: str, policy: str) -> Path:
    """The city's edition under another id and policy, where the checker looks for it."""
    content = yaml.safe_load((CHECKOUT / "data" / "edition-2017.yaml").read_text(encoding="utf-8"))
    content["edition"]["id"] = edition_id
    content["edition"]["policy"]["verification"] = policy
    if edition_id == AT_ONCE:
        content["edition"]["policy"]["publication"] = {"officer_batch": 1, "suppress_below": 1}
    path = folder / f"{edition_id}.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


class Stack:
    """`start` once, `stop` always. `folder` keeps everything: data, keys, logs, outbox."""

    def __init__(self, folder: Path, jars: Path, broker_count: int) -> None:
        self.layout = Layout(folder)
        self.jars = jars
        self.broker_count = broker_count
        self.links: dict[str, Link] = {}
        self.replicas: list[Replica] = []
        self.endings: list[Ending] = []
        self.sms = SmsGateway(self.layout.outbox)
        self.postgres = Postgres(self.layout)
        (self.spare_port,) = free_ports(1)
        self.kafka: Kafka

    async def start(self) -> None:
        for folder in (self.layout.logs, self.layout.outbox):
            folder.mkdir(parents=True, exist_ok=True)
        await self._open_links()
        await self.sms.start()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.kafka.start_all())
            group.create_task(self.postgres.start())
        for name, link in self.links.items():
            if name.endswith("/postgres"):
                link.target = self.postgres.database.port
        await self._set_up()
        for service in SERVICES:
            for number in range(service.replicas):
                replica = self._replica(service, number)
                self.replicas.append(replica)
                replica.supervise()
        await self.all_ready()
        self._write_addresses()

    async def all_ready(self) -> None:
        """Raises StackError where a process is not ready within a minute."""
        await asyncio.gather(*(replica.ready() for replica in self.replicas))

    async def stop(self) -> None:
        for link in self.links.values():
            link.heal()
        await asyncio.gather(*(replica.stop() for replica in self.replicas))
        if hasattr(self, "kafka"):
            await self.kafka.stop_all()
        await self.postgres.stop()
        for link in self.links.values():
            await link.close()
        await self.sms.stop()

    @property
    def portal_key(self) -> str:
        return self.layout.portal_key.read_text().strip()

    async def folded_alike(self) -> None:
        """Wait until the second fold's checkpoints are where the first one's are."""
        while await self._checkpoints("refolded") != await self._checkpoints("aggregation"):
            await asyncio.sleep(0.5)

    async def _checkpoints(self, database: str) -> list[tuple[int, int]]:
        connection = await asyncpg.connect(self.postgres.database.url(database), timeout=10)
        try:
            rows = await connection.fetch(
                "SELECT partition, next_offset FROM read_models.checkpoint ORDER BY partition"
            )
        finally:
            await connection.close()
        return [(row["partition"], row["next_offset"]) for row in rows]

    def of(self, service: str) -> list[Replica]:
        return [replica for replica in self.replicas if replica.service.name == service]

    def named(self, name: str) -> Replica:
        return next(replica for replica in self.replicas if replica.name == name)

    def links_of(self, service: str, dependency: str) -> list[Link]:
        """All links of a service (or of one replica) to `kafka` or `postgres`."""
        wanted = re.compile(rf"{service}(-\d)?/{dependency}(-\d)?")
        return [link for name, link in self.links.items() if wanted.fullmatch(name)]

    async def _open_links(self) -> None:
        clients = [(s, f"{s.name}-{n}") for s in SERVICES for n in range(s.replicas)]
        ways: list[dict[str, int]] = []
        for broker in range(1, self.broker_count + 1):
            way = {}
            for service, client in clients:
                if service.kafka:
                    link = await self._link(f"{client}/kafka-{broker}")
                    way[client] = link.port
            ways.append(way)
        for service, client in clients:
            if service.postgres:
                await self._link(f"{client}/postgres")
        nodes = brokers(self.layout, self.jars, ways)
        for number, node in enumerate(nodes, start=1):
            for (client, _), listener in zip(ways[number - 1].items(), node.listeners, strict=True):
                self.links[f"{client}/kafka-{number}"].target = listener.port
        self.kafka = Kafka(nodes)

    async def _link(self, name: str) -> Link:
        link = self.links[name] = Link(name)
        await link.open()
        return link

    def _replica(self, service: Service, number: int) -> Replica:
        client = f"{service.name}-{number}"
        own = [link for name, link in self.links.items() if name.startswith(f"{client}/kafka")]
        bootstrap = ",".join(f"127.0.0.1:{link.port}" for link in own) or self.kafka.bootstrap
        url = self.postgres.database.url(service.postgres) if service.postgres else ""
        if url:
            url = re.sub(r":\d+/", f":{self.links[f'{client}/postgres'].port}/", url)
        wiring = self._wiring(bootstrap, dict.fromkeys(("verification", "aggregation"), url))
        kind = service.module.removeprefix("services.")
        settings: dict[str, str] = getattr(wiring, kind)()
        if kind == "verification":
            settings |= self.sms.settings()
        return Replica(
            service,
            number,
            wiring.ports.by_part.get(service.name, 0),
            wiring.operations_port(service.name),
            settings,
            self.layout,
            self.endings.append,
        )

    def _wiring(self, bootstrap: str, urls: Mapping[str, str]) -> Wiring:
        ports = Ports(dict(zip(HTTP_OFFSETS, free_ports(len(HTTP_OFFSETS)), strict=True)), {})
        return Wiring(self.layout, ports, bootstrap, urls)

    async def _set_up(self) -> None:
        """Topics, tables, keys, and the directory with an edition for each policy."""
        database = self.postgres.database
        wiring = self._wiring(self.kafka.bootstrap, {name: database.url(name) for name in database.databases})
        refolded = {**wiring.aggregation(), "AGGREGATION_DATABASE_URL": database.url("refolded")}
        async with asyncio.TaskGroup() as group:
            bootstrap = {"OPERATOR_KAFKA_BOOTSTRAP": self.kafka.bootstrap}
            group.create_task(self._step("topics", "chassis.topics", settings=bootstrap))
            for name, service, settings in (
                ("migrate-v", "verification", wiring.verification()),
                ("migrate-a", "aggregation", wiring.aggregation()),
                ("migrate-r", "aggregation", refolded),
            ):
                group.create_task(self._step(name, f"services.{service}", "migrate", settings=settings))
        # The first makes the secrets that all share, and publishes the directory.
        first, *others = EDITIONS.items()
        await self._publish(*first, wiring)
        client = self._step(
            "client", "services.intake", *portal_client(self.layout), settings=wiring.intake()
        )
        await asyncio.gather(client, *(self._publish(*other, wiring) for other in others))

    async def _publish(self, name: str, policy: str, wiring: Wiring) -> None:
        """An edition with its keys, and the directory with the first one."""
        edition = f"faults-{name}"
        keys = ("keys", "create", "--edition", edition)
        _, said = await asyncio.gather(
            self._step(f"keys-i-{name}", "services.intake", *keys, settings=wiring.intake()),
            self._step(f"keys-v-{name}", "services.verification", *keys, settings=wiring.verification()),
        )
        files = ["data/directory-2017.yaml"] if name == "captcha" else []
        path = write_edition(self.layout.root, edition, policy)
        files += [str(path), "--sealing-key", sealing_key_in(said)]
        await self._step(f"publish-{name}", "services.intake", "publish", *files, settings=wiring.intake())

    async def _step(
        self, name: str, module: str, *arguments: str, settings: Mapping[str, str] | None = None
    ) -> str:
        process = python(self.layout, name, module, *arguments, settings=settings)
        return await run_to_end(process, STEP_SECONDS)

    def _write_addresses(self) -> None:
        """Where the checker finds everything: direct addresses, none of them through a link."""
        database = self.postgres.database
        addresses = {
            "kafka": self.kafka.bootstrap,
            "verification": database.url("verification"),
            "aggregation": database.url("aggregation"),
            "refolded": database.url("refolded"),
            "figures": self.of("aggregation")[0].url,
            "http": {replica.name: replica.url for replica in self.replicas},
            "kafka_data": [str(node.data) for node in self.kafka.nodes],
            "logs": str(self.layout.logs),
            "pg_dump": str(binaries() / "pg_dump"),
        }
        path = self.layout.root / "addresses.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(addresses, indent=1))
