"""Intake's log on a real broker: the suite of every log, and what only a broker does."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from chassis.readiness import Check
from contracts.envelope import Message
from services.intake.adapters import kafka_log
from services.intake.adapters.kafka_log import KafkaLog
from services.intake.ports import NotKept
from tests.support.intake_log import TOPIC, LogSuite, message
from tests.support.intake_world import World, eventually
from tests.support.stack import Kafka


@dataclass
class OnKafka:
    log: KafkaLog
    check: Check
    kafka: Kafka
    world: World

    async def read(self, key: bytes | None) -> list[Message]:
        records = [record for record in await self.world.read(TOPIC) if record.key == key]
        return [Message(record.key, record.value, tuple(record.headers)) for record in records]

    async def take_away(self) -> None:
        await self.kafka.pause()

    async def bring_back(self) -> None:
        await self.kafka.resume()
        await self.stands()

    async def stands(self) -> None:
        await eventually(lambda: self.check.ok, why="a producer stands")


@pytest.fixture
async def subject(kafka: Kafka, world: World) -> AsyncIterator[OnKafka]:
    check = Check("kafka")
    log = KafkaLog(world.settings.kafka, check, name="test")
    running = asyncio.create_task(log.run())
    on_kafka = OnKafka(log, check, kafka, world)
    await on_kafka.stands()
    yield on_kafka
    assert not running.done()
    running.cancel()
    await asyncio.wait([running], timeout=10)
    assert running.done()


class TestKafkaLog(LogSuite):
    pass


async def test_a_broker_that_crashed_and_came_back_is_used_again(subject: OnKafka) -> None:
    before, during, after = message(), message(), message()
    await subject.log.append(TOPIC, before)
    await subject.kafka.kill()
    try:
        with pytest.raises(NotKept):
            await subject.log.append(TOPIC, during)
    finally:
        await subject.kafka.start()
    await subject.stands()
    await subject.log.append(TOPIC, after)
    assert await subject.read(before.key) == [before]
    assert await subject.read(after.key) == [after]


async def test_callers_beyond_the_bound_are_refused_without_waiting(
    subject: OnKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_log, "IN_FLIGHT_MOST", 10)
    await subject.take_away()
    try:
        waiting = [asyncio.create_task(subject.log.append(TOPIC, message())) for _ in range(10)]
        await asyncio.sleep(0)  # all have begun
        started = time.monotonic()
        with pytest.raises(NotKept, match="too many"):
            await subject.log.append(TOPIC, message())
        assert time.monotonic() - started < kafka_log.APPEND_SECONDS
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(result, NotKept) for result in results)
    finally:
        await subject.bring_back()
    await subject.log.append(TOPIC, message())


async def test_a_producer_out_of_sequence_is_replaced_though_nobody_sends(subject: OnKafka) -> None:
    """The broker's own refusal, after which aiokafka's producer takes nothing any more."""
    sent = message()
    await subject.log.append(TOPIC, sent)
    broken = subject.log._producer
    assert broken is not None
    for place in list(broken._txn_manager._sequence_numbers):
        broken._txn_manager._sequence_numbers[place] += 7
    with pytest.raises(NotKept):
        await subject.log.append(TOPIC, Message(sent.key, b"lost", sent.headers))
    await eventually(lambda: subject.log._producer not in (None, broken), why="another producer")
    await subject.stands()
    await subject.log.append(TOPIC, sent)
    assert await subject.read(sent.key) == [sent, sent]
