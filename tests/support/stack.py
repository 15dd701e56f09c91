"""The broker and the database that integration tests run on: the real ones, one of each for a test process.

Containers (`apache/kafka:4.3.1`, `postgres:18`, by testcontainers) where a Docker engine answers, else the
embedded stack; `HAILONG_TEST_STACK=docker` or `=embedded` says which. Either way they are the same servers
behind the same interface, and the same tests.

Topics are the catalogue's and shared by all tests of a run, as they are in production. Tests keep apart by
databases of their own, by ids that are theirs alone, and by passing over what others have written.
"""

import asyncio
import os
import signal
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import docker
from docker.errors import DockerException
from testcontainers.core.container import DockerContainer

from chassis.kafka import KafkaClient
from chassis.kafka import is_outage as kafka_away
from chassis.postgres import is_outage as postgres_away
from chassis.topics import apply
from deploy.local.kafka import Broker
from deploy.local.layout import Layout
from deploy.local.ports import HOST, free_ports
from deploy.local.postgres import SUPERUSER, Database
from deploy.local.process import Process
from deploy.local.progress import Report
from deploy.local.stack import ensure_jars

CHOICE = "HAILONG_TEST_STACK"
START_SECONDS = 90.0


class Server(Protocol):
    """A broker or a database that tests may take away and bring back: same address, same data."""

    async def pause(self) -> None:
        """It hears and says nothing, as on a machine that hangs."""

    async def resume(self) -> None: ...

    async def stop(self) -> None:
        """An orderly stop."""

    async def kill(self) -> None:
        """A crash."""

    async def start(self) -> None:
        """After `stop` or `kill`. Returns once it answers."""


class Kafka(Server, Protocol):
    @property
    def bootstrap(self) -> str: ...


class Postgres(Server, Protocol):
    @property
    def url(self) -> str:
        """The superuser's, to the database `postgres`."""


def chosen() -> str:
    """`docker` or `embedded`. Raises ValueError for another word in the variable."""
    word = os.environ.get(CHOICE, "")
    if word not in ("", "docker", "embedded"):
        raise ValueError(f"{CHOICE} is {word!r}; it takes docker or embedded")
    return word or ("docker" if _engine_answers() else "embedded")


def _engine_answers() -> bool:
    try:
        client = docker.from_env(timeout=3)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except DockerException:
        return False


@asynccontextmanager
async def kafka_server(backend: str, folder: Path) -> AsyncIterator[Kafka]:
    """A broker with the catalogue's topics."""
    server = await (_container_kafka() if backend == "docker" else _embedded_kafka(folder))
    try:
        await server.start()
        await until(lambda: apply(KafkaClient(bootstrap=server.bootstrap)), away=kafka_away)
        yield server
    finally:
        await server.remove()


@asynccontextmanager
async def postgres_server(backend: str, folder: Path) -> AsyncIterator[Postgres]:
    server = _container_postgres() if backend == "docker" else _embedded_postgres(folder)
    try:
        await server.start()
        yield server
    finally:
        await server.remove()


@asynccontextmanager
async def own_database(server_url: str, name: str) -> AsyncIterator[str]:
    """A database of that name for one test; its URL."""
    connection = await asyncpg.connect(server_url)
    try:
        await connection.execute(f'CREATE DATABASE "{name}"')
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await connection.close()


async def until(action: Callable[[], Awaitable[object]], *, away: Callable[[BaseException], bool]) -> None:
    """Do `action` until it no longer fails with what `away` knows. Raises TimeoutError after a while."""
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                await action()
            except Exception as error:
                if not away(error):
                    raise
                await asyncio.sleep(0.2)
            else:
                return


# --- the embedded stack --------------------------------------------------------------------------------


class _Embedded:
    def __init__(self, part: Broker | Database) -> None:
        self._part = part

    @property
    def _process(self) -> Process:
        return self._part.process

    async def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    async def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        # PostgreSQL's backends are groups of their own, so the group of the first process is not all of it.
        os.killpg(self._process.pid, number)
        for pid in _descendants(self._process.pid):
            with suppress(ProcessLookupError):  # it ended meanwhile
                os.kill(pid, number)

    async def stop(self) -> None:
        await self._part.stop()

    async def kill(self) -> None:
        await self._part.kill()

    async def start(self) -> None:
        await self._part.start(START_SECONDS)

    async def remove(self) -> None:
        await self._part.kill()


