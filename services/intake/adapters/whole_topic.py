"""A topic of one partition from its beginning to its end, outside any consumer group.

Everything here raises outages of Kafka, and TimeoutError where nothing moves for `STEP_SECONDS`.
"""

import asyncio

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from chassis import kafka
from chassis.kafka import KafkaClient

STEP_SECONDS = 10.0
LOOK_MS = 1_000


async def start(client: KafkaClient, name: str, at: TopicPartition) -> AIOKafkaConsumer:
    """A consumer that stands at the beginning. Leaving it is the caller's."""
    consumer = AIOKafkaConsumer(**{**client.follower_arguments(name), "auto_offset_reset": "none"})
    try:
        await kafka.start(consumer)
        async with asyncio.timeout(STEP_SECONDS):
            consumer.assign([at])
            await consumer.seek_to_beginning(at)
    except BaseException:
        await kafka.leave(consumer)
        raise
    return consumer


async def to_the_end(consumer: AIOKafkaConsumer, at: TopicPartition) -> list[ConsumerRecord]:
    """What the topic holds from the consumer's position to its end as it is now."""
    records: list[ConsumerRecord] = []
    end = await end_of(consumer, at)
    async with asyncio.timeout(STEP_SECONDS) as deadline:
        # The position goes past transaction markers and what compaction took; offsets would not.
        while await consumer.position(at) < end:
            found = (await consumer.getmany(at, timeout_ms=LOOK_MS, max_records=5000)).get(at, [])
            records += found
            if found:  # however long the topic is, it must only go on
                deadline.reschedule(asyncio.get_running_loop().time() + STEP_SECONDS)
    return records


async def end_of(consumer: AIOKafkaConsumer, at: TopicPartition) -> int:
    async with asyncio.timeout(STEP_SECONDS):
        return int((await consumer.end_offsets([at]))[at])
