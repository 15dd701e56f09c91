"""The topic of outcomes, read from one offset to another, outside any consumer group."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis import kafka
from chassis.kafka import KafkaClient
from contracts.topics import RATING_OUTCOMES
from services.aggregation.folding import Received
from services.aggregation.rebuilding import Offsets

RECORDS_A_BATCH = 5_000
LOOK_MS = 1_000
ANSWER_SECONDS = 10.0


class OutcomeLog:
    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def begins(self, partitions: Sequence[int]) -> Offsets:
        async with asyncio.timeout(ANSWER_SECONDS):
            found = await self._consumer.beginning_offsets([_of(each) for each in partitions])
        return {at.partition: offset for at, offset in found.items()}

    async def between(self, begins: Offsets, ends: Offsets) -> AsyncIterator[Sequence[Received]]:
        left = {_of(each) for each in ends if begins[each] < ends[each]}
        follows = dict(begins)
        if left:
            self._consumer.assign(left)
        for at in left:
            self._consumer.seek(at, begins[at.partition])
        while left:
            found = await self._consumer.getmany(*left, timeout_ms=LOOK_MS, max_records=RECORDS_A_BATCH)
            batch = []
            for at, records in found.items():
                for record in records:
                    if record.offset >= ends[at.partition]:
                        break
                    before, follows[at.partition] = follows[at.partition], record.offset + 1
                    headers = tuple(record.headers)
                    batch.append(
                        Received(at.partition, record.offset, before, record.key, record.value, headers)
                    )
            if batch:
                yield batch
            elif not found:
                await self.begins(sorted(ends))  # the consumer itself would wait for a lost broker in silence
            # A position goes past what holds no records, too.
            left = {at for at in left if await self._consumer.position(at) < ends[at.partition]}


@asynccontextmanager
async def outcome_log(client: KafkaClient) -> AsyncIterator[OutcomeLog]:
    """Raises outages of Kafka."""
    consumer = AIOKafkaConsumer(**client.consumer_arguments("aggregation-rebuild"))
    try:
        await kafka.start(consumer)
        yield OutcomeLog(consumer)
    finally:
        await kafka.leave(consumer)


def _of(partition: int) -> TopicPartition:
    return TopicPartition(RATING_OUTCOMES.name, partition)
