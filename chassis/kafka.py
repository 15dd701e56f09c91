"""What every Kafka client of the system is told, in one place."""

import asyncio
import ssl
import time
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, Literal, Self

from aiokafka import AIOKafkaClient, AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import create_conn
from aiokafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    GroupCoordinatorNotAvailableError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    LeaderNotAvailableError,
    NodeNotReadyError,
    NotCoordinatorForGroupError,
    NotEnoughReplicasError,
    NotLeaderForPartitionError,
    RequestTimedOutError,
    SaslAuthenticationFailed,
    UnknownTopicOrPartitionError,
    UnsupportedSaslMechanismError,
)
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from chassis.logs import logger
from chassis.settings import Misfits
from contracts.topics import DEAD_LETTER_BYTES

log = logger(__name__)
ABANDON_SECONDS = 2.0
START_SECONDS = 10.0
REASON_SECONDS = 2.0
QUIET_SECONDS, QUIET_WAIT_MS = 5.0, 1_000
_OUTAGES: tuple[type[BaseException], ...] = (
    OSError,
    TimeoutError,
    KafkaConnectionError,
    KafkaTimeoutError,
    NodeNotReadyError,
    RequestTimedOutError,
    LeaderNotAvailableError,
    NotLeaderForPartitionError,
    NotEnoughReplicasError,
    UnknownTopicOrPartitionError,
    CoordinatorNotAvailableError,
    GroupCoordinatorNotAvailableError,
    CoordinatorLoadInProgressError,
    NotCoordinatorForGroupError,
)


def is_outage(error: BaseException) -> bool:
    """Whether to wait and try again: the broker is away, or a topic's leader or coordinator is moving."""
    return isinstance(error, _OUTAGES)


def broke_off(error: BaseException) -> bool:
    """Whether inner tasks of an aiokafka client have ended, so that it is of no more use: another one has to
    be made. It says so by a bare KafkaError, or, where for a moment no broker of a cluster lives, by a failed
    assertion."""
    return type(error) is KafkaError or isinstance(error, AssertionError)


class Refused(KafkaConnectionError):  # type: ignore[misc] # aiokafka is untyped here
    """The cluster does not let us in, or is not the one that we trust.

    Waited out as an outage is: the other side may be the one to be mended. The text says which.
    """

    def __str__(self) -> str:
        return str(self.args[0])


_CONNECTION = (
    "client_id",
    "request_timeout_ms",
    "ssl_context",
    "security_protocol",
    "sasl_mechanism",
    "sasl_plain_username",
    "sasl_plain_password",
)
_SASL_REFUSALS = (SaslAuthenticationFailed, UnsupportedSaslMechanismError, IllegalSaslStateError)


async def start(
    client: AIOKafkaConsumer | AIOKafkaProducer | AIOKafkaAdminClient, *, seconds: float = START_SECONDS
) -> None:
    """Start a client. Raises what `is_outage` knows, among it Refused. Closing it is the caller's."""
    try:
        async with asyncio.timeout(seconds):
            await client.start()
    except AssertionError as error:  # how aiokafka meets a cluster without a living broker
        raise ConnectionError(str(error)) from error
    except KafkaConnectionError as error:
        inner = client.client if isinstance(client, AIOKafkaProducer) else client._client
        reason = await _reason(inner)
        if reason is None:
            raise
        raise reason from error


async def _reason(client: AIOKafkaClient) -> KafkaConnectionError | None:
    """Why no broker was reached: aiokafka only logs it, and then speaks of every cause alike."""
    arguments = {name: getattr(client, f"_{name}") for name in _CONNECTION}
    found: KafkaConnectionError | None = None
    for host, port, _ in client.hosts:
        try:
            async with asyncio.timeout(REASON_SECONDS):
                connection = await create_conn(host, port, **arguments)
            connection.close()
        except ssl.SSLError as error:
            why = getattr(error, "verify_message", "") or error.reason
            return Refused(f"no TLS with Kafka at {host}:{port}: {why}")
        except _SASL_REFUSALS as error:
            return Refused(f"Kafka at {host}:{port} refuses {client._sasl_plain_username}: {error}")
        except (KafkaError, OSError) as error:
            found = KafkaConnectionError(f"Kafka at {host}:{port}: {error!r}")
    return found


