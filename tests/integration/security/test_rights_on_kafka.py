"""What each service may do on Kafka: its own work. The ACLs are those that operators apply."""

import asyncio
from contextlib import suppress

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    for_code,
)

from chassis import kafka
from contracts.topics import TOPICS
from services.aggregation.adapters.faust_worker import GROUP as AGGREGATION_GROUP
from services.verification.adapters.submissions import GROUP as VERIFICATION_GROUP
from tests.support.secured import PRINCIPALS, Secured

SECONDS = 30.0
LARGER_THAN_ANY_TOPIC_TAKES = b"0" * (2 * 1024 * 1024)
WRITES = {
    "intake": {"rating-submissions", "directory", "directory-dlt", "office-actions"},
    "verification": {"rating-outcomes", "rating-submissions-dlt"},
    "aggregation": {"rating-outcomes-dlt"},
    # They send dead letters again, and mark them.
    "operators": {
        "rating-submissions",
        "rating-submissions-dlt",
        "rating-outcomes",
        "rating-outcomes-dlt",
    },
}
READS = {
    "intake": {"directory", "directory-dlt", "rating-submissions", "office-actions"},
    "verification": {"rating-submissions", "directory"},
    "aggregation": {"rating-outcomes", "directory"},
    "operators": {"rating-submissions-dlt", "rating-outcomes-dlt", "directory-dlt"},
}
NAMES = sorted(topic.name for topic in TOPICS)


async def may_write(secured: Secured, principal: str, topic: str) -> bool:
    """Asked with a message that is too large, so that nothing is ever written."""
    arguments = secured.kafka(principal).producer_arguments("test") | {"max_request_size": 4 * 1024 * 1024}
    producer = AIOKafkaProducer(**arguments)
    try:
        await kafka.start(producer)
        async with asyncio.timeout(SECONDS):
            await producer.send_and_wait(topic, LARGER_THAN_ANY_TOPIC_TAKES, partition=0)
    except MessageSizeTooLargeError:
        return True
    except TopicAuthorizationFailedError:
        return False
    finally:
        await kafka.abandon(producer)
    raise AssertionError(f"{topic} took a message of 2 MiB")


async def may_read(secured: Secured, principal: str, topic: str) -> bool:
    at = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(**secured.kafka(principal).consumer_arguments("test"))
    try:
        await kafka.start(consumer)
        consumer.assign([at])
        async with asyncio.timeout(SECONDS):
            while consumer.highwater(at) is None:  # known once a fetch was answered
                if topic in consumer._client.cluster.unauthorized_topics:  # not even to be seen
                    return False
                await consumer.getmany(at, timeout_ms=100)
    except TopicAuthorizationFailedError:
        return False
    finally:
        await kafka.leave(consumer)
    return True


@pytest.mark.parametrize("principal", PRINCIPALS)
async def test_each_writes_its_own_topics_and_no_other(secured: Secured, principal: str) -> None:
    assert {name for name in NAMES if await may_write(secured, principal, name)} == WRITES[principal]


@pytest.mark.parametrize("principal", PRINCIPALS)
async def test_each_reads_what_it_needs_and_no_more(secured: Secured, principal: str) -> None:
    assert {name for name in NAMES if await may_read(secured, principal, name)} == READS[principal]


@pytest.mark.parametrize("principal", PRINCIPALS)
@pytest.mark.parametrize(
    ("group", "member"), [(VERIFICATION_GROUP, "verification"), (AGGREGATION_GROUP, "aggregation")]
)
async def test_only_its_own_service_joins_a_consumer_group(
    secured: Secured, principal: str, group: str, member: str
) -> None:
    arguments = secured.kafka(principal).consumer_arguments("test")
    consumer = AIOKafkaConsumer(**arguments, group_id=group)
    at = TopicPartition("directory", 0)  # of no importance: a group remembers offsets of any topic
    allowed = True
    try:
        await kafka.start(consumer)
        consumer.assign([at])
        async with asyncio.timeout(SECONDS):
            await consumer.committed(at)
    except GroupAuthorizationFailedError:
        allowed = False
    finally:
        await kafka.leave(consumer)
    assert allowed == (principal == member)


@pytest.mark.parametrize("principal", PRINCIPALS)
@pytest.mark.parametrize(
    ("transactions", "owner"),
    # Of no partition that there is: a running worker is not to be fenced by a test.
    [("verification-rating-submissions-99", "verification"), ("intake-directory", "intake")],
)
async def test_only_its_own_service_opens_the_transactions_that_fence_it(
    secured: Secured, principal: str, transactions: str, owner: str
) -> None:
    arguments = secured.kafka(principal).producer_arguments("test")
    producer = AIOKafkaProducer(**arguments, transactional_id=transactions)
    allowed = True
    try:
        await kafka.start(producer, seconds=SECONDS)
    except TransactionalIdAuthorizationFailed:
        allowed = False
    finally:
        await kafka.abandon(producer)
    assert allowed == (principal == owner)


@pytest.mark.parametrize("principal", PRINCIPALS)
async def test_nobody_makes_other_topics_or_deletes_any(secured: Secured, principal: str) -> None:
    client = AIOKafkaAdminClient(**secured.kafka(principal).arguments("test"))
    await kafka.start(client)
    try:
        made = await client.create_topics([NewTopic("anything", 1, 1)])
        assert {for_code(error[1]) for error in made.topic_errors} == {TopicAuthorizationFailedError}
        deleted = await client.delete_topics(["rating-outcomes"])
        assert {for_code(error[1]) for error in deleted.topic_error_codes} == {TopicAuthorizationFailedError}
    finally:
        with suppress(AttributeError):
            await client.close()
