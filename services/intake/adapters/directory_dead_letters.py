"""The dead letters of the directory.

A compacted topic shows an unreadable message again at every start of every replica; one letter is enough.
"""

from collections.abc import Sequence
from datetime import datetime

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from chassis import kafka
from chassis.kafka import KafkaClient
from contracts.dead_letters import dead_letter
from contracts.envelope import InvalidMessage
from contracts.topics import DIRECTORY

AT = TopicPartition(DIRECTORY.dead_letters, 0)
Unreadable = tuple[ConsumerRecord, InvalidMessage]


async def bury(
    client: KafkaClient, unreadable: Sequence[Unreadable], *, at: datetime
) -> list[InvalidMessage]:
    """Write a dead letter for each that has none yet. Returns why, for those written.

    Raises outages of Kafka. Uses clients of its own, so that trouble here never touches ratings.
    """
    there = await _buried(client)
    new = [
        (record, error)
        for record, error in unreadable
        if (str(record.offset).encode(), record.key or b"", record.value) not in there
    ]
    if not new:
        return []
    producer = AIOKafkaProducer(**client.producer_arguments("intake-directory-dlt"))
    try:
        await kafka.start(producer)
        for record, error in new:
            letter = dead_letter(
                key=record.key,
                value=record.value,
                headers=record.headers,
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                error=error,
                at=at,
            )
            await producer.send_and_wait(AT.topic, letter.value, key=letter.key, headers=list(letter.headers))
    finally:
        await kafka.abandon(producer)
    return [error for _, error in new]


async def _buried(client: KafkaClient) -> set[tuple[bytes | None, bytes, bytes | None]]:
    """Offset, key and value of every letter there is."""
    consumer = AIOKafkaConsumer(**client.consumer_arguments("intake-directory-dlt"))
    found: set[tuple[bytes | None, bytes, bytes | None]] = set()
    try:
        await kafka.start(consumer)
        consumer.assign([AT])
        end = (await consumer.end_offsets([AT]))[AT]
        await consumer.seek_to_beginning(AT)
        while await consumer.position(AT) < end:
            for record in (await consumer.getmany(AT, timeout_ms=1000)).get(AT, []):
                offset = dict(record.headers).get("dlt_offset")
                found.add((offset, record.key or b"", record.value))
    finally:
        await kafka.leave(consumer)
    return found
