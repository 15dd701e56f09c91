"""Both topics of verification from their beginning to their end, for a database that has to catch up."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalGenerationError, UnknownMemberIdError
from aiokafka.structs import OffsetAndMetadata

from chassis import whole_log as reading
from chassis.kafka import KafkaClient, leave, start
from contracts.envelope import InvalidMessage, decode
from contracts.events import (
    Assurance,
    RatingAccepted,
    RatingRejected,
    RatingWithdrawn,
    RejectionReason,
    Withdrawal,
)
from contracts.topics import RATING_OUTCOMES, RATING_SUBMISSIONS, Topic
from services.verification.adapters.outcome_log import committed_metadata, expiries_of
from services.verification.adapters.submissions import GROUP
from services.verification.catching_up import Told, WorkersRun
from services.verification.domain.ratings import Accepted, Rejected, Withdrawn
from services.verification.ports import Committed, Record

_MEMBERS = (CommitFailedError, IllegalGenerationError, UnknownMemberIdError)


class WholeLog:
    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def extent(self) -> int:
        return await reading.extent(self._consumer, reading.partitions(RATING_OUTCOMES, RATING_SUBMISSIONS))

    async def outcomes(self) -> AsyncIterator[Sequence[Told]]:
        async for _, records in self._records(RATING_OUTCOMES):
            yield [told for record in records if (told := _told(record)) is not None]

    async def submissions(self) -> AsyncIterator[tuple[int, Sequence[Record]]]:
        async for partition, records in self._records(RATING_SUBMISSIONS):
            yield (
                partition,
                [
                    Record(
                        each.offset,
                        datetime.fromtimestamp(each.timestamp / 1000, UTC),
                        each.key,
                        each.value,
                        tuple(each.headers),
                    )
                    for each in records
                ],
            )

    async def committed(self) -> dict[int, Committed]:
        where = reading.partitions(RATING_SUBMISSIONS)
        async with asyncio.timeout(reading.STEP_SECONDS):
            begin, end = await reading.bounds(self._consumer, where)
            found = await self._consumer._coordinator.fetch_committed_offsets(where)
        return {
            at.partition: Committed(
                min(max(found[at].offset, begin[at]), end[at]), expiries_of(found[at].metadata)
            )
            if at in found
            else Committed(begin[at], 0)
            for at in where
        }

    async def go_on_from(self, positions: Mapping[int, Committed]) -> None:
        where = {
            TopicPartition(RATING_SUBMISSIONS.name, partition): OffsetAndMetadata(
                at.next_offset, committed_metadata(at.expiries)
            )
            for partition, at in positions.items()
        }
        self._consumer.assign(list(where))
        try:
            async with asyncio.timeout(reading.STEP_SECONDS):
                await self._consumer.commit(where)
        except _MEMBERS as error:
            raise WorkersRun from error

    async def _records(self, topic: Topic) -> AsyncGenerator[tuple[int, Sequence[ConsumerRecord]]]:
        async for batch in reading.batches(self._consumer, reading.partitions(topic)):
            if batch.records:
                yield batch.partition, batch.records


@asynccontextmanager
async def whole_log(kafka: KafkaClient) -> AsyncIterator[WholeLog]:
    """Raises outages of Kafka."""
    consumer = AIOKafkaConsumer(**kafka.consumer_arguments("verification-catch-up"), group_id=GROUP)
    try:
        await start(consumer)
        yield WholeLog(consumer)
    finally:
        await leave(consumer)


def _told(record: ConsumerRecord) -> Told | None:
    try:
        event = decode(record.value, record.headers).data
    except InvalidMessage:
        return None  # aggregation counts nothing for it, and has buried it
    match event:
        case RatingAccepted():
            decided = Accepted(Assurance(event.assurance))
            return Told(event.submission_id, decided, event.decided_at)
        case RatingRejected():
            return Told(event.submission_id, Rejected(RejectionReason(event.reason)), event.decided_at)
        case RatingWithdrawn():
            accepted = Accepted(Assurance(event.assurance))
            withdrawn = Withdrawn(accepted, Withdrawal(event.kind), event.reason, event.wave_id)
            return Told(event.submission_id, accepted, event.accepted_at, withdrawn, event.decided_at)
    return None
