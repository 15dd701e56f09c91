"""Partitions read from their beginning to their end as it is now, one after the other, outside any group."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from contracts.topics import Topic

STEP_SECONDS = 20.0
LOOK_MS = 200
AT_ONCE = 2_000


class Batch(NamedTuple):
    """`records` may be none; `went_on` is by how many offsets, of which some hold no record."""

    partition: int
    records: Sequence[ConsumerRecord]
    went_on: int


def partitions(*topics: Topic) -> list[TopicPartition]:
    """As many as the catalogue says."""
    return [TopicPartition(topic.name, number) for topic in topics for number in range(topic.partitions)]


async def bounds(
    consumer: AIOKafkaConsumer, where: Sequence[TopicPartition]
) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
    """The first offsets, and those that come next. Raises outages of Kafka."""
    async with asyncio.timeout(STEP_SECONDS):
        return await consumer.beginning_offsets(where), await consumer.end_offsets(where)


async def extent(consumer: AIOKafkaConsumer, where: Sequence[TopicPartition]) -> int:
    """How many offsets there are to go. Raises outages of Kafka."""
    begin, end = await bounds(consumer, where)
    return sum(end[at] - begin[at] for at in where)


async def batches(consumer: AIOKafkaConsumer, where: Sequence[TopicPartition]) -> AsyncGenerator[Batch]:
    """Raises outages of Kafka."""
    begin, end = await bounds(consumer, where)
    for at in where:
        consumer.assign([at])
        consumer.seek(at, begin[at])
        position = begin[at]
        while position < end[at]:
            async with asyncio.timeout(STEP_SECONDS):
                found = await consumer.getmany(at, timeout_ms=LOOK_MS, max_records=AT_ONCE)
                before, position = position, await consumer.position(at)
            records = [record for record in found.get(at, ()) if record.offset < end[at]]
            yield Batch(at.partition, records, position - before)
