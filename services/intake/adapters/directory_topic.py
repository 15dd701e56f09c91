"""The directory, read from its compacted topic and kept up to date."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Never

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from chassis import kafka
from chassis.kafka import KafkaClient
from chassis.logs import logger
from chassis.readiness import Check
from contracts.envelope import InvalidEnvelope, InvalidMessage, UnknownType, decode
from contracts.events import Event
from contracts.topics import DIRECTORY, key_of
from services.intake import metrics
from services.intake.adapters import whole_topic
from services.intake.adapters.directory_dead_letters import Unreadable, bury
from services.intake.adapters.following import follow
from services.intake.domain.directory import Directory
from services.intake.ports import DirectoryUnread

AT = TopicPartition(DIRECTORY.name, 0)  # the catalogue gives it one
LOOK_MS = 2_000
log = logger(__name__)


class DirectoryTopic:
    """`run` in a task of its own; `current` is what was read last.

    While Kafka is away that goes on being served, and `check` says so; then the topic is read anew. A message
    that can never be read goes to the dead letters and changes nothing.
    """

    def __init__(self, client: KafkaClient, check: Check) -> None:
        self._client = client
        self._check = check
        self._current: Directory | None = None

    @property
    def current(self) -> Directory:
        if self._current is None:
            raise DirectoryUnread
        return self._current

    async def run(self) -> None:
        await follow(DIRECTORY.name, self._check, self._read_whole, self._follow)

    async def _read_whole(self) -> AIOKafkaConsumer:
        """Replace the directory by what the topic holds now; the consumer stands at its end."""
        consumer = await whole_topic.start(self._client, "intake-directory", AT)
        try:
            records = await whole_topic.to_the_end(consumer, AT)
            changes, unreadable = _sorted_out(records)
            read = Directory().with_(changes)
            if read != self._current:  # the same one keeps what was made of it
                self._current = read
                log.info("directory read", units=len(read.units), officers=len(read.officers))
            await self._bury(unreadable)
        except BaseException:
            await kafka.leave(consumer)
            raise
        return consumer

    async def _follow(self, consumer: AIOKafkaConsumer) -> Never:
        while True:
            found = await consumer.getmany(AT, timeout_ms=LOOK_MS, max_records=1000)
            changes, unreadable = _sorted_out(found.get(AT, []))
            if changes:
                self._current = self.current.with_(changes)
            await self._bury(unreadable)
            if not found:
                await whole_topic.end_of(
                    consumer, AT
                )  # the consumer itself would wait for a lost broker in silence

    async def _bury(self, unreadable: Sequence[Unreadable]) -> None:
        if not unreadable:
            return
        for record, error in unreadable:
            log.warning("directory message unreadable", reason=error.reason, offset=record.offset)
        async with asyncio.timeout(3 * whole_topic.STEP_SECONDS):
            for error in await bury(self._client, unreadable, at=datetime.now(UTC)):
                metrics.DIRECTORY_DEAD_LETTERS.labels(error.reason).inc()


async def read_all(client: KafkaClient) -> dict[str, Event]:
    """The directory as it stands, by key; unreadable messages are left out. Raises outages of Kafka."""
    consumer = await whole_topic.start(client, "intake-publish", AT)
    try:
        changes, _ = _sorted_out(await whole_topic.to_the_end(consumer, AT))
    finally:
        await kafka.leave(consumer)
    return {key: event for key, event in changes.items() if event is not None}


def read(record: ConsumerRecord) -> tuple[str, Event | None]:
    """The key and the event of a directory record; None for a tombstone. Raises InvalidMessage."""
    try:
        key = (record.key or b"").decode()
    except UnicodeDecodeError as error:
        raise InvalidEnvelope("the key is not UTF-8") from error
    if record.value is None:
        return key, None
    event = decode(record.value, record.headers).data
    if not isinstance(event, DIRECTORY.events):
        raise UnknownType(f"{event.NAME} does not belong on {DIRECTORY.name}")
    if key_of(event) != key:
        raise InvalidEnvelope("the key is not the event's")
    return key, event


def _sorted_out(records: Sequence[ConsumerRecord]) -> tuple[dict[str, Event | None], list[Unreadable]]:
    changes: dict[str, Event | None] = {}
    unreadable: list[Unreadable] = []
    for record in records:
        try:
            key, event = read(record)
        except InvalidMessage as error:
            unreadable.append((record, error))
        else:
            changes[key] = event
    return changes, unreadable
