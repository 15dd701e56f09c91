"""Whether Kafka is there, holds the topics that a program needs, and lets it do its work."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    KafkaError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    for_code,
)
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.group import HeartbeatRequest
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

from chassis.checking.findings import Finding, Probe
from chassis.kafka import KafkaClient, Refused, let_go, start
from chassis.topic_settings import retention_of
from contracts.topics import TOPICS, Topic

APPLY = "apply deploy/security/kafka-acls.sh (docs/transport-security.md)"
TRANSACTION = 1
# Source: org.apache.kafka.common.acl.AclOperation, whose codes are the bits of `authorized_operations`.
OPERATIONS = {"Read": 3, "Write": 4}
_NOT_YET = (
    CoordinatorNotAvailableError,
    GroupCoordinatorNotAvailableError,
    CoordinatorLoadInProgressError,
)


@dataclass(frozen=True, slots=True)
class Work:
    """What a program does with Kafka: operations on topics, whose settings it reads, its group, and the first
    of its transactional ids."""

    topics: Sequence[tuple[Topic, frozenset[str]]]
    configs: Sequence[Topic] = ()
    group: str = ""
    transactions: str = ""


def work_of(program: str, *, group: str = "", transactions: str = "", configs: Sequence[Topic] = ()) -> Work:
    """Topics and operations are those that the catalogue says."""

    def operations(topic: Topic) -> Iterator[str]:
        if program in topic.readers:
            yield "Read"
        if program == topic.writer:
            yield "Write"

    needed = [(topic, frozenset(operations(topic))) for topic in TOPICS]
    return Work([(topic, each) for topic, each in needed if each], configs, group, transactions)


def probe(client: KafkaClient, work: Work, *, setting: str) -> Probe:
    async def find() -> AsyncIterator[Finding]:
        admin = AIOKafkaAdminClient(**client.arguments("check"))
        try:
            try:
                await start(admin)
            except (OSError, TimeoutError, KafkaError) as error:
                yield Finding("kafka", False, _no_way_in(error, client, setting))
                return
            yield Finding("kafka", True, f"{client.bootstrap} answers")
            for finding in await _topics(admin, work):
                yield finding
            for topic in work.configs:
                yield await _settings(admin, topic)
            if work.group:
                yield await _group(admin, work.group)
            if work.transactions:
                yield await _transactions(admin, work.transactions)
        finally:
            await let_go(admin.close())

    return Probe("kafka", find, setting)


def _no_way_in(error: Exception, client: KafkaClient, setting: str) -> str:
    if isinstance(error, Refused):
        at = setting.removesuffix("_BOOTSTRAP")
        return f"{error}: mend {at}_SASL_… or {at}_TLS_…, or the account (docs/transport-security.md)"
    return f"{client.bootstrap} does not answer ({type(error).__name__}): start it, or mend {setting}"


async def _topics(admin: AIOKafkaAdminClient, work: Work) -> list[Finding]:
    answer = await admin._send_request(_Topics([topic.name for topic, _ in work.topics]))
    told = {entry[1]: entry for entry in answer.topics}
    return [_topic(topic, wanted, told[topic.name]) for topic, wanted in work.topics]


def _topic(topic: Topic, wanted: frozenset[str], told: tuple[Any, ...]) -> Finding:
    code, _, _, partitions, operations = told
    what = f"topic {topic.name}"
    error = for_code(code).__name__ if code else ""
    if error == "TopicAuthorizationFailedError":
        return Finding(what, False, f"not there, or no right to see it: {APPLY}")
    if error == "UnknownTopicOrPartitionError":
        return Finding(what, False, "not there: python -m chassis.topics makes it")
    leaderless = sorted(number for failed, number, leader, *_ in partitions if failed or leader < 0)
    if error or leaderless:
        return Finding(what, False, f"partitions without a leader: {leaderless or error}; a broker is away")
    if len(partitions) < topic.partitions:
        text = f"{len(partitions)} partitions, the catalogue says {topic.partitions}: make it anew"
        return Finding(what, False, text)
    lacking = sorted(each for each in wanted if not _allowed(operations, each))
    if lacking:
        return Finding(what, False, f"no right to {', '.join(lacking)}: {APPLY}")
    return Finding(what, True, f"{len(partitions)} partitions; may {', '.join(sorted(wanted))}")


async def _settings(admin: AIOKafkaAdminClient, topic: Topic) -> Finding:
    what = f"settings of {topic.name}"
    try:
        await retention_of(admin, [topic])
    except TopicAuthorizationFailedError:
        return Finding(what, False, f"no right to DescribeConfigs: {APPLY}")
    return Finding(what, True, "may DescribeConfigs")


async def _group(admin: AIOKafkaAdminClient, group: str) -> Finding:
    """Asked by the heartbeat of a member that does not exist, which changes nothing."""
    try:
        node = await _coordinator(admin, group)
        code = (await admin._send_request(HeartbeatRequest(group, 0, "nobody"), node)).error_code
    except GroupAuthorizationFailedError as error:
        code = error.errno
    if code == GroupAuthorizationFailedError.errno:
        return Finding(f"group {group}", False, f"no right to Read: {APPLY}")
    return Finding(f"group {group}", True, "may Read")


async def _transactions(admin: AIOKafkaAdminClient, first: str) -> Finding:
    """Who may write with a transactional id may see its coordinator, and nobody else."""
    what = f"transactions {first}"
    try:
        await _coordinator(admin, first, TRANSACTION)
    except TransactionalIdAuthorizationFailed:
        return Finding(what, False, f"no right to Write: {APPLY}")
    return Finding(what, True, "may Write")


async def _coordinator(admin: AIOKafkaAdminClient, name: str, kind: int = 0) -> int:
    """Kafka makes its own topics of groups and transactions when the first is asked for."""
    while True:
        try:
            return int(await admin.find_coordinator(name, kind))
        except _NOT_YET:
            await asyncio.sleep(0.2)


def _allowed(operations: int, name: str) -> bool:
    return bool(operations & 1 << OPERATIONS[name])


# --- a request that aiokafka lacks: what the caller may do comes with the answer ----------------------------


class _MetadataResponse_v8(Response):  # type: ignore[misc]  # noqa: N801 - aiokafka's way
    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            Array(
                ("node_id", Int32),
                ("host", String("utf-8")),
                ("port", Int32),
                ("rack", String("utf-8")),
            ),
        ),
        ("cluster_id", String("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String("utf-8")),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
        ("cluster_authorized_operations", Int32),
    )


class _MetadataRequest_v8(RequestStruct):  # type: ignore[misc]  # noqa: N801
    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = _MetadataResponse_v8
    SCHEMA = Schema(
        ("topics", Array(String("utf-8"))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class _Topics(Request[_MetadataRequest_v8]):  # type: ignore[misc]
    API_KEY = 3

    def __init__(self, topics: list[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_MetadataRequest_v8]) -> _MetadataRequest_v8:
        return request_struct_class(self._topics, False, False, True)
