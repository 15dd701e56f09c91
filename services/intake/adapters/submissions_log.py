"""The topic of submissions from its beginning to its end as it is now, outside any consumer group."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis import kafka
from chassis.kafka import KafkaClient
from contracts.envelope import InvalidMessage, decode
from contracts.events import RatingSubmitted, RatingVoidRequested
from contracts.topics import RATING_SUBMISSIONS

PARTITIONS = [
    TopicPartition(RATING_SUBMISSIONS.name, number) for number in range(RATING_SUBMISSIONS.partitions)
]
STEP_SECONDS = 20.0
AT_ONCE = 2_000


class KafkaSubmissionsLog:
    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def extent(self) -> int:
        begin, end = await self._bounds()
        return sum(end[at] - begin[at] for at in PARTITIONS)

    async def events(self) -> AsyncIterator[tuple[int, Sequence[RatingSubmitted | RatingVoidRequested]]]:
        begin, end = await self._bounds()
        for at in PARTITIONS:
            self._consumer.assign([at])
            self._consumer.seek(at, begin[at])
            position = begin[at]
            while position < end[at]:
                async with asyncio.timeout(STEP_SECONDS):
                    found = await self._consumer.getmany(at, timeout_ms=200, max_records=AT_ONCE)
                    before, position = position, await self._consumer.position(at)
                yield (
                    position - before,
                    [
                        event
                        for record in found.get(at, ())
                        if (event := _read(record.value, tuple(record.headers))) is not None
                    ],
                )

    async def _bounds(self) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
        async with asyncio.timeout(STEP_SECONDS):
            return (
                await self._consumer.beginning_offsets(PARTITIONS),
                await self._consumer.end_offsets(PARTITIONS),
            )


@asynccontextmanager
async def submissions_log(client: KafkaClient) -> AsyncIterator[KafkaSubmissionsLog]:
    """Raises outages of Kafka."""
    consumer = AIOKafkaConsumer(**client.consumer_arguments("intake-void"))
    try:
        await kafka.start(consumer)
        yield KafkaSubmissionsLog(consumer)
    finally:
        await kafka.leave(consumer)


def _read(
    value: bytes | None, headers: tuple[tuple[str, bytes], ...]
) -> RatingSubmitted | RatingVoidRequested | None:
    """None for anything else; verification buries what cannot be read."""
    try:
        event = decode(value, headers).data
    except InvalidMessage:
        return None
    return event if isinstance(event, RatingSubmitted | RatingVoidRequested) else None
