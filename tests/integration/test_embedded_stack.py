"""The embedded broker and database, really started, from what `make run` downloads."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from chassis.kafka import KafkaClient
from chassis.topics import apply
from contracts.topics import DIRECTORY, RATING_OUTCOMES, TOPICS
from deploy.local.kafka import Broker
from deploy.local.layout import Layout
from deploy.local.ports import free_ports
from deploy.local.postgres import Database
from deploy.local.progress import Report
from deploy.local.stack import ensure_jars


@pytest.fixture(scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Broker]:
    layout = Layout()
    await ensure_jars(layout, Report())
    port, controller_port = free_ports(2)
    folder = tmp_path_factory.mktemp("kafka")
    async with Broker(folder, port=port, controller_port=controller_port, jars=layout.jars) as broker:
        yield broker


@pytest.fixture(scope="module")
async def database(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    folder = tmp_path_factory.mktemp("postgres")
    names = ("verification", "aggregation")
    async with Database(
        folder / "data", port=free_ports(1)[0], secrets_directory=folder / "keys", databases=names
    ) as database:
        yield database


async def test_topics_are_made_as_the_catalogue_has_them_and_only_once(broker: Broker) -> None:
    made = await apply(KafkaClient(bootstrap=broker.bootstrap))
    assert set(made) <= {topic.name for topic in TOPICS}
    assert await apply(KafkaClient(bootstrap=broker.bootstrap)) == []
    client = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await client.start()
    try:
        partitions = {entry["topic"]: len(entry["partitions"]) for entry in await client.describe_topics()}
        assert {topic.name: partitions[topic.name] for topic in TOPICS} == {
            t.name: t.partitions for t in TOPICS
        }
        resource = ConfigResource(ConfigResourceType.TOPIC, DIRECTORY.name, DIRECTORY.config)
        (answer,) = await client.describe_configs([resource])
        assert {name: value for name, value, *_ in answer.resources[0][4]} == DIRECTORY.config
    finally:
        await client.close()


async def test_a_topic_outside_the_catalogue_is_never_made(broker: Broker) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, request_timeout_ms=2_000)
    await producer.start()
    try:
        with pytest.raises(KafkaError):
            await producer.send_and_wait("nobody-made-this", b"lost")
    finally:
        await producer.stop()


async def test_acknowledged_records_survive_a_killed_broker(broker: Broker) -> None:
    await apply(KafkaClient(bootstrap=broker.bootstrap))
    async with AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap, acks="all", enable_idempotence=True
    ) as producer:
        sent = await producer.send_and_wait(RATING_OUTCOMES.name, b"kept", partition=0)
    await broker.kill()
    await broker.start()
    async with AIOKafkaConsumer(
        RATING_OUTCOMES.name, bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest"
    ) as consumer:
        record = await consumer.getone()
    assert (record.offset, record.value) == (sent.offset, b"kept")


async def test_each_role_enters_its_own_database_alone(database: Database) -> None:
    own = await asyncpg.connect(database.url("verification"))
    assert await own.fetchval("SELECT current_setting('server_version_num')::int / 10000") == 18
    await own.close()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(database.url("verification").removesuffix("verification") + "aggregation")
    wrong = database.url("verification").replace("verification:", "verification:not-", 1)
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(wrong)


async def test_committed_rows_survive_a_killed_database(database: Database) -> None:
    connection = await asyncpg.connect(database.url("aggregation"))
    await connection.execute("CREATE TABLE kept AS SELECT 'Hài lòng' AS answer")
    connection.terminate()
    await database.kill()
    await database.start()
    connection = await asyncpg.connect(database.url("aggregation"))
    assert await connection.fetchval("SELECT upper(answer) FROM kept") == "HÀI LÒNG"
    await connection.close()


def test_passwords_are_for_their_owner_only_and_the_server_is_never_root(database: Database) -> None:
    modes = {path.stat().st_mode & 0o777 for path in database.secrets_directory.iterdir()}
    assert modes == {0o600}
    assert Path(f"/proc/{database.process.pid}").stat().st_uid != 0 or os.geteuid() != 0
