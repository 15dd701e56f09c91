"""Topics out of files, into the empty topics of a cluster."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalGenerationError, UnknownMemberIdError
from aiokafka.structs import OffsetAndMetadata

from chassis.kafka import KafkaClient, abandon, start
from chassis.topic_settings import RETENTION, admin, configure
from contracts.topics import TOPICS
from deploy.backup import records
from deploy.backup.files import Manifest, Position, Unusable
from deploy.backup.records import Record
from deploy.backup.renumbering import At, Places, restored
from deploy.backup.topics import AT_ONCE, STEP_SECONDS, Told, as_kept, read, reading

_MEMBERS = (CommitFailedError, IllegalGenerationError, UnknownMemberIdError)


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
    async with reading(kafka) as consumer:
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
    await _keep_as_long(kafka, manifest.retention_ms)
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
    async for batch in read(consumer, where, begin, end):
        for record in batch:
            same = next((each for each in wanted if each.offset == record.offset), None)
            if same != as_kept(record):
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
    if not where:
        return
    async with reading(kafka, group_id=group) as consumer, asyncio.timeout(STEP_SECONDS):
        consumer.assign(list(where))
        try:
            await consumer.commit(where)
        except _MEMBERS as error:
            raise Unusable(f"Workers of {group} are running: stop them, and run it again.") from error


async def _keep_as_long(kafka: KafkaClient, retention_ms: Mapping[str, int]) -> None:
    """An edition may have asked for less than the catalogue says."""
    settings = {
        topic.name: topic.config | {RETENTION: str(retention_ms[topic.name])}
        for topic in TOPICS
        if topic.name in retention_ms
    }
    async with admin(kafka, "restore") as client:
        await configure(client, settings)
