"""Kafka keeps submissions as long as editions promise, and no longer."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import InvalidTimestampError

from chassis.kafka import KafkaClient
from chassis.topic_settings import admin, configure, retention_of
from chassis.topics import apply
from contracts.topics import DIRECTORY, FUTURE_MS, HOUR_MS, RATING_SUBMISSIONS, SEALED, kept_ms
from deploy.local.layout import CHECKOUT
from tests.integration.intake.test_commands import published, run
from tests.support import stack
from tests.support.intake import PUBLIC_KEY
from tests.support.intake_world import World, eventually


def edition_file(folder: Path, edition_id: str, days: int) -> Path:
    document = yaml.safe_load((CHECKOUT / "data" / "edition-2017.yaml").read_text())
    document["edition"] |= {"id": edition_id}
    document["edition"]["policy"] |= {"phone_retention_days": days}
    file = folder / f"{edition_id}.yaml"
    file.write_text(yaml.safe_dump(document, allow_unicode=True))
    return file


async def retention(kafka: KafkaClient) -> set[int]:
    async with admin(kafka, "test") as client:
        return set((await retention_of(client, SEALED)).values())


@pytest.fixture
async def as_before(world: World) -> AsyncIterator[None]:
    """The topics are shared with other tests."""
    yield
    async with admin(world.settings.kafka, "test") as client:
        await configure(client, {topic.name: topic.config for topic in SEALED})
    await eventually(lambda: keeps(world, kept_ms(90)), why="the catalogue's retention")


async def keeps(world: World, retention_ms: int) -> bool:
    return await retention(world.settings.kafka) == {retention_ms}


@pytest.mark.usefixtures("as_before")
async def test_an_edition_that_promises_less_than_kafka_keeps_is_refused_until_kafka_is_told(
    world: World, tmp_path: Path
) -> None:
    name = f"e{world.name}"
    file = edition_file(tmp_path, name, days=30)
    arguments = (
        "publish",
        str(file),
        "--sealing-key",
        f'{{"key_id":"{name}-1","public_key":"{PUBLIC_KEY}"}}',
    )
    for more in ((), ("--dry-run",), ("--dry-run", "--set-retention")):
        code, _, [line] = await run(world, *arguments, *more)
        assert (code, "30 days" in line, "--set-retention" in line) == (1, True, True), line
    assert await published(world, name) == []
    assert await retention(world.settings.kafka) == {kept_ms(90)}

    code, _, _ = await run(world, *arguments, "--set-retention")
    assert code == 0
    assert len(await published(world, name)) == 1
    await eventually(lambda: keeps(world, kept_ms(30)), why="the topic keeps what was promised")

    await apply(world.settings.kafka)
    code, _, _ = await run(world, *arguments)  # nothing to complain of any more
    assert (code, await retention(world.settings.kafka)) == (0, {kept_ms(30)})
    await forget_edition(world, name)


async def forget_edition(world: World, edition_id: str) -> None:
    async with AIOKafkaProducer(**world.settings.kafka.producer_arguments("test")) as producer:
        await producer.send_and_wait(DIRECTORY.name, None, key=f"edition:{edition_id}".encode())


async def test_a_message_older_than_promised_is_deleted_though_nobody_writes_any_more(tmp_path: Path) -> None:
    """On a broker of its own, whose first round of deleting is half a minute after its start."""
    now_ms = int(time.time() * 1000)
    old, young = TopicPartition(RATING_SUBMISSIONS.name, 0), TopicPartition(RATING_SUBMISSIONS.name, 1)
    async with stack.kafka_server(stack.chosen(), tmp_path) as kafka:
        client = KafkaClient(bootstrap=kafka.bootstrap)
        async with AIOKafkaProducer(**client.producer_arguments("test")) as producer:
            for at, written_ms in ((old, now_ms - kept_ms(90) - HOUR_MS), (young, now_ms - kept_ms(89))):
                await producer.send_and_wait(at.topic, b"x", partition=at.partition, timestamp_ms=written_ms)
            ahead = now_ms + 2 * FUTURE_MS
            with pytest.raises(InvalidTimestampError):
                await producer.send_and_wait(old.topic, b"x", partition=old.partition, timestamp_ms=ahead)
        async with AIOKafkaConsumer(**client.consumer_arguments("test")) as consumer, asyncio.timeout(200):
            while (await consumer.beginning_offsets([old, young]))[old] == 0:
                await asyncio.sleep(0.5)
            assert await consumer.beginning_offsets([old, young]) == {old: 1, young: 0}
