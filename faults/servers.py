"""Kafka and PostgreSQL of a campaign: the same servers as in production, and ways to break them."""

import asyncio
import os
import resource
import signal
import time
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.kafka import Broker, Cluster, Listener, Member, broker_count, new_cluster_id
from deploy.local.layout import Layout
from deploy.local.ports import free_ports
from deploy.local.postgres import Database

DATABASES = ("verification", "aggregation", "refolded")
START_SECONDS = 60.0
TORN_AFTER_BYTES = 100


def brokers(layout: Layout, jars: Path, ways: list[dict[str, int]]) -> list[Broker]:
    """As many brokers as `ways`: for each, the clients that come through a link, and the link's port."""
    controllers = free_ports(len(ways))
    members = tuple(
        Member(number, port, new_cluster_id()) for number, port in enumerate(controllers, start=1)
    )
    cluster = Cluster(new_cluster_id(), members) if len(members) > 1 else None
    made = []
    for member, links in zip(members, ways, strict=True):
        port, *targets = free_ports(1 + len(links))
        made.append(
            Broker(
                layout.root / "data" / f"kafka-{member.node_id}",
                port=port,
                controller_port=member.controller_port,
                jars=jars,
                log=layout.logs / f"kafka-{member.node_id}.log",
                node_id=member.node_id,
                listeners=[
                    Listener(listener_name(client), target, advertised)
                    for (client, advertised), target in zip(links.items(), targets, strict=True)
                ],
                cluster=cluster,
            )
        )
    return made


def listener_name(client: str) -> str:
    return client.upper().replace("-", "_")


class Kafka:
    """All brokers of the campaign. A life's log keeps its number, so that no log is lost."""

    def __init__(self, nodes: list[Broker]) -> None:
        self.nodes = nodes
        self._lives = dict.fromkeys(range(len(nodes)), 0)

    @property
    def bootstrap(self) -> str:
        return ",".join(node.bootstrap for node in self.nodes)

    async def start_all(self) -> None:
        await asyncio.gather(*(self.start(number) for number in range(len(self.nodes))))
        until = time.monotonic() + START_SECONDS
        while await broker_count(self.nodes[0].port) < len(self.nodes):
            if time.monotonic() > until:
                raise StackError("The brokers did not find each other.", "See their logs.")
            await asyncio.sleep(0.2)

    async def start(self, number: int) -> float:
        self._lives[number] += 1
        node = self.nodes[number]
        node.process.log = node.log.with_name(f"{node.log.stem}.{self._lives[number]}.log")
        return await node.start(START_SECONDS)

    def freeze(self, number: int) -> None:
        os.kill(self.nodes[number].process.pid, signal.SIGSTOP)

    def fill_disk(self, number: int) -> None:
        """Let the broker write no further than a little past its longest segment, so that its next batch is
        torn off, as by a full disk: a limit on the size of files needs no root (setrlimit(2))."""
        node = self.nodes[number]
        longest = max(path.stat().st_size for path in node.data.glob("rating-*/*.log"))
        limit = longest + TORN_AFTER_BYTES
        resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (limit, limit))

    def thaw(self, number: int) -> None:
        os.kill(self.nodes[number].process.pid, signal.SIGCONT)

    async def stop_all(self) -> None:
        await asyncio.gather(*(node.stop() for node in self.nodes))


class Postgres:
    """The database server. `start` waits out what a crash leaves behind."""

    def __init__(self, layout: Layout) -> None:
        (port,) = free_ports(1)
        self.database = Database(
            layout.postgres,
            port=port,
            secrets_directory=layout.keys,
            databases=DATABASES,
            log=layout.logs / "postgres.log",
        )
        self._lives = 0

    async def start(self) -> None:
        until = time.monotonic() + START_SECONDS
        while True:
            self._lives += 1
            self.database.process.log = self.database.log.with_name(f"postgres.{self._lives}.log")
            try:
                await self.database.start(START_SECONDS)
            except StackError:
                # Backends of a killed postmaster may hold its shared memory for a moment.
                await self.database.kill()
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(0.2)
            else:
                return

    async def end(self, number: signal.Signals) -> None:
        """To the postmaster alone: SIGQUIT is an immediate shutdown, SIGKILL a crash, SIGINT a fast one."""
        process = self.database.process
        os.kill(process.pid, number)
        async with asyncio.timeout(20):
            await process.wait()

    async def stop(self) -> None:
        await self.database.stop()
