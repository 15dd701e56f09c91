"""Faust's Kafka driver with what it lacks: committed records only, from the checkpoint, none lost unseen.

All records of a fetch go through Faust as one message: what it does for each costs more than the fold.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

import aiokafka
import uvloop
from aiokafka import TopicPartition
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage
from mode.threads import WorkerThread

from chassis import kafka
from chassis.logs import logger
from services.aggregation.domain import LogShortened

log = logger(__name__)
RECORDS_A_FETCH = 4_000
JOIN_SECONDS = 2.0
BUSY_WAIT_MS = 250
_FOR_EVER_MS = 24 * 60 * 60 * 1000

Checkpoints = Callable[[Sequence[int]], Awaitable[Mapping[int, int]]]


class Linked(NamedTuple):
    """A record with the position from which reading went on to it (see `domain.Read.follows`)."""

    record: Any
    follows: int


class Partition(NamedTuple):
    """`handed_over`: the offset after the last record handed over; `read`: the position, past what holds no
    records; `end`: of the committed records. None where not known yet."""

    handed_over: int | None
    read: int | None
    end: int


class Standing(NamedTuple):
    member: bool
    partitions: Mapping[int, Partition]


class Fetched(ConsumerMessage):  # type: ignore[misc] # Faust is untyped here
    """All records of one fetch. To Faust it is a message of one of their partitions."""

    __slots__ = ("linked",)
    linked: Sequence[Linked]


class _Thread(WorkerThread):  # type: ignore[misc]
    """A consumer's thread that does not outlive the process, and is not waited for without end."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.daemon = True

    def stop(self) -> None:
        if threading.current_thread() is not self and not self.is_stopped.wait(JOIN_SECONDS):
            log.warning("the consumer's thread did not stop in time")


class ConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """Reads in a thread of its own.

    `positions` holds, for each partition that was sought to its checkpoint since the last rebalance, the
    offset after the last record handed over. A partition without one is sought before it is read.
    """

    Worker = _Thread

    def __post_init__(self) -> None:
        super().__post_init__()
        self.positions: dict[TopicPartition, int] = {}

    def _create_worker_consumer(self, transport: "Transport") -> aiokafka.AIOKafkaConsumer:
        del transport
        arguments = self.app.kafka.consumer_arguments(self.app.conf.broker_client_id)
        consumer = aiokafka.AIOKafkaConsumer(
            **arguments,
            group_id=self.app.conf.id,
            partition_assignment_strategy=[RoundRobinPartitionAssignor],
            max_poll_records=RECORDS_A_FETCH,
            # A long outage of PostgreSQL is waited out; the progress watch judges a worker that hangs.
            max_poll_interval_ms=_FOR_EVER_MS,
            rebalance_timeout_ms=10_000,
            fetch_max_wait_ms=BUSY_WAIT_MS,
        )
        self.patience = kafka.Patience(consumer, busy=BUSY_WAIT_MS)
        return consumer

    async def _fetch_records(
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - Faust's signature
        max_records: int | None = None,
    ) -> dict[TP, list[list[Linked]]]:
        if not self.consumer.flow_active:
            return {}
        active = {TopicPartition(tp.topic, tp.partition) for tp in active_partitions}
        unsought = active - self.positions.keys()
        if unsought and not await self._seek_to_checkpoints(consumer, unsought):
            await asyncio.sleep(0.5)
            return {}
        records = await super()._fetch_records(consumer, active, timeout, max_records)
        self.patience.saw(anything=bool(records))
        linked = {tp: self._linked(tp, found) for tp, found in records.items() if tp in self.positions}
        together = [each for found in linked.values() for each in found]
        return {next(tp for tp, found in linked.items() if found): [together]} if together else {}

    async def _seek_to_checkpoints(
        self, consumer: aiokafka.AIOKafkaConsumer, partitions: set[TopicPartition]
    ) -> bool:
        """Returns False where an outage, or the next rebalance, came between."""
        numbers = sorted(tp.partition for tp in partitions)
        try:
            async with asyncio.timeout(15):
                first = await consumer.beginning_offsets(list(partitions))
                end = await consumer.end_offsets(list(partitions))
                asked = asyncio.run_coroutine_threadsafe(self.app.checkpoints(numbers), self.parent_loop)
                checkpoints = await asyncio.wrap_future(asked)
        except Exception as error:
            if not (kafka.is_outage(error) or self.app.outage(error)):
                raise
            log.warning("checkpoints could not be read; trying again", error=repr(error))
            return False
        if not partitions <= consumer.assignment():
            return False
        for tp in partitions:
            offset = checkpoints[tp.partition]
            if not first[tp] <= offset <= end[tp]:
                raise LogShortened(f"{tp}: the checkpoint is {offset}, the log has {first[tp]} to {end[tp]}")
            consumer.seek(tp, offset)
            # Faust drops what is below its own idea of the position.
            self.consumer._read_offset[tp] = offset or None
            self.positions[tp] = offset
        return True

    async def tell(self, offsets: Mapping[TP, int]) -> bool:
        """Commit to the group. Returns False where that failed."""
        told = {TopicPartition(*tp): OffsetAndMetadata(offset, "") for tp, offset in offsets.items()}
        try:
            async with asyncio.timeout(5):
                await self._ensure_consumer().commit(told)
        except (KafkaError, TimeoutError) as error:
            log.warning("the group was not told the checkpoints", error=repr(error))
            return False
        return True

    async def standing(self) -> "Standing":
        """Where reading stands. Raises what `kafka.is_outage` knows."""
        consumer = self._ensure_consumer()
        assigned = sorted(consumer.assignment())
        async with asyncio.timeout(5):
            ends = await consumer.end_offsets(assigned) if assigned else {}
            if not assigned:
                await consumer._client.force_metadata_update()
        partitions = {
            tp.partition: Partition(self.positions.get(tp), _position(consumer, tp), ends[tp])
            for tp in assigned
        }
        return Standing(consumer._coordinator.generation > 0, partitions)

    def _linked(self, tp: TopicPartition, records: list[Any]) -> list[Linked]:
        """Nothing where the records go back: the group was joined again while they were fetched, and reading
        began at what it was told last. The checkpoint is sought again before anything more is read."""
        linked, position = [], self.positions[tp]
        for record in records:
            if record.offset < position:
                log.warning("read again what was read; going back to the checkpoint", partition=tp.partition)
                del self.positions[tp]
                return []
            linked.append(Linked(record, position))
            position = record.offset + 1
        self.positions[tp] = position
        return linked


