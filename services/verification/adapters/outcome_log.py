"""Outcomes, dead letters and consumed offsets, written in one Kafka transaction.

Each partition of `rating-submissions` has its own transactional id: whoever starts a producer with it fences
every earlier one, so a worker that lost the partition without noticing cannot commit any more.
"""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    DuplicateSequenceNumber,
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    InvalidTxnState,
    KafkaError,
    OutOfOrderSequenceNumber,
    ProducerFenced,
    UnknownProducerId,
)
from aiokafka.structs import OffsetAndMetadata

from chassis.kafka import KafkaClient, abandon, is_outage
from chassis.logs import logger
from contracts.envelope import Message
from contracts.topics import RATING_OUTCOMES, RATING_SUBMISSIONS
from services.verification.ports import Committed, Lost, Torn

log = logger(__name__)
START_SECONDS = 10.0
COMMIT_SECONDS = 10.0
_EXPIRIES = "expiries="
_FENCED = (ProducerFenced, InvalidProducerEpoch, InvalidProducerIdMapping, InvalidTxnState)
_UNSURE = (OutOfOrderSequenceNumber, DuplicateSequenceNumber, UnknownProducerId)


def expiries_of(metadata: str) -> int:
    """The round of expiries told last, kept beside the committed offset; 0 where an operator set that."""
    return int(metadata.removeprefix(_EXPIRIES)) if metadata.startswith(_EXPIRIES) else 0


class KafkaOutcomeLog:
    def __init__(self, producer: AIOKafkaProducer, partition: int, group: str) -> None:
        self._producer = producer
        self._partition = partition
        self._group = group

    @classmethod
    async def open(cls, kafka: KafkaClient, partition: int, group: str) -> "KafkaOutcomeLog":
        """Fence all earlier ones of this partition. Raises outages."""
        name = f"verification-{RATING_SUBMISSIONS.name}-{partition}"
        producer = AIOKafkaProducer(
            **kafka.producer_arguments(name),
            transactional_id=name,
            transaction_timeout_ms=30_000,
            max_batch_size=900_000,  # a whole batch's outcomes for a partition in one request
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                await producer.start()
        except BaseException as error:
            await abandon(producer)
            if isinstance(error, AssertionError):  # how aiokafka meets a cluster without a living broker
                raise ConnectionError(str(error)) from error
            raise
        return cls(producer, partition, group)

    async def commit(
        self, outcomes: Sequence[Message], dead_letters: Sequence[Message], upto: Committed
    ) -> None:
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await self._producer.begin_transaction()
                sends = [await self._send(RATING_OUTCOMES.name, each) for each in outcomes]
                sends += [await self._send(RATING_SUBMISSIONS.dead_letters, each) for each in dead_letters]
                if sends:
                    # Committing would not notice that one of them failed.
                    await asyncio.gather(*sends)
                where = TopicPartition(RATING_SUBMISSIONS.name, self._partition)
                metadata = f"{_EXPIRIES}{upto.expiries}"
                await self._producer.send_offsets_to_transaction(
                    {where: OffsetAndMetadata(upto.next_offset, metadata)}, self._group
                )
                await self._producer.commit_transaction()
        except _FENCED as error:
            raise Lost(f"partition {self._partition}: {error!r}") from error
        except Exception as error:
            # A bare KafkaError is how the producer says that its sending task broke off.
            if is_outage(error) or isinstance(error, _UNSURE) or _may_pass(error):
                raise Torn(f"partition {self._partition}: {error!r}") from error
            raise

    async def _send(self, topic: str, message: Message) -> "asyncio.Future[object]":
        future: asyncio.Future[object] = await self._producer.send(
            topic, message.value, key=message.key, headers=list(message.headers)
        )
        return future

    async def close(self) -> None:
        await abandon(self._producer)


def _may_pass(error: BaseException) -> bool:
    broke_off = type(error) is KafkaError or isinstance(error, AssertionError)
    return broke_off or (isinstance(error, KafkaError) and bool(error.retriable))
