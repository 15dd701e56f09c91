"""What Kafka keeps at this moment, read beside the consumer group."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import datetime

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from chassis.kafka import KafkaClient, leave
from contracts.envelope import InvalidMessage, decode
from contracts.events import EditionPublished
from contracts.topics import DIRECTORY, RATING_SUBMISSIONS, SEALED
from services.verification.adapters.submissions import GROUP

STEP_SECONDS = 20.0


class KafkaKept:
    """Each call connects anew. All raise OSError where Kafka does not answer."""

    def __init__(self, kafka: KafkaClient) -> None:
        self._kafka = kafka

    async def keeps_from_before(self, moment: datetime) -> bool:
        """Whether a submission, or a dead letter of one, is older than that."""
        async with self._consumer() as consumer, asyncio.timeout(STEP_SECONDS):
            where = _partitions(*(topic.name for topic in SEALED))
            begin, end = await consumer.beginning_offsets(where), await consumer.end_offsets(where)
            at = await consumer.offsets_for_times(dict.fromkeys(where, int(moment.timestamp() * 1000)))
            newer = {each: end[each] if found is None else found.offset for each, found in at.items()}
            return any(begin[each] < newer[each] for each in where)

    async def sealed_for(self, key_id: str) -> int:
        """How many submissions, codes and dead letters hold a box that only this key opens."""
        async with self._consumer() as consumer:
            where = _partitions(*(topic.name for topic in SEALED))
            async with asyncio.timeout(STEP_SECONDS):
                begin = await consumer.beginning_offsets(where)
            return await _count(consumer, begin, f'"{key_id}"')

    async def undecided(self, edition_id: str) -> int:
        """How many of the edition's submissions no worker has read yet."""
        async with self._consumer(group_id=GROUP) as consumer:
            where = _partitions(RATING_SUBMISSIONS.name)
            async with asyncio.timeout(STEP_SECONDS):
                begin = await consumer.beginning_offsets(where)
                read = {each: await consumer.committed(each) or 0 for each in where}
            return await _count(
                consumer, {each: max(read[each], begin[each]) for each in where}, f'"{edition_id}"'
            )

    async def published_key(self, edition_id: str) -> str | None:
        """The id of the key that intake seals an edition's numbers with; None where there is no edition."""
        async with self._consumer() as consumer:
            where = _partitions(DIRECTORY.name)
            async with asyncio.timeout(STEP_SECONDS):
                begin = await consumer.beginning_offsets(where)
            key_id = None
            async with aclosing(_records(consumer, begin)) as records:
                async for record in records:
                    if record.key == f"edition:{edition_id}".encode():
                        key_id = _key_id(record)
            return key_id

    @asynccontextmanager
    async def _consumer(self, **more: str) -> AsyncIterator[AIOKafkaConsumer]:
        # What an aborted transaction left is there as well, for whoever reads the topic.
        arguments = self._kafka.consumer_arguments("verification-kept") | {
            "isolation_level": "read_uncommitted"
        }
        consumer = AIOKafkaConsumer(**arguments, **more)
        try:
            async with asyncio.timeout(STEP_SECONDS):
                await consumer.start()
            yield consumer
        except (KafkaError, AssertionError) as error:  # the latter where no broker of a cluster lives
            raise ConnectionError(f"Kafka at {self._kafka.bootstrap}: {error!r}") from error
        finally:
            await leave(consumer)


def _partitions(*names: str) -> Sequence[TopicPartition]:
    topics = [*SEALED, DIRECTORY]
    return [
        TopicPartition(topic.name, number)
        for topic in topics
        if topic.name in names
        for number in range(topic.partitions)
    ]


async def _count(consumer: AIOKafkaConsumer, begin: Mapping[TopicPartition, int], text: str) -> int:
    count = 0
    async with aclosing(_records(consumer, begin)) as records:
        async for record in records:
            count += text.encode() in (record.value or b"")
    return count


async def _records(
    consumer: AIOKafkaConsumer, begin: Mapping[TopicPartition, int]
) -> AsyncGenerator[ConsumerRecord]:
    """From these offsets to the end as of now, partition by partition in its order."""
    async with asyncio.timeout(STEP_SECONDS):
        end = await consumer.end_offsets(list(begin))
    consumer.assign(list(begin))
    for each, offset in begin.items():
        consumer.seek(each, offset)
    for each, offset in begin.items():
        position = offset
        while position < end[each]:
            async with asyncio.timeout(STEP_SECONDS):
                found = await consumer.getmany(each, timeout_ms=200)
                position = await consumer.position(each)
            for record in found.get(each, ()):
                yield record


def _key_id(record: ConsumerRecord) -> str | None:
    try:
        event = decode(record.value, record.headers).data if record.value is not None else None
    except InvalidMessage:
        return None
    return event.sealing_key.key_id if isinstance(event, EditionPublished) else None