def _position(consumer: aiokafka.AIOKafkaConsumer, tp: TopicPartition) -> int | None:
    assignment = consumer._subscription.subscription.assignment
    if assignment is None or tp not in assignment.tps:
        return None
    state = assignment.state_value(tp)
    return state.position if state is not None and state.has_valid_position else None


class Consumer(driver.Consumer):  # type: ignore[misc]
    """Faust's consumer; its group's committed offset only shows others how far PostgreSQL's checkpoint is."""

    _thread: ConsumerThread

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, thread_loop=uvloop.new_event_loop(), beacon=self.beacon)

    def _to_message(self, tp: TP, linked: list[Linked]) -> Fetched:
        last = [each.record for each in linked if each.record.partition == tp.partition][-1]
        message = Fetched(
            last.topic,
            last.partition,
            last.offset,
            last.timestamp / 1000.0,
            last.timestamp_type,
            (),
            None,
            b"",
            None,
            0,
            0,
            tp,
            generation_id=self.app.consumer_generation_id,
        )
        message.linked = linked
        return message

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Asked for after each rebalance: the thread seeks to the checkpoints before it reads on."""
        self._thread.positions.clear()
        return {}

    async def commit(self, topics: object = None, start_new_transaction: bool = True) -> bool:
        """Tell the group the checkpoints. Nothing depends on it, so an outage only postpones it."""
        del topics, start_new_transaction
        offsets = {
            tp: self.app.committed[tp.partition]
            for tp in self.assignment()
            if self.app.committed.get(tp.partition, 0) > (self._committed_offset[tp] or 0)
        }
        if not offsets or not await self._thread.call_thread(self._thread.tell, offsets):
            return False
        self._committed_offset.update(offsets)
        return True

    async def verify_all_partitions_active(self) -> None:
        """Faust's own detector only logs; the progress watch decides."""


class Transport(driver.Transport):  # type: ignore[misc]
    Consumer = Consumer
