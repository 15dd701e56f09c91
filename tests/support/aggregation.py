"""Aggregation as it runs: processes of its own, over a database that begins at the log's end."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from chassis.kafka import KafkaClient
from chassis.postgres import migrate
from contracts.envelope import Message, decode
from contracts.events import Outcome, Publication
from contracts.topics import RATING_OUTCOMES, TOPICS, Topic
from services.aggregation.domain import Level, Measure, Read, Scope, Tally, first_of_each, fold
from tests.support.aggregation_process import DEADLINE, ROOT, Process, until
from tests.support.outcomes import message

MIGRATIONS = ROOT / "services" / "aggregation" / "migrations"
DEAD_LETTERS = next(topic for topic in TOPICS if topic.name == RATING_OUTCOMES.dead_letters)
PARTITIONS = [TopicPartition(RATING_OUTCOMES.name, n) for n in range(RATING_OUTCOMES.partitions)]
AT_ONCE = Publication(officer_batch=1, suppress_below=1)


@dataclass
class Stage:
    bootstrap: str
    database_url: str
    database: asyncpg.Pool
    producer: AIOKafkaProducer
    folder: Path
    begun_at: dict[TopicPartition, int]
    processes: list[Process] = field(default_factory=list)

    def process(self, command: str, *, module: str = "services.aggregation", **environment: str) -> Process:
        made = Process(
            command,
            {
                "AGGREGATION_DATABASE_URL": self.database_url,
                "AGGREGATION_KAFKA_BOOTSTRAP": self.bootstrap,
                **environment,
            },
            self.folder / f"{command}-{len(self.processes)}.log",
            module,
        )
        self.processes.append(made)
        return made

    async def worker(self, **environment: str) -> Process:
        return await (await self.process("worker", **environment).start()).ready()

    async def api(self, **environment: str) -> Process:
        return await (await self.process("serve", **environment).start()).ready()

    async def send(self, outcomes: Iterable[Outcome]) -> None:
        await self.send_messages([message(outcome) for outcome in outcomes])

    async def send_messages(
        self, messages: Sequence[Message], topic: str = RATING_OUTCOMES.name, partition: int | None = None
    ) -> list[int]:
        """Returns their offsets."""
        sent = [
            await self.producer.send(topic, m.value, m.key, partition, headers=list(m.headers))
            for m in messages
        ]
        return [where.offset for where in await asyncio.gather(*sent)]

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

    async def publication(self, policy: Publication, *editions: str) -> None:
        """As if the editions had been published with it before anybody rated."""
        await self.database.executemany(
            "INSERT INTO directory.publication VALUES ($1, $2, $3, $4) ON CONFLICT (edition_id) DO UPDATE SET"
            " officer_batch = excluded.officer_batch, officer_hour = excluded.officer_hour,"
            " suppress_below = excluded.suppress_below",
            [
                (each, policy.officer_batch, policy.officer_hour, policy.suppress_below)
                for each in editions or ("2017", "2018")
            ],
        )

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

    async def counts_exactly(self, outcomes: Sequence[Outcome]) -> None:
        """All of it, once: as many as were sent, and what an independent fold of the log says."""
        total = sum(outcome.NAME == "rating-accepted" for outcome in outcomes)
        await self.counts(total)
        await until(self.caught_up, why="the checkpoints at the end of the log")
        assert await self.total() == total
        assert await self.tallies() == await self.folded()

    async def caught_up(self) -> bool:
        rows = await self.database.fetch("SELECT partition, next_offset FROM read_models.checkpoint")
        last = {record.partition: record.offset for record in await self.read(RATING_OUTCOMES, self.begun_at)}
        return all(row["next_offset"] > last.get(row["partition"], -1) for row in rows)

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
    """A database whose checkpoints are at the topic's end, so that only what the test sends counts; all is
    public at once."""
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
    await stage.publication(AT_ONCE)
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