async def abandon(producer: AIOKafkaProducer) -> None:
    """Close a producer at once; what it still holds fails.

    There is no public way: `stop` flushes first, and for ever while the broker is away.
    """
    producer._closed = True
    producer._message_accumulator.fail_all(KafkaConnectionError("the producer was given up"))
    _hear_out(producer)
    sender = producer._sender.sender_task
    deadline = asyncio.get_running_loop().time() + ABANDON_SECONDS
    while sender is not None and not sender.done() and asyncio.get_running_loop().time() < deadline:
        sender.cancel()  # it waits for its own requests first; a second time cancels those
        await asyncio.wait([sender], timeout=0.2)
    if sender is not None and not sender.done():
        log.warning("a producer's task did not end")
    await let_go(producer.client.close())


def _hear_out(producer: AIOKafkaProducer) -> None:
    """Take note of failures that nobody waits for any more; asyncio would report them as forgotten."""
    pending = [each for held in producer._message_accumulator._batches.values() for each in held]
    waiters = [batch._drain_waiter for batch in (*pending, *producer._message_accumulator._pending_batches)]
    if producer._txn_manager is not None:
        waiters.append(producer._txn_manager._transaction_waiter)
    for waiter in waiters:
        if waiter is not None and waiter.done() and not waiter.cancelled():
            waiter.exception()


async def leave(consumer: AIOKafkaConsumer) -> None:
    """Stop a consumer, whether the broker is there or not.

    aiokafka cancels its own fetches and awaits them; while the broker is away `stop` then ends in a
    CancelledError, by which the calling task would pass for cancelled, and leaves connections open.
    """
    await let_go(consumer.stop())
    await let_go(consumer._client.close())  # what `stop`, cut off, has left open


async def let_go(closing: Coroutine[Any, Any, None]) -> None:
    """Close in a task of its own, which alone is cancelled by what aiokafka cancels, and not for ever.

    TLS says goodbye, and waits half a minute for a broker that hangs to say it too.
    """
    task = asyncio.create_task(closing)
    done, _ = await asyncio.wait({task}, timeout=ABANDON_SECONDS)
    if not done:
        task.cancel()
        await asyncio.wait({task}, timeout=ABANDON_SECONDS)
    if task.done() and not task.cancelled() and task.exception() is not None:
        log.warning("a client did not close well", error=repr(task.exception()))


class Patience:
    """How long a consumer's fetches may wait at the broker: `busy` milliseconds, or a second where nothing
    has come for a while.

    One fetch serves all partitions. While some are busy it must not wait long for the silence of the others;
    while all are silent it may, for the first record is answered at once.
    """

    def __init__(self, consumer: AIOKafkaConsumer, *, busy: int) -> None:
        self._consumer = consumer
        self._busy = busy
        self._quiet_since = time.monotonic()

    def saw(self, *, anything: bool) -> None:
        """After each fetch of a consumer that has started; aiokafka itself has one wait for good."""
        now = time.monotonic()
        if anything:
            self._quiet_since = now
        quiet = now - self._quiet_since > QUIET_SECONDS
        self._consumer._fetcher._fetch_max_wait_ms = QUIET_WAIT_MS if quiet else self._busy


