"""Who is let in to Kafka and PostgreSQL, and whom we let be Kafka and PostgreSQL."""

import asyncio
import os
import secrets
import signal
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError

from chassis import kafka, postgres
from chassis.kafka import KafkaClient, Refused
from deploy.local.ports import HOST
from tests.support.certificates import Authority
from tests.support.secured import Secured

SECONDS_OF_TLS = 28.0  # asyncio gives a peer 30 to say goodbye


async def topics_seen_by(client: KafkaClient) -> set[str]:
    consumer = AIOKafkaConsumer(**client.consumer_arguments("test"))
    try:
        await kafka.start(consumer)
        return set(await consumer.topics())
    finally:
        await kafka.leave(consumer)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that nobody trusts."""
    return Authority(tmp_path_factory.mktemp("stranger"), name="stranger")


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"])
async def test_a_service_logs_in_with_its_password(secured: Secured, mechanism: str) -> None:
    await topics_seen_by(secured.kafka("intake", sasl_mechanism=mechanism))


def by_certificate(secured: Secured, certificate: Path, key: Path) -> KafkaClient:
    return KafkaClient(
        bootstrap=f"{HOST}:{secured.tls_port}",
        security_protocol="SSL",
        tls_ca_file=secured.authority.certificate,
        tls_cert_file=certificate,
        tls_key_file=key,
    )


async def test_a_service_logs_in_with_its_certificate(secured: Secured) -> None:
    own = secured.certificates["intake"]
    await topics_seen_by(by_certificate(secured, own.certificate, own.key))


async def test_a_strangers_certificate_is_no_login(secured: Secured, stranger: Authority) -> None:
    own = stranger.issue("intake")
    with pytest.raises(KafkaConnectionError):
        await topics_seen_by(by_certificate(secured, own.certificate, own.key))


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"])
async def test_a_wrong_password_is_refused_in_one_line(secured: Secured, mechanism: str) -> None:
    client = secured.kafka("intake", sasl_mechanism=mechanism, sasl_password="guessed")
    with pytest.raises(Refused) as refused:
        await topics_seen_by(client)
    [line] = str(refused.value).splitlines()
    assert line.startswith(f"Kafka at {client.bootstrap} refuses intake: ")
    assert "guessed" not in line
    assert kafka.is_outage(refused.value), "waited for: the password may just be changing"


@pytest.mark.parametrize("port", ["sasl_port", "tls_port"])
async def test_nobody_is_spoken_to_in_the_clear(secured: Secured, port: str) -> None:
    with pytest.raises(KafkaConnectionError):
        await topics_seen_by(KafkaClient(bootstrap=f"{HOST}:{getattr(secured, port)}"))


async def test_tls_alone_is_no_login(secured: Secured) -> None:
    without: dict[str, Any] = {"sasl_username": None, "sasl_password": None}
    for port in (secured.sasl_port, secured.tls_port):
        bootstrap = f"{HOST}:{port}"
        with pytest.raises(KafkaConnectionError):
            await topics_seen_by(
                secured.kafka("intake", security_protocol="SSL", bootstrap=bootstrap, **without)
            )


async def test_a_broker_of_another_authority_is_not_believed(secured: Secured, stranger: Authority) -> None:
    with pytest.raises(Refused, match=r"no TLS with Kafka .* certificate"):
        await topics_seen_by(secured.kafka("intake", tls_ca_file=stranger.certificate))


async def test_a_broker_under_another_name_is_not_believed(secured: Secured) -> None:
    with pytest.raises(Refused, match="not valid for 'localhost'"):
        await topics_seen_by(secured.kafka("intake", bootstrap=f"localhost:{secured.sasl_port}"))


async def test_clients_are_given_up_while_the_broker_hangs(secured: Secured) -> None:
    """By TLS too, where closing a connection takes two: else a service would hang with its broker."""
    client = secured.kafka("intake")
    consumer = AIOKafkaConsumer(**client.consumer_arguments("test"))
    producer = AIOKafkaProducer(**client.producer_arguments("test"))
    for each in (consumer, producer):
        await kafka.start(each)
    os.kill(secured.broker.process.pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(SECONDS_OF_TLS):
            await kafka.leave(consumer)
            await kafka.abandon(producer)
    finally:
        os.kill(secured.broker.process.pid, signal.SIGCONT)


async def test_a_role_logs_in_to_its_database_by_tls(secured: Secured) -> None:
    connection = await asyncpg.connect(secured.url("verification_app"))
    try:
        assert await connection.fetchval("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()") in (
            "TLSv1.2",
            "TLSv1.3",
        )
    finally:
        await connection.close()


async def test_a_password_can_stand_in_a_file(secured: Secured, tmp_path: Path) -> None:
    passfile = tmp_path / "pgpass"
    passfile.touch(mode=0o600)
    passfile.write_text(f"*:*:*:aggregation_api:{secured.passwords['aggregation_api']}\n")
    url = secured.url("aggregation_api").replace(f":{secured.passwords['aggregation_api']}", "", 1)
    connection = await asyncpg.connect(f"{url}&passfile={passfile}")
    await connection.close()


async def test_a_password_is_changed_while_a_pool_stands(secured: Secured, tmp_path: Path) -> None:
    role, new = "aggregation_owner", secrets.token_urlsafe(18)
    passfile = tmp_path / "pgpass"
    passfile.touch(mode=0o600)
    passfile.write_text(f"*:*:*:{role}:{secured.passwords[role]}\n")
    url = secured.url(role).replace(f":{secured.passwords[role]}", "", 1)
    pool = await postgres.create_pool(f"{url}&passfile={passfile}", name="test")
    administrator = await secured.as_superuser("aggregation")
    try:
        async with pool.acquire() as before:
            await administrator.execute(f"ALTER ROLE {role} PASSWORD '{new}'")
            secured.passwords[role] = new
            passfile.write_text(f"*:*:*:{role}:{new}\n")
            async with pool.acquire() as after:
                pids = [await each.fetchval("SELECT pg_backend_pid()") for each in (before, after)]
        assert len(set(pids)) == 2
    finally:
        await administrator.close()
        await pool.close()


async def test_the_database_speaks_to_nobody_in_the_clear(secured: Secured) -> None:
    url = secured.url("verification_app").split("?")[0]
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match="no encryption"):
        await asyncpg.connect(f"{url}?sslmode=disable")


@pytest.mark.parametrize("wrong", ["authority", "host"])
async def test_another_database_server_is_not_believed(
    secured: Secured, stranger: Authority, wrong: str
) -> None:
    url = (
        secured.url("verification_app", authority=stranger.certificate)
        if wrong == "authority"
        else secured.url("verification_app", host="localhost")
    )
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED") as error:
        await asyncpg.connect(url)
    assert postgres.is_outage(error.value)


async def test_a_wrong_database_password_is_refused_and_waited_for(secured: Secured) -> None:
    url = secured.url("verification_app").replace(secured.passwords["verification_app"], "guessed")
    with pytest.raises(asyncpg.InvalidPasswordError) as error:
        await asyncpg.connect(url)
    assert postgres.is_outage(error.value)
