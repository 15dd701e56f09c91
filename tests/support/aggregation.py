"""Aggregation as it runs: processes of its own, over a database that begins at the log's end."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from chassis.kafka import KafkaClient
from chassis.postgres import migrate
from contracts.envelope import Message, decode
from contracts.events import Outcome
from contracts.topics import RATING_OUTCOMES, Topic
from services.aggregation.domain import Level, Measure, Read, Scope, Tally, first_of_each, fold
from tests.support.outcomes import message

DEADLINE = 40.0
ROOT = Path(__file__).parents[2]
MIGRATIONS = ROOT / "services" / "aggregation" / "migrations"
PARTITIONS = [TopicPartition(RATING_OUTCOMES.name, n) for n in range(RATING_OUTCOMES.partitions)]


async def until(what: Callable[[], Awaitable[bool]], *, seconds: float = DEADLINE, why: str) -> float:
    """Wait for a condition; returns the seconds it took."""
    begun = time.monotonic()
    while not await what():
        assert time.monotonic() - begun < seconds, f"not within {seconds} s: {why}"
        await asyncio.sleep(0.02)
    return time.monotonic() - begun


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Process:
    """`python -m services.aggregation <command>`."""

    command: str
    environment: dict[str, str]
    log: Path
    port: int = field(default_factory=free_port)
    running: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> "Process":
        number = {"AGGREGATION_PORT": str(self.port), "AGGREGATION_WORKER_PORT": str(self.port)}
        with self.log.open("ab") as log:
            self.running = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "services.aggregation", self.command),
                env={**os.environ, **self.environment, **number},
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )
        return self

    async def ready(self) -> "Process":
        try:
            await until(self.is_ready, why=f"{self.command} ready")
        except AssertionError as error:
            raise AssertionError(f"{await self.checks()}\n{self.log.read_text()[-2000:]}") from error
        return self

    async def is_ready(self) -> bool:
        assert self.running is None or self.running.returncode is None, "it ended"
        return (await self.checks())[0] == 200

    async def checks(self) -> tuple[int, dict[str, Any]]:
        try:
            async with httpx.AsyncClient() as client:
                response = await client.get(f"{self.url}/readyz")
        except httpx.TransportError:
            return 0, {}
        return response.status_code, response.json()["checks"]

    async def ended(self, seconds: float = DEADLINE) -> int:
        assert self.running is not None
        return await asyncio.wait_for(self.running.wait(), seconds)

    async def kill(self) -> None:
        if self.running is not None and self.running.returncode is None:
            self.running.kill()
            await self.running.wait()

    async def leave(self) -> None:
        if self.running is not None and self.running.returncode is None:
            self.running.send_signal(signal.SIGCONT)
            self.running.terminate()
            try:
                await self.ended(8)
            except TimeoutError:
                await self.kill()

    async def terminate(self) -> tuple[int, float]:
        """SIGTERM; the exit code and how long it took."""
        assert self.running is not None
        begun = time.monotonic()
        self.running.terminate()
        return await self.ended(), time.monotonic() - begun


@dataclass
class Stage:
    bootstrap: str
    database_url: str
    database: asyncpg.Pool
    producer: AIOKafkaProducer
    folder: Path
    begun_at: dict[TopicPartition, int]
    processes: list[Process] = field(default_factory=list)

    def process(self, command: str, **environment: str) -> Process:
        made = Process(
            command,
            {
                "AGGREGATION_DATABASE_URL": self.database_url,
                "AGGREGATION_KAFKA_BOOTSTRAP": self.bootstrap,
                **environment,
            },
            self.folder / f"{command}-{len(self.processes)}.log",
        )
        self.processes.append(made)
        return made

    async def worker(self, **environment: str) -> Process:
        return await (await self.process("worker", **environment).start()).ready()

    async def api(self, **environment: str) -> Process:
        return await (await self.process("serve", **environment).start()).ready()

    async def send(self, outcomes: Iterable[Outcome]) -> None:
        await self.send_messages([message(outcome) for outcome in outcomes])

    async def send_messages(self, messages: Sequence[Message], topic: str = RATING_OUTCOMES.name) -> None:
        sent = [await self.producer.send(topic, m.value, m.key, headers=list(m.headers)) for m in messages]
        await asyncio.gather(*sent)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AIOKafkaProducer]:
        """A transactional producer, within a transaction."""
        producer = AIOKafkaProducer(
            **KafkaClient(bootstrap=self.bootstrap).producer_arguments("test"), transactional_id=str(uuid4())
        )
        await producer.start()
        try:
            await producer.begin_transaction()
            yield producer
        finally:
            await producer.stop()

    async def total(self) -> int:
        """Accepted ratings in the city, as the read model has them."""
        return int(
            await self.database.fetchval(
                "SELECT coalesce(sum(count), 0) FROM read_models.tally"
                " WHERE level = 'city' AND day = 'infinity' AND edition_id = '*' AND measure = 'answer'"
            )
        )

    async def counts(self, total: int, *, seconds: float = DEADLINE) -> float:
        async def reached() -> bool:
            try:
                return await self.total() >= total
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                return False

        return await until(reached, seconds=seconds, why=f"{total} counted")

    async def tallies(self) -> dict[Tally, int]:
        """Every figure of the read model."""
        rows = await self.database.fetch("SELECT * FROM read_models.tally")
        return {
            Tally(
                Scope(Level(row["level"]), row["scope_id"]),
                row["edition_id"],
                row["day"],
                Measure(row["measure"]),
                row["item"],
            ): row["count"]
            for row in rows
        }

    async def folded(self) -> dict[Tally, int]:
        """What the figures should be: the topic read anew, up to the checkpoints, and folded."""
        rows = await self.database.fetch("SELECT partition, next_offset FROM read_models.checkpoint")
        upto = {TopicPartition(RATING_OUTCOMES.name, row["partition"]): row["next_offset"] for row in rows}
        outcomes = first_of_each(
            Read(record.offset, 0, event)
            for record in await self.read(RATING_OUTCOMES, self.begun_at)
            if record.offset < upto[TopicPartition(record.topic, record.partition)]
            if (event := _outcome(record)) is not None
        )
        return dict(fold(outcomes.values()))

    async def read(self, topic: Topic, begin: dict[TopicPartition, int] | None = None) -> list[Any]:
        """All committed records of a topic, from `begin` on."""
        partitions = [TopicPartition(topic.name, n) for n in range(topic.partitions)]
        consumer = AIOKafkaConsumer(**KafkaClient(bootstrap=self.bootstrap).consumer_arguments("test"))
        await consumer.start()
        try:
            ends = await consumer.end_offsets(partitions)
            consumer.assign(partitions)
            for partition in partitions:
                consumer.seek(partition, (begin or {}).get(partition, 0))
            records = []
            while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
                for found in (await consumer.getmany(timeout_ms=100)).values():
                    records += found
        finally:
            await consumer.stop()
        return records


def _outcome(record: Any) -> Outcome | None:
    try:
        event = decode(record.value, record.headers).data
    except Exception:  # noqa: BLE001 - whatever cannot be read counts nothing
        return None
    return event if isinstance(event, Outcome) else None


@asynccontextmanager
async def a_stage(bootstrap: str, server: str, folder: Path) -> AsyncIterator[Stage]:
    """A database whose checkpoints are at the topic's end, so that only what the test sends counts."""
    name = f"aggregation_{uuid4().hex[:8]}"
    await _command(server, f"CREATE DATABASE {name}")
    url = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    await migrate(url, MIGRATIONS)
    producer = AIOKafkaProducer(**KafkaClient(bootstrap=bootstrap).producer_arguments("test"))
    await producer.start()
    pool = await asyncpg.create_pool(url, min_size=0, max_size=2)
    stage = Stage(bootstrap, url, pool, producer, folder, await _ends(bootstrap))
    await pool.executemany(
        "INSERT INTO read_models.checkpoint VALUES ($1, $2, $3)",
        [(tp.topic, tp.partition, offset) for tp, offset in stage.begun_at.items()],
    )
    try:
        yield stage
    finally:
        # A worker that leaves its group keeps the next test waiting for no session to end.
        await asyncio.gather(*(process.leave() for process in stage.processes))
        await producer.stop()
        pool.terminate()
        await _command(server, f"DROP DATABASE {name} WITH (FORCE)")


async def _command(server: str, command: str) -> None:
    # A connection kept open would not survive a test that takes the server away.
    connection = await asyncpg.connect(server)
    await connection.execute(command)
    await connection.close()


async def _ends(bootstrap: str) -> dict[TopicPartition, int]:
    consumer = AIOKafkaConsumer(**KafkaClient(bootstrap=bootstrap).consumer_arguments("test"))
    await consumer.start()
    try:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(PARTITIONS)
    finally:
        await consumer.stop()
    return ends


@dataclass
class Event:
    event: str
    id: int
    document: dict[str, Any]


@asynccontextmanager
async def live(url: str, *, after: int | None = None) -> AsyncIterator[AsyncIterator[Event]]:
    """A live stream's events."""
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    timeout = httpx.Timeout(DEADLINE)
    async with (
        httpx.AsyncClient(timeout=timeout) as client,
        client.stream("GET", url, headers=headers) as response,
    ):
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield _events(response)


async def _events(response: httpx.Response) -> AsyncIterator[Event]:
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
            continue
        if "data" in fields:
            yield Event(fields["event"], int(fields["id"]), json.loads(fields["data"]))
        fields = {}