def _descendants(pid: int) -> list[int]:
    children: list[int] = []
    with suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
        tasks = Path(f"/proc/{pid}/task").glob("*/children")
        children = [int(child) for task in tasks for child in task.read_text().split()]
    return [*children, *(grandchild for child in children for grandchild in _descendants(child))]


class _EmbeddedKafka(_Embedded):
    def __init__(self, broker: Broker) -> None:
        super().__init__(broker)
        self.bootstrap = broker.bootstrap


class _EmbeddedPostgres(_Embedded):
    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._database = database

    @property
    def url(self) -> str:
        return self._database.url(SUPERUSER)


async def _embedded_kafka(folder: Path) -> _EmbeddedKafka:
    layout = Layout()
    await ensure_jars(layout, Report())
    port, controller_port = free_ports(2)
    return _EmbeddedKafka(Broker(folder, port=port, controller_port=controller_port, jars=layout.jars))


def _embedded_postgres(folder: Path) -> _EmbeddedPostgres:
    return _EmbeddedPostgres(
        Database(folder / "data", port=free_ports(1)[0], secrets_directory=folder / "keys")
    )


# --- containers ----------------------------------------------------------------------------------------


class _Container(ABC):
    """A container on a port of the host chosen beforehand, which stays its own over a restart."""

    def __init__(self, container: DockerContainer) -> None:
        self._container = container
        self._made = False

    async def _do(self, action: str, **arguments: object) -> None:
        wrapped = self._container.get_wrapped_container()
        await asyncio.to_thread(getattr(wrapped, action), **arguments)

    async def pause(self) -> None:
        await self._do("pause")

    async def resume(self) -> None:
        await self._do("unpause")

    async def stop(self) -> None:
        await self._do("stop", timeout=20)

    async def kill(self) -> None:
        await self._do("kill")

    async def start(self) -> None:
        if self._made:
            await self._do("start")
        else:
            await asyncio.to_thread(self._container.start)
            self._made = True
        await self._answers()

    async def remove(self) -> None:
        if self._made:
            await asyncio.to_thread(self._container.stop)

    @abstractmethod
    async def _answers(self) -> None:
        """Returns once the server inside does."""


class _ContainerKafka(_Container):
    def __init__(self, container: DockerContainer, port: int) -> None:
        super().__init__(container)
        self.bootstrap = f"{HOST}:{port}"

    async def _answers(self) -> None:
        await until(lambda: apply(KafkaClient(bootstrap=self.bootstrap)), away=kafka_away)


class _ContainerPostgres(_Container):
    def __init__(self, container: DockerContainer, url: str) -> None:
        super().__init__(container)
        self.url = url

    async def _answers(self) -> None:
        async def connect() -> None:
            await (await asyncpg.connect(self.url, timeout=5)).close()

        await until(connect, away=postgres_away)


async def _container_kafka() -> _ContainerKafka:
    [port] = free_ports(1)
    container = DockerContainer("apache/kafka:4.3.1").with_bind_ports(9092, port)
    for name, value in {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        # The broker talks to itself to end transactions; the host's port does not lead there from inside.
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,BROKER://localhost:19092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{HOST}:{port},BROKER://localhost:19092",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "BROKER",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": ("CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,BROKER:PLAINTEXT"),
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_BROKER_SESSION_TIMEOUT_MS": "4000",
        "KAFKA_HEAP_OPTS": "-Xmx512m -Xms256m",
    }.items():
        container = container.with_env(name, value)
    return _ContainerKafka(container, port)


def _container_postgres() -> _ContainerPostgres:
    [port] = free_ports(1)
    container = (
        DockerContainer("postgres:18").with_bind_ports(5432, port).with_env("POSTGRES_PASSWORD", SUPERUSER)
    )
    return _ContainerPostgres(container, f"postgresql://{SUPERUSER}:{SUPERUSER}@{HOST}:{port}/postgres")
