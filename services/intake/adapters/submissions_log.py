"""The topic of submissions from its beginning to its end as it is now, outside any consumer group."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer

from chassis import kafka, whole_log
from chassis.kafka import KafkaClient
from contracts.envelope import InvalidMessage, decode
from contracts.events import RatingSubmitted, RatingVoidRequested
from contracts.topics import RATING_SUBMISSIONS

PARTITIONS = whole_log.partitions(RATING_SUBMISSIONS)


class KafkaSubmissionsLog:
    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def extent(self) -> int:
        return await whole_log.extent(self._consumer, PARTITIONS)

    async def events(self) -> AsyncIterator[tuple[int, Sequence[RatingSubmitted | RatingVoidRequested]]]:
        async for batch in whole_log.batches(self._consumer, PARTITIONS):
            events = (_read(record.value, tuple(record.headers)) for record in batch.records)
            yield batch.went_on, [event for event in events if event is not None]


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
