"""What every Kafka client of the system is told, in one place."""

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    GroupCoordinatorNotAvailableError,
    KafkaConnectionError,
    KafkaTimeoutError,
    LeaderNotAvailableError,
    NodeNotReadyError,
    NotCoordinatorForGroupError,
    NotEnoughReplicasError,
    NotLeaderForPartitionError,
    RequestTimedOutError,
    UnknownTopicOrPartitionError,
)
from pydantic import BaseModel

from chassis.logs import logger
from contracts.topics import DEAD_LETTER_BYTES

log = logger(__name__)
ABANDON_SECONDS = 2.0
_OUTAGES: tuple[type[BaseException], ...] = (
    OSError,
    TimeoutError,
    KafkaConnectionError,
    KafkaTimeoutError,
    NodeNotReadyError,
    RequestTimedOutError,
    LeaderNotAvailableError,
    NotLeaderForPartitionError,
    NotEnoughReplicasError,
    UnknownTopicOrPartitionError,
    CoordinatorNotAvailableError,
    GroupCoordinatorNotAvailableError,
    CoordinatorLoadInProgressError,
    NotCoordinatorForGroupError,
)


def is_outage(error: BaseException) -> bool:
    """Whether to wait and try again: the broker is away, or a topic's leader or coordinator is moving."""
    return isinstance(error, _OUTAGES)


async def abandon(producer: AIOKafkaProducer) -> None:
    """Close a producer at once; what it still holds fails.

    There is no public way: `stop` flushes first, and for ever while the broker is away.
    """
    producer._closed = True
    producer._message_accumulator.fail_all(KafkaConnectionError("the producer was given up"))
    _hear_out(producer)
    sender = producer._sender.sender_task
    deadline = asyncio.get_running_loop().time() + ABANDON_SECONDS
    while sender is not None and not sender.done() and asyncio.get_running_loop().time() < deadline:
        sender.cancel()  # it waits for its own requests first; a second time cancels those
        await asyncio.wait([sender], timeout=0.2)
    if sender is not None and not sender.done():
        log.warning("a producer's task did not end")
    await producer.client.close()


def _hear_out(producer: AIOKafkaProducer) -> None:
    """Take note of failures that nobody waits for any more; asyncio would report them as forgotten."""
    pending = [each for held in producer._message_accumulator._batches.values() for each in held]
    waiters = [batch._drain_waiter for batch in (*pending, *producer._message_accumulator._pending_batches)]
    if producer._txn_manager is not None:
        waiters.append(producer._txn_manager._transaction_waiter)
    for waiter in waiters:
        if waiter is not None and waiter.done() and not waiter.cancelled():
            waiter.exception()


async def leave(consumer: AIOKafkaConsumer) -> None:
    """Stop a consumer, whether the broker is there or not.

    aiokafka cancels its own fetches and awaits them; while the broker is away `stop` then ends in a
    CancelledError, by which the calling task would pass for cancelled, and leaves connections open.
    """
    stopping = asyncio.create_task(consumer.stop())
    done, _ = await asyncio.wait({stopping}, timeout=ABANDON_SECONDS)
    if not done:
        stopping.cancel()
        await asyncio.wait({stopping}, timeout=ABANDON_SECONDS)
    if stopping.done() and not stopping.cancelled() and stopping.exception() is not None:
        log.warning("a consumer did not stop well", error=repr(stopping.exception()))
    await consumer._client.close()


class KafkaClient(BaseModel):
    """How to reach the cluster. Becomes part of a service's settings."""

    bootstrap: str = "127.0.0.1:9092"

    def arguments(self, client_id: str) -> dict[str, Any]:
        """Keyword arguments for any aiokafka client. Times in milliseconds."""
        return {
            "bootstrap_servers": self.bootstrap,
            "client_id": client_id,
            "request_timeout_ms": 5_000,
            "retry_backoff_ms": 100,
            "metadata_max_age_ms": 30_000,
        }

    def consumer_arguments(self, client_id: str) -> dict[str, Any]:
        """For consumers: committed records only, offsets by hand, a lost worker's partitions move in 6 s."""
        return {
            **self.arguments(client_id),
            "isolation_level": "read_committed",
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
            "session_timeout_ms": 6_000,
            "heartbeat_interval_ms": 2_000,
        }

    def producer_arguments(self, client_id: str) -> dict[str, Any]:
        """For producers: acknowledged by all replicas, idempotent."""
        return {
            **self.arguments(client_id),
            "acks": "all",
            "enable_idempotence": True,
            "linger_ms": 0,
            # The catalogue says for each topic what fits, and the broker holds to it.
            "max_request_size": DEAD_LETTER_BYTES,
        }
