"""`rating-submissions`, read as a member of the consumer group."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from chassis.kafka import KafkaClient, Patience, broke_off, start
from contracts.topics import RATING_SUBMISSIONS
from services.verification.adapters.outcome_log import expiries_of
from services.verification.ports import Assignee, Committed, Lost, Record

GROUP = "verification"
START_SECONDS = 20.0
STOP_SECONDS = 8.0
REBALANCE_SECONDS = 10
BUSY_WAIT_MS = 100


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, owner: Assignee) -> None:
        self._owner = owner
        self.over = False

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        await self._owner.revoked({tp.partition for tp in revoked})

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        if not self.over:
            await self._owner.assigned({tp.partition for tp in assigned})


class KafkaSubmissions:
    """One membership. After `stop` it is of no more use."""

    def __init__(self, kafka: KafkaClient, owner: Assignee) -> None:
        self._consumer = AIOKafkaConsumer(
            **kafka.consumer_arguments("verification"),
            group_id=GROUP,
            rebalance_timeout_ms=REBALANCE_SECONDS * 1000,
            # While all partitions wait for the database, none reads; that is no failure.
            max_poll_interval_ms=24 * 60 * 60 * 1000,
            # One fetch serves all partitions; a busy one must not wait long for the others' silence.
            fetch_max_wait_ms=BUSY_WAIT_MS,
        )
        self._patience = Patience(self._consumer, busy=BUSY_WAIT_MS)
        self._listener = _Listener(owner)
        self._consumer.subscribe([RATING_SUBMISSIONS.name], listener=self._listener)

    async def start(self) -> None:
        await start(self._consumer, seconds=START_SECONDS)

    async def stop(self) -> None:
        """Leave the group, so that the partitions move at once."""
        self._listener.over = True
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await self._consumer.stop()

    async def committed(self, partition: int) -> Committed:
        where = _at(partition)
        async with _working(), asyncio.timeout(START_SECONDS):
            # The public `committed` hides the metadata; the admin client breaks on a loading coordinator.
            found = (await self._consumer._coordinator.fetch_committed_offsets([where])).get(where)
            if found is None:
                first = await self._consumer.beginning_offsets([where])
                return Committed(first[where], 0)
        return Committed(found.offset, expiries_of(found.metadata))

    def seek(self, partition: int, next_offset: int) -> None:
        self._consumer.seek(_at(partition), next_offset)

    async def fetch(self, partition: int, *, most: int, seconds: float) -> Sequence[Record]:
        async with _working():
            found = await self._consumer.getmany(
                _at(partition), timeout_ms=int(seconds * 1000), max_records=most
            )
        self._patience.saw(anything=bool(found))
        return [
            Record(
                each.offset,
                datetime.fromtimestamp(each.timestamp / 1000, UTC),
                each.key,
                each.value,
                tuple(each.headers),
            )
            for each in found.get(_at(partition), [])
        ]

    async def lag(self, partition: int) -> int:
        end = self._consumer.highwater(_at(partition))
        return 0 if end is None else max(0, end - await self._consumer.position(_at(partition)))

    async def caught_up(self, partition: int) -> datetime | None:
        known = self._consumer.highwater(_at(partition)) is not None
        return self._polled(partition) if known and await self.lag(partition) == 0 else None

    def silent_since(self, partitions: Sequence[int]) -> datetime | None:
        """When the broker last answered a fetch of the partition that has waited longest; None: not yet."""
        polled = [self._polled(each) for each in partitions if self._consumer.assignment() >= {_at(each)}]
        known = [each for each in polled if each is not None]
        return min(known) if known else None

    def _polled(self, partition: int) -> datetime | None:
        at = self._consumer.last_poll_timestamp(_at(partition))
        return None if at is None else datetime.fromtimestamp(at / 1000, UTC)


@asynccontextmanager
async def _working() -> AsyncIterator[None]:
    """A consumer that broke off is of no more use: leave with it, and join again with another."""
    try:
        yield
    except (KafkaError, AssertionError) as error:
        if broke_off(error):
            raise Lost(f"the consumer broke off: {error}") from error
        raise


def _at(partition: int) -> TopicPartition:
    return TopicPartition(RATING_SUBMISSIONS.name, partition)
