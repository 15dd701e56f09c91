"""Who did what in the office, and its paper forms, read from its topic and kept up to date."""

import asyncio
from collections.abc import Sequence
from typing import Never

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from chassis import kafka
from chassis.kafka import KafkaClient
from chassis.logs import logger
from chassis.readiness import Check
from contracts.envelope import InvalidMessage, decode
from contracts.events import Event, OfficeActionTaken, PaperFormEntered, PaperFormsIssued
from contracts.topics import OFFICE_ACTIONS
from services.intake.adapters import whole_topic
from services.intake.adapters.following import follow
from services.intake.domain.paper import Forms
from services.intake.ports import NotKept, Taken

AT = TopicPartition(OFFICE_ACTIONS.name, 0)  # the catalogue gives it one
LOOK_MS = 1_000
WAIT_SECONDS = 5.0
STEP_SECONDS = 0.01
log = logger(__name__)


class OfficeTrail:
    """`run` in a task of its own; while Kafka is away, what was read goes on being shown."""

    def __init__(self, client: KafkaClient, check: Check) -> None:
        self._client = client
        self._check = check
        self._taken: list[Taken] = []
        self._forms = Forms()
        self._consumer: AIOKafkaConsumer | None = None

    @property
    def current(self) -> Sequence[Taken]:
        return self._taken

    @property
    def forms(self) -> Forms:
        return self._forms

    async def forms_now(self) -> Forms:
        end: int | None = None
        try:
            for _ in range(int(WAIT_SECONDS / STEP_SECONDS)):
                consumer = self._consumer
                if consumer is not None:
                    end = await whole_topic.end_of(consumer, AT) if end is None else end
                    # Between its position's moving on and our taking what it read, nobody else has a turn.
                    if await consumer.position(AT) >= end:
                        return self._forms
                await asyncio.sleep(STEP_SECONDS)
        except Exception as error:
            if not (kafka.is_outage(error) or kafka.broke_off(error)):
                raise
            raise NotKept(type(error).__name__) from error
        raise NotKept("office-actions cannot be read")

    async def run(self) -> None:
        await follow(OFFICE_ACTIONS.name, self._check, self._begin, self._follow)

    async def _begin(self) -> AIOKafkaConsumer:
        consumer = await whole_topic.start(self._client, "intake-office", AT)
        try:
            records = await whole_topic.to_the_end(consumer, AT)
        except BaseException:
            await kafka.leave(consumer)
            raise
        self._taken, self._forms = [], Forms()
        self._take(records)
        return consumer

    async def _follow(self, consumer: AIOKafkaConsumer) -> Never:
        self._consumer = consumer
        try:
            while True:
                found = await consumer.getmany(AT, timeout_ms=LOOK_MS, max_records=1000)
                self._take(found.get(AT, []))
                if not found:
                    await whole_topic.end_of(
                        consumer, AT
                    )  # the consumer itself would wait for a lost broker in silence
        finally:
            self._consumer = None

    def _take(self, records: Sequence[ConsumerRecord]) -> None:
        for record in records:
            taken = _taken(record)
            if isinstance(taken, Taken):
                self._taken.append(taken)
            else:
                self._forms.take(taken)


async def read_trail(client: KafkaClient) -> list[Taken]:
    """The whole of it, once. Raises outages of Kafka."""
    consumer = await whole_topic.start(client, "intake-office", AT)
    try:
        found = [_taken(record) for record in await whole_topic.to_the_end(consumer, AT)]
        return [each for each in found if isinstance(each, Taken)]
    finally:
        await kafka.leave(consumer)


def _taken(record: ConsumerRecord) -> Taken | Event:
    """An event of a paper form as it is. A message that nobody can read is shown as such: an audit trail
    leaves nothing out."""
    try:
        envelope = decode(record.value, record.headers)
    except InvalidMessage as error:
        log.warning("office action unreadable", reason=error.reason, offset=record.offset)
        return Taken(None, record.offset, None)
    if isinstance(envelope.data, PaperFormsIssued | PaperFormEntered):
        return envelope.data
    action = envelope.data if isinstance(envelope.data, OfficeActionTaken) else None
    return Taken(envelope.id, record.offset, action)
