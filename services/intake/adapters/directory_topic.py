"""The directory, read from its compacted topic and kept up to date."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from chassis import kafka
from chassis.kafka import KafkaClient
from chassis.logs import logger
from chassis.readiness import Check
from chassis.tasks import wait_out
from contracts.dead_letters import dead_letter
from contracts.envelope import InvalidEnvelope, InvalidMessage, UnknownType, decode
from contracts.events import EditionPublished, Event, OfficerPublished, UnitPublished
from contracts.topics import DIRECTORY, key_of
from services.intake import metrics
from services.intake.domain.directory import Directory
from services.intake.ports import Log, NotKept

AT = TopicPartition(DIRECTORY.name, 0)
START_SECONDS = 10.0
STOP_SECONDS = 2.0
log = logger(__name__)


class DirectoryTopic:
    """`run` in a task of its own; `current` is what has been read so far.

    While Kafka is away the last state goes on being served. A message that can never be read goes to the
    dead letters and changes nothing.
    """

    def __init__(self, client: KafkaClient, check: Check, dead_letters: Log) -> None:
        self._client = client
        self._check = check
        self._dead_letters = dead_letters
        self._current = Directory()
        self._loaded = False

    @property
    def current(self) -> Directory:
        return self._current

    @property
    def loaded(self) -> bool:
        return self._loaded

    async def run(self) -> None:
        consumer = await wait_out(self._check, self._start, outage=kafka.is_outage)
        self._check.down("being read")
        try:
            end = await wait_out(self._check, lambda: _end_of(consumer), outage=kafka.is_outage)
            self._check.down("being read")
            while True:
                found = await consumer.getmany(AT, timeout_ms=1000, max_records=1000)
                await self._take(found.get(AT, []))
                if not self._loaded and await consumer.position(AT) >= end:
                    self._loaded = True
                    self._check.up()
                    log.info("directory read", units=len(self._current.units), offset=end)
        finally:
            with suppress(TimeoutError):
                await asyncio.wait_for(consumer.stop(), STOP_SECONDS)

    async def _start(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(**self._client.consumer_arguments("intake-directory"))
        try:
            async with asyncio.timeout(START_SECONDS):
                await consumer.start()
                consumer.assign([AT])
                await consumer.seek_to_beginning(AT)
        except BaseException:
            with suppress(TimeoutError):
                await asyncio.wait_for(consumer.stop(), STOP_SECONDS)
            raise
        return consumer

    async def _take(self, records: list[ConsumerRecord]) -> None:
        changes: dict[str, Event | None] = {}
        for record in records:
            try:
                key, event = read(record)
            except InvalidMessage as error:
                await self._bury(record, error)
            else:
                changes[key] = event
        if changes:
            self._current = self._current.with_(changes)

    async def _bury(self, record: ConsumerRecord, error: InvalidMessage) -> None:
        if self._loaded:  # at a restart it is there already
            message = dead_letter(
                key=record.key,
                value=record.value,
                headers=record.headers,
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                error=error,
                at=datetime.now(UTC),
            )
            try:
                await self._dead_letters.append(DIRECTORY.dead_letters, message)
            except NotKept as outage:
                # It stays on the compacted topic as well; whoever looks there finds it.
                log.warning("dead letter not written", reason=error.reason, error=str(outage))
        metrics.DIRECTORY_DEAD_LETTERS.labels(error.reason).inc()
        log.warning("directory message unreadable", reason=error.reason, offset=record.offset)


def read(record: ConsumerRecord) -> tuple[str, Event | None]:
    """The key and the event of a directory record; None for a tombstone. Raises InvalidMessage."""
    try:
        key = (record.key or b"").decode()
    except UnicodeDecodeError as error:
        raise InvalidEnvelope("the key is not UTF-8") from error
    if record.value is None:
        return key, None
    event = decode(record.value, record.headers).data
    if not isinstance(event, UnitPublished | OfficerPublished | EditionPublished):
        raise UnknownType(f"{event.NAME} does not belong on {DIRECTORY.name}")
    if key_of(event) != key:
        raise InvalidEnvelope("the key is not the event's")
    return key, event


async def read_all(client: KafkaClient) -> dict[str, Event]:
    """The directory as it stands, by key; unreadable messages are left out. Raises outages of Kafka."""
    consumer = AIOKafkaConsumer(**client.consumer_arguments("intake-publish"))
    found: dict[str, Event] = {}
    try:
        async with asyncio.timeout(3 * START_SECONDS):
            await consumer.start()
            consumer.assign([AT])
            await consumer.seek_to_beginning(AT)
            end = await _end_of(consumer)
            while await consumer.position(AT) < end:
                for record in (await consumer.getmany(AT, timeout_ms=1000)).get(AT, []):
                    with suppress(InvalidMessage):
                        key, event = read(record)
                        found.pop(key, None)
                        if event is not None:
                            found[key] = event
    finally:
        with suppress(TimeoutError):
            await asyncio.wait_for(consumer.stop(), STOP_SECONDS)
    return found


async def _end_of(consumer: AIOKafkaConsumer) -> int:
    return int((await consumer.end_offsets([AT]))[AT])
