"""Outcomes, dead letters and consumed offsets, written in one Kafka transaction.

Each partition of `rating-submissions` has its own transactional id: whoever starts a producer with it fences
every earlier one, so a worker that lost the partition without noticing cannot commit any more.
"""

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.client import ConnectionGroup
from aiokafka.errors import (
    DuplicateSequenceNumber,
    IllegalOperation,
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    InvalidTxnState,
    KafkaError,
    NodeNotReadyError,
    OutOfOrderSequenceNumber,
    ProducerFenced,
    UnknownProducerId,
)
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import OffsetAndMetadata

from chassis import traces
from chassis.kafka import KafkaClient, abandon, broke_off, is_outage, start
from chassis.logs import logger
from contracts.envelope import Message
from contracts.topics import RATING_OUTCOMES, RATING_SUBMISSIONS
from services.verification.ports import Committed, Lost, Torn

log = logger(__name__)
COMMIT_SECONDS = 10.0
TRANSACTIONS = f"verification-{RATING_SUBMISSIONS.name}-"  # and the partition
_EXPIRIES = "expiries="
_PARTITIONER = DefaultPartitioner()
_FENCED = (ProducerFenced, InvalidProducerEpoch, InvalidProducerIdMapping, InvalidTxnState)
_UNSURE = (OutOfOrderSequenceNumber, DuplicateSequenceNumber, UnknownProducerId)


def expiries_of(metadata: str) -> int:
    """The round of expiries told last, kept beside the committed offset; 0 where an operator set that."""
    return int(metadata.removeprefix(_EXPIRIES)) if metadata.startswith(_EXPIRIES) else 0


def committed_metadata(expiries: int) -> str:
    return f"{_EXPIRIES}{expiries}"


class KafkaOutcomeLog:
    def __init__(self, producer: AIOKafkaProducer, partition: int, group: str) -> None:
        self._producer = producer
        self._partition = partition
        self._group = group

    @classmethod
    async def open(cls, kafka: KafkaClient, partition: int, group: str) -> "KafkaOutcomeLog":
        """Fence all earlier ones of this partition. Raises outages."""
        name = f"{TRANSACTIONS}{partition}"
        producer = AIOKafkaProducer(
            **kafka.producer_arguments(name),
            transactional_id=name,
            transaction_timeout_ms=30_000,
            max_batch_size=900_000,  # a whole batch's outcomes for a partition in one request
        )
        try:
            await start(producer)
        except BaseException:
            await abandon(producer)
            raise
        _ask_once(producer)
        return cls(producer, partition, group)

    @traces.traced("commit")
    async def commit(
        self, outcomes: Sequence[Message], dead_letters: Sequence[Message], upto: Committed
    ) -> None:
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await self._producer.begin_transaction()
                sends = await self._send_outcomes(outcomes)
                sends += [await self._send(RATING_SUBMISSIONS.dead_letters, each) for each in dead_letters]
                if sends:
                    # Committing would not notice that one of them failed.
                    await asyncio.gather(*sends)
                where = TopicPartition(RATING_SUBMISSIONS.name, self._partition)
                metadata = committed_metadata(upto.expiries)
                await self._producer.send_offsets_to_transaction(
                    {where: OffsetAndMetadata(upto.next_offset, metadata)}, self._group
                )
                await self._producer.commit_transaction()
        except _FENCED as error:
            raise Lost(f"partition {self._partition}: {error!r}") from error
        except IllegalOperation as error:
            raise self._broke_off() from error
        except Exception as error:
            # A bare KafkaError is how the producer says that its sending task broke off.
            if is_outage(error) or isinstance(error, _UNSURE) or _may_pass(error):
                raise Torn(f"partition {self._partition}: {error!r}") from error
            raise

    async def _send_outcomes(self, outcomes: Sequence[Message]) -> list["asyncio.Future[object]"]:
        """A batch for each partition: a future for each message would cost more than all else in sending."""
        if not outcomes:
            return []
        topic = RATING_OUTCOMES.name
        partitions = tuple(sorted(await self._producer.partitions_for(topic)))
        batches: dict[int, BatchBuilder] = {}
        sends = []
        for each in outcomes:
            partition = _partition_of(each.key, partitions)
            batch = batches.get(partition) or self._producer.create_batch()
            while not _appended(batch, each):  # it is full; an empty one takes whatever comes first
                sends.append(await self._producer.send_batch(batch, topic, partition=partition))
                batch = self._producer.create_batch()
            batches[partition] = batch
        for partition, batch in batches.items():
            sends.append(await self._producer.send_batch(batch, topic, partition=partition))
        return sends

    async def _send(self, topic: str, message: Message) -> "asyncio.Future[object]":
        future: asyncio.Future[object] = await self._producer.send(
            topic,
            message.value,
            key=message.key,
            headers=list(message.headers),
            timestamp_ms=message.written_ms,
        )
        return future

    def _broke_off(self) -> Lost | Torn:
        """Why the producer takes nothing more in the middle of a transaction: its sending task has ended."""
        sending = self._producer._sender.sender_task
        cause = sending.exception() if sending.done() and not sending.cancelled() else None
        kind = Lost if isinstance(cause, _FENCED) else Torn
        return kind(f"partition {self._partition}: {cause!r}")

    async def close(self) -> None:
        await abandon(self._producer)


def _appended(batch: BatchBuilder, message: Message) -> bool:
    """False where the batch is full."""
    headers = list(message.headers)
    done = batch.append(timestamp=message.written_ms, key=message.key, value=message.value, headers=headers)
    return done is not None


@lru_cache(maxsize=10_000)
def _partition_of(key: bytes | None, partitions: tuple[int, ...]) -> int:
    """Where the producer would put it by itself; that reckons in Python, and officers are few."""
    return int(_PARTITIONER(key, partitions, partitions))


class AnswerLost(Exception):
    """A coordinator was asked and did not answer: it may do what it was asked at any later time."""


def _ask_once(producer: AIOKafkaProducer) -> None:
    """Let a lost answer of a coordinator end the producer, where aiokafka would ask again.

    All transactions of a producer have one epoch (aiokafka has no EndTxn v5), so a request that strays in the
    network may be carried out in the next transaction: an offset from before, or a commit of half of it. The
    next producer has a new epoch, which fences whatever still strays.
    """
    send = producer.client.send

    async def send_once(node_id: int, request: Any, *, group: Any = ConnectionGroup.DEFAULT) -> Any:
        try:
            return await send(node_id, request, group=group)
        except NodeNotReadyError:
            raise  # it was not sent
        except KafkaError as error:
            if group is ConnectionGroup.COORDINATION:
                raise AnswerLost(repr(error)) from error
            raise

    producer.client.send = send_once


def _may_pass(error: BaseException) -> bool:
    return broke_off(error) or (isinstance(error, KafkaError) and bool(error.retriable))
