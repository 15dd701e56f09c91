"""Who did what in the office, read from its topic and kept up to date."""

import asyncio
from collections.abc import Sequence
from typing import Never

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from chassis import kafka
from chassis.kafka import KafkaClient
from chassis.logs import logger
from chassis.readiness import Check
from contracts.envelope import InvalidMessage, decode
from contracts.events import OfficeActionTaken
from contracts.topics import OFFICE_ACTIONS
from services.intake.adapters.following import follow
from services.intake.ports import Taken

AT = TopicPartition(OFFICE_ACTIONS.name, 0)  # the catalogue gives it one
STEP_SECONDS = 10.0
LOOK_MS = 1_000
log = logger(__name__)


class OfficeTrail:
    """`run` in a task of its own; while Kafka is away, what was read goes on being shown."""

    def __init__(self, client: KafkaClient, check: Check) -> None:
        self._client = client
        self._check = check
        self._taken: list[Taken] = []

    @property
    def current(self) -> Sequence[Taken]:
        return self._taken

    async def run(self) -> None:
        await follow(OFFICE_ACTIONS.name, self._check, self._begin, self._follow)

    async def _begin(self) -> AIOKafkaConsumer:
        consumer = await _start(self._client)
        try:
            self._taken = [_taken(record) for record in await _to_the_end(consumer)]
        except BaseException:
            await kafka.leave(consumer)
            raise
        return consumer

    async def _follow(self, consumer: AIOKafkaConsumer) -> Never:
        while True:
            found = await consumer.getmany(AT, timeout_ms=LOOK_MS, max_records=1000)
            self._taken += [_taken(record) for record in found.get(AT, [])]
            if not found:
                await _end_of(consumer)  # the consumer itself would wait for a lost broker in silence


async def read_trail(client: KafkaClient) -> list[Taken]:
    """The whole of it, once. Raises outages of Kafka."""
    consumer = await _start(client)
    try:
        return [_taken(record) for record in await _to_the_end(consumer)]
    finally:
        await kafka.leave(consumer)


def _taken(record: ConsumerRecord) -> Taken:
    """A message that nobody can read is shown as such: an audit trail leaves nothing out."""
    try:
        envelope = decode(record.value, record.headers)
    except InvalidMessage as error:
        log.warning("office action unreadable", reason=error.reason, offset=record.offset)
        return Taken(None, record.offset, None)
    action = envelope.data if isinstance(envelope.data, OfficeActionTaken) else None
    return Taken(envelope.id, record.offset, action)


async def _start(client: KafkaClient) -> AIOKafkaConsumer:
    arguments = {**client.consumer_arguments("intake-office"), "auto_offset_reset": "none"}
    consumer = AIOKafkaConsumer(**arguments)
    try:
        await kafka.start(consumer)
        async with asyncio.timeout(STEP_SECONDS):
            consumer.assign([AT])
            await consumer.seek_to_beginning(AT)
    except BaseException:
        await kafka.leave(consumer)
        raise
    return consumer


async def _to_the_end(consumer: AIOKafkaConsumer) -> list[ConsumerRecord]:
    records: list[ConsumerRecord] = []
    end = await _end_of(consumer)
    async with asyncio.timeout(STEP_SECONDS) as deadline:
        while await consumer.position(AT) < end:
            found = (await consumer.getmany(AT, timeout_ms=LOOK_MS, max_records=5000)).get(AT, [])
            records += found
            if found:
                deadline.reschedule(asyncio.get_running_loop().time() + STEP_SECONDS)
    return records


async def _end_of(consumer: AIOKafkaConsumer) -> int:
    async with asyncio.timeout(STEP_SECONDS):
        return int((await consumer.end_offsets([AT]))[AT])
