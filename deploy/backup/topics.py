"""Topics of a cluster to files, and from files into the empty topics of another."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from chassis.kafka import KafkaClient, abandon, leave, start
from contracts.topics import DLT_SUFFIX, RATING_OUTCOMES, RATING_SUBMISSIONS, TOPICS, Topic
from deploy.backup import records
from deploy.backup.files import Manifest, Partition, Position, Unusable, described
from deploy.backup.records import Record
from deploy.backup.renumbering import At, Places, restored

GROUPS = ("verification",)  # aggregation's checkpoints are in its database, and it folds from the beginning
STEP_SECONDS = 30.0
AT_ONCE = 2_000

Told = Callable[[int], None]
"""Hears how many more are done."""


def effects_first(topics: Iterable[Topic]) -> list[Topic]:
    """In this order their ends are taken: then what caused a record that is kept is kept as well."""
    causes = [RATING_OUTCOMES, RATING_SUBMISSIONS]
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
    ) -> None:
        self._consumer = consumer
        self._begins, self._ends = begins, ends
        self.groups = groups

    @property
    def offsets(self) -> int:
        return sum(end - self._begins[at] for at, end in self._ends.items())

    async def take(self, folder: Path, told: Told) -> dict[str, tuple[Partition, ...]]:
        found: dict[str, list[Partition]] = {}
        for at in sorted(self._ends):
            path = folder / "topics" / f"{at.topic}-{at.partition}.jsonl.gz"
            position = self._begins[at]
            with records.Writer(path) as file:
                async for batch in _read(self._consumer, at, position, self._ends[at]):
                    for record in batch:
                        file.write(_record(record))
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
    async with _consumer(kafka) as consumer:
        positions = {group: await _positions(kafka, group, topics) for group in groups}
        begins: dict[TopicPartition, int] = {}
        ends: dict[TopicPartition, int] = {}
        for topic in effects_first(topics):
            where = await _partitions(consumer, topic)
            async with asyncio.timeout(STEP_SECONDS):
                ends |= await consumer.end_offsets(where)
                begins |= await consumer.beginning_offsets(where)
        yield Source(consumer, begins, ends, positions)


async def put_back(kafka: KafkaClient, folder: Path, manifest: Manifest, told: Told) -> int:
    """Write all records into the topics, which hold none, or the first of these: then it goes on after them.

    Afterwards reads all of it back and compares. Returns how many records there are. Raises Unusable, and
    outages of Kafka. `told` hears of each record twice.
    """
    places = {
        At(topic, number): Places(each.offset for each in records.read(folder / partition.file.name))
        for topic, partitions in manifest.topics.items()
        for number, partition in enumerate(partitions)
    }
    files = {
        At(topic, number): folder / partition.file.name
        for topic, partitions in manifest.topics.items()
        for number, partition in enumerate(partitions)
    }
    async with _consumer(kafka) as consumer:
        there = {at: await _compared(consumer, at, files[at], places, lambda _: None) for at in files}
        producer = AIOKafkaProducer(**kafka.producer_arguments("restore"), max_batch_size=900_000)
        try:
            await start(producer)
            for at, path in files.items():
                told(there[at])
                await _send(producer, at, _records(path, at, places, there[at]), told)
        finally:
            await abandon(producer)
        for at, path in files.items():
            found = await _compared(consumer, at, path, places, told)
            if found != len(places[at]):
                raise Unusable(f"{at.topic}-{at.partition} has {found} records instead of {len(places[at])}.")
    for group, positions in manifest.groups.items():
        await _commit(kafka, group, positions, places)
    return sum(len(each) for each in places.values())


async def _send(producer: AIOKafkaProducer, at: At, left: Iterable[Record], told: Told) -> None:
    sent: list[asyncio.Future[object]] = []
    for record in left:
        sent.append(
            await producer.send(
                at.topic,
                record.value,
                record.key,
                at.partition,
                timestamp_ms=record.timestamp,
                headers=list(record.headers),
            )
        )
        if len(sent) == AT_ONCE:
            await _kept(sent, told)
            sent = []
    await _kept(sent, told)


async def _kept(sent: Sequence["asyncio.Future[object]"], told: Told) -> None:
    await asyncio.gather(*sent)
    told(len(sent))


async def _compared(
    consumer: AIOKafkaConsumer, at: At, path: Path, places: Mapping[At, Places], told: Told
) -> int:
    """How many of the backup's records are there. Some of the first may be gone: those too old for the topic,
    and of a compacted one those that a later record replaced. Raises Unusable where another record is there.
    """
    where = TopicPartition(*at)
    async with asyncio.timeout(STEP_SECONDS):
        begin = (await consumer.beginning_offsets([where]))[where]
        end = (await consumer.end_offsets([where]))[where]
    wanted = _records(path, at, places, 0)
    passed = 0
    async for batch in _read(consumer, where, begin, end):
        for record in batch:
            same = next((each for each in wanted if each.offset == record.offset), None)
            if same != _record(record):
                raise Unusable(
                    f"{at.topic}-{at.partition} holds at {record.offset} what is not the backup's:"
                    " restore into empty topics."
                )
        told(batch[-1].offset + 1 - passed)
        passed = batch[-1].offset + 1
    told(end - passed)
    return int(end)


def _records(path: Path, at: At, places: Mapping[At, Places], first: int) -> Iterable[Record]:
    return (restored(each, at, places) for number, each in enumerate(records.read(path)) if number >= first)


async def _commit(
    kafka: KafkaClient, group: str, positions: Iterable[Position], places: Mapping[At, Places]
) -> None:
    where = {
        TopicPartition(each.topic, each.partition): OffsetAndMetadata(
            places[At(each.topic, each.partition)].next_offset(each.next_offset), each.metadata
        )
        for each in positions
        if At(each.topic, each.partition) in places
    }
    async with _consumer(kafka, group_id=group) as consumer, asyncio.timeout(STEP_SECONDS):
        consumer.assign(list(where))
        await consumer.commit(where)


async def _positions(kafka: KafkaClient, group: str, topics: Sequence[Topic]) -> tuple[Position, ...]:
    async with _consumer(kafka, group_id=group) as consumer, asyncio.timeout(STEP_SECONDS):
        where = [at for topic in topics for at in await _partitions(consumer, topic)]
        consumer.assign(where)
        # The public `committed` hides the metadata.
        found = await consumer._coordinator.fetch_committed_offsets(where)
    return tuple(
        Position(topic=at.topic, partition=at.partition, next_offset=said.offset, metadata=said.metadata)
        for at, said in sorted(found.items())
    )


async def _read(
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
            " python -m deploy.local topics makes those that are missing."
        )
    return [TopicPartition(topic.name, number) for number in sorted(numbers)]


@asynccontextmanager
async def _consumer(kafka: KafkaClient, **more: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(**kafka.consumer_arguments("backup"), **more)
    try:
        await start(consumer)
        yield consumer
    finally:
        await leave(consumer)


def _record(found: ConsumerRecord) -> Record:
    return Record(found.offset, found.timestamp, found.key, found.value, tuple(found.headers))
