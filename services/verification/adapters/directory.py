"""Editions, read from the compacted topic `directory` and kept up to date."""

import asyncio

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from chassis.kafka import KafkaClient, broke_off, is_outage, leave, start
from chassis.logs import logger
from chassis.readiness import Check
from chassis.tasks import wait_out
from contracts.envelope import InvalidMessage, decode
from contracts.events import EditionPublished
from contracts.topics import DIRECTORY

log = logger(__name__)
_AT = TopicPartition(DIRECTORY.name, 0)
_EDITION_KEY = b"edition:"
START_SECONDS = 20.0


class KafkaDirectory:
    """`run` in a task of its own; the rest waits for what it has read."""

    def __init__(self, kafka: KafkaClient, check: Check) -> None:
        self._kafka = kafka
        self._check = check
        self._editions: dict[str, EditionPublished] = {}
        self._position = 0
        self._moved = asyncio.Condition()
        self._consumer: AIOKafkaConsumer | None = None

    def edition(self, edition_id: str) -> EditionPublished | None:
        return self._editions.get(edition_id)

    def all(self) -> list[EditionPublished]:
        return list(self._editions.values())

    async def run(self) -> None:
        while True:
            try:
                await self._follow(await wait_out(self._check, self._start, outage=is_outage))
            except (KafkaError, AssertionError) as error:
                if not (is_outage(error) or broke_off(error)):
                    raise
                # The consumer's inner tasks broke off; another one reads all from the beginning.
                self._check.down(repr(error)[:200])
                log.warning("reading the directory again", error=repr(error))
            finally:
                await self._stop()

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            found = await consumer.getmany(_AT, timeout_ms=1000, max_records=500)
            for record in found.get(_AT, []):
                self._read(record)
            position = await consumer.position(_AT)
            async with self._moved:
                self._position = position
                self._moved.notify_all()

    async def _stop(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await leave(consumer)

    async def _start(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(**self._kafka.follower_arguments("verification-directory"))
        try:
            await start(consumer)
            async with asyncio.timeout(START_SECONDS):
                consumer.assign([_AT])
                await consumer.seek_to_beginning(_AT)
        except BaseException:
            await leave(consumer)
            raise
        self._consumer = consumer
        return consumer

    async def catch_up(self) -> None:
        end = await wait_out(self._check, self._end, outage=is_outage)
        async with self._moved:
            await self._moved.wait_for(lambda: self._position >= end)

    async def _end(self) -> int:
        if self._consumer is None:
            raise ConnectionError("the directory is not being read yet")
        async with asyncio.timeout(START_SECONDS):
            return int((await self._consumer.end_offsets([_AT]))[_AT])

    def _read(self, record: ConsumerRecord) -> None:
        if not (record.key or b"").startswith(_EDITION_KEY):
            return
        edition_id = record.key.removeprefix(_EDITION_KEY).decode(errors="replace")
        if record.value is None:
            self._editions.pop(edition_id, None)
            return
        try:
            event = decode(record.value, record.headers).data
        except InvalidMessage as error:
            # Intake reads the directory as well, and sends this to the dead letters.
            log.warning("edition ignored", reason=error.reason, detail=str(error), offset=record.offset)
            return
        if isinstance(event, EditionPublished):
            self._editions[event.edition_id] = event
