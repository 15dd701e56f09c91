"""Topics and databases to files and back, on real servers."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import OffsetAndMetadata

from chassis.kafka import KafkaClient, is_outage
from chassis.postgres import migrate
from chassis.topics import apply
from contracts.topics import DIRECTORY, RATING_OUTCOMES, Topic
from deploy.backup import databases, files, filling, topics
from deploy.backup.files import Manifest, Unusable
from deploy.local.layout import CHECKOUT
from deploy.local.postgres import binaries
from tests.support import stack

NOW = datetime.now(UTC)


class Log:
    """A topic of its own for each test, and a group that reads it."""

    def __init__(self, client: KafkaClient, topic: Topic) -> None:
        self.client, self.topic = client, topic
        self.group = f"{topic.name}-readers"

    async def make(self) -> None:
        async def made() -> None:
            await apply(self.client, topics=(self.topic,))
            async with AIOKafkaProducer(**self.client.producer_arguments("test")) as producer:
                if await producer.partitions_for(self.topic.name) != {0, 1}:
                    raise ConnectionError("not there yet")

        await stack.until(made, away=is_outage)

    async def remove(self) -> None:
        client = AIOKafkaAdminClient(**self.client.arguments("test"))
        await client.start()
        try:
            await client.delete_topics([self.topic.name])
            while self.topic.name in await client.list_topics():
                await asyncio.sleep(0.05)
        finally:
            await client.close()

    async def write(self, name: str, *values: bytes | None, partition: int = 0, abort: bool = False) -> None:
        """In a transaction, whose end takes an offset as well."""
        producer = AIOKafkaProducer(
            **self.client.producer_arguments("test"), transactional_id=f"{self.topic.name}-{name}"
        )
        async with producer:
            await producer.begin_transaction()
            for number, value in enumerate(values):
                await producer.send_and_wait(
                    self.topic.name,
                    value,
                    f"{name}-{number}".encode(),
                    partition,
                    timestamp_ms=int((NOW - timedelta(days=number)).timestamp() * 1000),
                    headers=[("ce_id", name.encode()), ("empty", b"")],
                )
            await (producer.abort_transaction() if abort else producer.commit_transaction())

    async def commit(self, partition: int, offset: int, metadata: str) -> None:
        where = TopicPartition(self.topic.name, partition)
        async with self._consumer(group_id=self.group) as consumer:
            consumer.assign([where])
            await consumer.commit({where: OffsetAndMetadata(offset, metadata)})

    async def committed(self, partition: int) -> tuple[int, str]:
        where = TopicPartition(self.topic.name, partition)
        async with self._consumer(group_id=self.group) as consumer:
            consumer.assign([where])
            found = (await consumer._coordinator.fetch_committed_offsets([where]))[where]
            return found.offset, found.metadata

    async def records(self) -> list[tuple[object, ...]]:
        where = [TopicPartition(self.topic.name, number) for number in range(2)]
        found: list[tuple[object, ...]] = []
        async with self._consumer() as consumer:
            for at in where:
                consumer.assign([at])
                consumer.seek(at, 0)
                end = (await consumer.end_offsets([at]))[at]
                while await consumer.position(at) < end:
                    found += [
                        (at.partition, each.key, each.value, each.timestamp, each.headers)
                        for each in (await consumer.getmany(at, timeout_ms=200)).get(at, [])
                    ]
        return found

    def _consumer(self, **more: str) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(**self.client.consumer_arguments("test"), **more)

    async def take(self, folder: Path) -> Manifest:
        async with topics.source(self.client, [self.topic], [self.group]) as source:
            taken = await source.take(folder, lambda _: None)
            return Manifest(taken_at=NOW, topics=taken, groups=dict(source.groups))

    async def put_back(self, folder: Path, manifest: Manifest) -> int:
        return await filling.put_back(self.client, folder, manifest, lambda _: None)


@pytest.fixture(params=[RATING_OUTCOMES, DIRECTORY], ids=["kept", "compacted"])
async def log(kafka_bootstrap: str, request: pytest.FixtureRequest) -> AsyncIterator[Log]:
    topic = replace(request.param, name=f"backup-{uuid4().hex[:8]}", partitions=2)
    log = Log(KafkaClient(bootstrap=kafka_bootstrap), topic)
    await log.make()
    yield log
    await log.remove()


async def test_what_was_committed_comes_back_in_its_order_and_its_partition_and_nothing_else(
    log: Log, tmp_path: Path
) -> None:
    await log.write("a", b"1", None, "Hài lòng".encode())
    await log.write("gone", b"never", abort=True)
    await log.write("b", b"2", b"3")
    await log.write("c", b"4", partition=1)
    await log.commit(0, 7, "expiries=3")  # two records of `a`, one of `b` and the marks between are read
    before = await log.records()
    manifest = await log.take(tmp_path)
    assert [each.records for each in manifest.topics[log.topic.name]] == [5, 1]
    files.check(tmp_path, manifest, lambda _: None)

    await log.remove()
    await log.make()
    assert await log.put_back(tmp_path, manifest) == 6

    assert await log.records() == before
    assert await log.committed(0) == (4, "expiries=3")
    assert await log.put_back(tmp_path, manifest) == 6  # and again, to no harm
    assert await log.records() == before


async def test_a_restore_that_was_broken_off_goes_on_and_anything_else_there_is_refused(
    log: Log, tmp_path: Path
) -> None:
    await log.write("a", b"1", b"2", b"3")
    manifest = await log.take(tmp_path)
    before = await log.records()
    await log.remove()
    await log.make()
    async with AIOKafkaProducer(**log.client.producer_arguments("test")) as producer:
        _, key, value, timestamp, headers = before[0]
        await producer.send_and_wait(
            log.topic.name,
            value,
            key,
            0,
            timestamp_ms=timestamp,
            headers=list(headers),  # type: ignore[call-overload]
        )
        await log.put_back(tmp_path, manifest)
        assert await log.records() == before
        await producer.send_and_wait(log.topic.name, b"another's", b"k", 1)
    with pytest.raises(Unusable, match="what is not the backup's"):
        await log.put_back(tmp_path, manifest)


async def test_a_database_comes_back_whole_into_an_empty_one_and_its_read_models_empty(
    postgres: str, tmp_path: Path
) -> None:
    mark = uuid4().hex[:8]
    async with (
        stack.own_database(postgres, f"backup_{mark}") as url,
        stack.own_database(postgres, f"restored_{mark}") as to,
    ):
        await migrate(url, CHECKOUT / "services" / "aggregation" / "migrations")
        connection = await asyncpg.connect(url)
        await connection.execute(
            "INSERT INTO read_models.checkpoint VALUES ('rating-outcomes', 0, 4711);"
            "UPDATE read_models.revision SET value = 42;"
            "INSERT INTO directory.publication VALUES ('2017', 7, 17, 3);"
            "CREATE SCHEMA read_models_next; CREATE TABLE read_models_next.checkpoint (next_offset bigint)"
        )
        await connection.close()
        file = await databases.take(tmp_path, "aggregation", url, binaries())
        path = tmp_path / file.name
        assert path.stat().st_mode & 0o777 == 0o600
        await databases.put_back(path, "aggregation", to, binaries())
        await databases.empty_read_models(to)

        restored = await asyncpg.connect(to)
        assert await restored.fetchval("SELECT count(*) FROM read_models.checkpoint") == 0
        assert await restored.fetchval("SELECT value FROM read_models.revision") == 43
        assert await restored.fetchval("SELECT officer_batch FROM directory.publication") == 7
        assert await restored.fetchval("SELECT to_regclass('read_models_next.checkpoint')") is None
        await restored.close()
        assert await migrate(to, CHECKOUT / "services" / "aggregation" / "migrations") == []
        with pytest.raises(Unusable, match="is not empty"):
            await databases.put_back(path, "aggregation", to, binaries())
        with pytest.raises(Unusable, match="pg_dump is not there"):
            await databases.take(tmp_path, "other", url, tmp_path)
