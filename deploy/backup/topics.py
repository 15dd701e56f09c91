"""Topics of a cluster to files."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from chassis.kafka import KafkaClient, leave, start
from chassis.topic_settings import admin, retention_of
from contracts.topics import DIRECTORY, DLT_SUFFIX, RATING_OUTCOMES, RATING_SUBMISSIONS, SEALED, TOPICS, Topic
from deploy.backup import records
from deploy.backup.files import Partition, Position, Unusable, described
from deploy.backup.records import Record

GROUPS = ("verification",)  # aggregation's checkpoints are in its database, and it folds from the beginning
STEP_SECONDS = 30.0
AT_ONCE = 2_000

Told = Callable[[int], None]
"""Hears how many more are done."""


def effects_first(topics: Iterable[Topic]) -> list[Topic]:
    """In this order their ends are taken: then what caused a record that is kept is kept as well, and who
    changed the directory."""
    causes = [RATING_OUTCOMES, RATING_SUBMISSIONS, DIRECTORY]
    return sorted(
        topics,
        key=lambda topic: (
            not topic.name.endswith(DLT_SUFFIX),
            causes.index(topic) if topic in causes else len(causes),
        ),
    )


class Source:
    """What there is to take, as of the moment it was opened."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        begins: Mapping[TopicPartition, int],
        ends: Mapping[TopicPartition, int],
        groups: Mapping[str, tuple[Position, ...]],
        retention_ms: Mapping[str, int],
    ) -> None:
        self._consumer = consumer
        self._begins, self._ends = begins, ends
        self.groups = groups
        self.retention_ms = retention_ms

    @property
    def offsets(self) -> int:
        return sum(end - self._begins[at] for at, end in self._ends.items())

    async def take(self, folder: Path, told: Told) -> dict[str, tuple[Partition, ...]]:
        found: dict[str, list[Partition]] = {}
        for at in sorted(self._ends):
            path = folder / "topics" / f"{at.topic}-{at.partition}.jsonl.gz"
            position = self._begins[at]
            with records.Writer(path) as file:
                async for batch in read(self._consumer, at, position, self._ends[at]):
                    for record in batch:
                        file.write(as_kept(record))
                    told(batch[-1].offset + 1 - position)
                    position = batch[-1].offset + 1
            told(self._ends[at] - position)
            written = Partition(file=described(folder, path), records=file.count, ends=self._ends[at])
            found.setdefault(at.topic, []).append(written)
        return {topic: tuple(partitions) for topic, partitions in found.items()}


@asynccontextmanager
async def source(
    kafka: KafkaClient, topics: Sequence[Topic] = TOPICS, groups: Sequence[str] = GROUPS
) -> AsyncIterator[Source]:
    """Committed records alone. Raises outages of Kafka, and Unusable where it lacks a topic."""
    async with admin(kafka, "backup") as client:
        retention_ms = await retention_of(client, [topic for topic in SEALED if topic in topics])
    async with reading(kafka) as consumer:
        positions = {group: await _positions(kafka, group, topics) for group in groups}
        begins: dict[TopicPartition, int] = {}
        ends: dict[TopicPartition, int] = {}
        for topic in effects_first(topics):
            where = await _partitions(consumer, topic)
            async with asyncio.timeout(STEP_SECONDS):
                ends |= await consumer.end_offsets(where)
                begins |= await consumer.beginning_offsets(where)
        yield Source(consumer, begins, ends, positions, retention_ms)


async def _positions(kafka: KafkaClient, group: str, topics: Sequence[Topic]) -> tuple[Position, ...]:
    async with reading(kafka, group_id=group) as consumer, asyncio.timeout(STEP_SECONDS):
        where = [at for topic in topics for at in await _partitions(consumer, topic)]
        consumer.assign(where)
        # The public `committed` hides the metadata.
        found = await consumer._coordinator.fetch_committed_offsets(where)
    return tuple(
        Position(topic=at.topic, partition=at.partition, next_offset=said.offset, metadata=said.metadata)
        for at, said in sorted(found.items())
    )


async def read(
    consumer: AIOKafkaConsumer, at: TopicPartition, begin: int, end: int
) -> AsyncGenerator[Sequence[ConsumerRecord]]:
    consumer.assign([at])
    consumer.seek(at, begin)
    position = begin
    while position < end:
        async with asyncio.timeout(STEP_SECONDS):
            found = await consumer.getmany(at, timeout_ms=200, max_records=AT_ONCE)
            # It goes past the ends of transactions and what compaction took, too.
            position = await consumer.position(at)
        batch = [record for record in found.get(at, ()) if record.offset < end]
        if batch:
            yield batch


async def _partitions(consumer: AIOKafkaConsumer, topic: Topic) -> list[TopicPartition]:
    async with asyncio.timeout(STEP_SECONDS):
        numbers = (await consumer._client.fetch_all_metadata()).partitions_for_topic(topic.name)
    if numbers is None or len(numbers) != topic.partitions:
        raise Unusable(
            f"{topic.name} has {len(numbers or ())} partitions here, the catalogue says {topic.partitions}:"
            " python -m chassis.topics makes those that are missing."
        )
    return [TopicPartition(topic.name, number) for number in sorted(numbers)]


@asynccontextmanager
async def reading(kafka: KafkaClient, **more: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(**kafka.consumer_arguments("backup"), **more)
    try:
        await start(consumer)
        yield consumer
    finally:
        await leave(consumer)


def as_kept(found: ConsumerRecord) -> Record:
    return Record(found.offset, found.timestamp, found.key, found.value, tuple(found.headers))