class KafkaClient(BaseModel):
    """How to reach the cluster and be let in. Becomes part of a service's settings.

    A combination that does not fit is refused when it is made. With TLS the broker's certificate and name are
    always checked; passwords travel inside TLS alone. Files are read again for each client that is made.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    bootstrap: str = Field(
        "127.0.0.1:9092", min_length=1, description="Brokers, as host:port with commas between them."
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_SSL"] = Field(
        "PLAINTEXT",
        description="`SASL_SSL`: TLS and a password. `SSL`: TLS, and a client certificate where asked for."
        " `PLAINTEXT`: for the loopback interface alone.",
    )
    sasl_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = Field(
        "SCRAM-SHA-512", description="How the password proves itself, with `SASL_SSL`."
    )
    sasl_username: str = Field("", description="The principal that the ACLs name, with `SASL_SSL`.")
    sasl_password: SecretStr = Field(SecretStr(""), description="Its password; better, a file of it.")
    sasl_password_file: Path | None = Field(
        None, description="Holds the password; read again for each connection, so a new one needs no restart."
    )
    tls_ca_file: Path | None = Field(None, description="Whom to trust; else those whom the machine trusts.")
    tls_cert_file: Path | None = Field(None, description="The client's own certificate, where asked for.")
    tls_key_file: Path | None = Field(None, description="The key of that certificate, unencrypted PEM.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        wrong = dict(self._misfits())
        if not wrong and self.security_protocol != "PLAINTEXT":
            for used in (self._tls, self._password):
                try:
                    used()
                except Misfits as error:
                    wrong |= error.problems
        if wrong:
            raise Misfits(wrong)
        return self

    def _misfits(self) -> Iterator[tuple[str, str]]:
        given = {name.upper() for name in self.model_fields_set if getattr(self, name)}
        sasl = sorted(name for name in given if name.startswith("SASL_"))
        tls = sorted(name for name in given if name.startswith("TLS_"))
        if self.security_protocol == "PLAINTEXT" and (sasl or tls):
            yield (
                "SECURITY_PROTOCOL",
                f"with {', '.join(sasl + tls)} set SECURITY_PROTOCOL to SSL or SASL_SSL",
            )
        if self.security_protocol == "SSL" and sasl:
            yield "SECURITY_PROTOCOL", f"with {', '.join(sasl)} set SECURITY_PROTOCOL to SASL_SSL"
        if self.security_protocol == "SASL_SSL":
            if "SASL_USERNAME" not in given:
                yield "SASL_USERNAME", "with SECURITY_PROTOCOL=SASL_SSL set SASL_USERNAME"
            if len(given & {"SASL_PASSWORD", "SASL_PASSWORD_FILE"}) != 1:
                both = "with SECURITY_PROTOCOL=SASL_SSL set SASL_PASSWORD or SASL_PASSWORD_FILE"
                yield "SASL_PASSWORD_FILE", both
        if len(given & {"TLS_CERT_FILE", "TLS_KEY_FILE"}) == 1:
            yield "TLS_CERT_FILE", "set both TLS_CERT_FILE and TLS_KEY_FILE, or neither"

    def _security(self) -> dict[str, Any]:
        """Raises Misfits where a file cannot be used."""
        if self.security_protocol == "PLAINTEXT":
            return {}
        found: dict[str, Any] = {"security_protocol": self.security_protocol, "ssl_context": self._tls()}
        if self.security_protocol == "SASL_SSL":
            found |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.sasl_username,
                "sasl_plain_password": self._password(),
            }
        return found

    def _tls(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.tls_ca_file)
        except OSError as error:  # SSLError is one
            said = f"TLS_CA_FILE {self.tls_ca_file} cannot be used: {error}"
            raise Misfits({"TLS_CA_FILE": said}) from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.tls_cert_file is not None:
            try:
                # An encrypted key is refused; without a password given, OpenSSL would ask a terminal.
                context.load_cert_chain(self.tls_cert_file, self.tls_key_file, password="")
            except OSError as error:
                files = f"TLS_CERT_FILE {self.tls_cert_file}, TLS_KEY_FILE {self.tls_key_file}"
                raise Misfits({"TLS_CERT_FILE": f"{files} cannot be used: {error}"}) from error
        return context

    def _password(self) -> str:
        if self.sasl_password_file is None:
            return self.sasl_password.get_secret_value()
        try:
            password = self.sasl_password_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            said = f"SASL_PASSWORD_FILE {self.sasl_password_file} cannot be read"
            raise Misfits({"SASL_PASSWORD_FILE": said}) from error
        if not password:
            raise Misfits({"SASL_PASSWORD_FILE": f"SASL_PASSWORD_FILE {self.sasl_password_file} is empty"})
        return password

    def arguments(self, client_id: str) -> dict[str, Any]:
        """Keyword arguments for any aiokafka client. Times in milliseconds."""
        return {
            "bootstrap_servers": self.bootstrap,
            "client_id": client_id,
            "request_timeout_ms": 5_000,
            "retry_backoff_ms": 100,
            "metadata_max_age_ms": 30_000,
            **self._security(),
        }

    def consumer_arguments(self, client_id: str) -> dict[str, Any]:
        """For consumers: committed records only, offsets by hand, a lost worker's partitions move in 6 s."""
        return {
            **self.arguments(client_id),
            "isolation_level": "read_committed",
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
            "session_timeout_ms": 6_000,
            "heartbeat_interval_ms": 2_000,
        }

    def follower_arguments(self, client_id: str) -> dict[str, Any]:
        """For consumers of one partition: they are answered as soon as there is something, however long they
        are ready to wait."""
        return {**self.consumer_arguments(client_id), "fetch_max_wait_ms": 3_000}

    def producer_arguments(self, client_id: str) -> dict[str, Any]:
        """For producers: acknowledged by all replicas, idempotent."""
        return {
            **self.arguments(client_id),
            "acks": "all",
            "enable_idempotence": True,
            "linger_ms": 0,
            # The catalogue says for each topic what fits, and the broker holds to it.
            "max_request_size": DEAD_LETTER_BYTES,
        }
