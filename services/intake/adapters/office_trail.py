"""Who did what in the office, read from its topic and kept up to date."""

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
from services.intake.adapters import whole_topic
from services.intake.adapters.following import follow
from services.intake.ports import Taken

AT = TopicPartition(OFFICE_ACTIONS.name, 0)  # the catalogue gives it one
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
        consumer = await whole_topic.start(self._client, "intake-office", AT)
        try:
            self._taken = [_taken(record) for record in await whole_topic.to_the_end(consumer, AT)]
        except BaseException:
            await kafka.leave(consumer)
            raise
        return consumer

    async def _follow(self, consumer: AIOKafkaConsumer) -> Never:
        while True:
            found = await consumer.getmany(AT, timeout_ms=LOOK_MS, max_records=1000)
            self._taken += [_taken(record) for record in found.get(AT, [])]
            if not found:
                await whole_topic.end_of(
                    consumer, AT
                )  # the consumer itself would wait for a lost broker in silence


async def read_trail(client: KafkaClient) -> list[Taken]:
    """The whole of it, once. Raises outages of Kafka."""
    consumer = await whole_topic.start(client, "intake-office", AT)
    try:
        return [_taken(record) for record in await whole_topic.to_the_end(consumer, AT)]
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
