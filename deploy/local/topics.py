"""Make the topics of the catalogue, and hold those that exist to it."""

import asyncio

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from chassis.kafka import KafkaClient, start
from chassis.settings import FromEnvironment, environment
from chassis.topic_settings import RETENTION, configure, retention_of
from contracts.topics import SEALED, TOPICS, Topic
from deploy.local.errors import StackError

DEADLINE_SECONDS = 30.0


class Operator(FromEnvironment):
    """OPERATOR_KAFKA_… variables: how whoever runs commands here is let in to a cluster."""

    model_config = environment("OPERATOR_")

    kafka: KafkaClient = KafkaClient()


async def apply(kafka: KafkaClient, *, replicas: int = 1, topics: tuple[Topic, ...] = TOPICS) -> list[str]:
    """Make what is missing, set the configuration of what is there; return the names of the new ones.

    Raises StackError where a topic has another number of partitions, because more of them would move keys,
    and OSError or KafkaError without a cluster.
    """
    client = AIOKafkaAdminClient(**{**kafka.arguments("topics"), "request_timeout_ms": 10_000})
    async with asyncio.timeout(DEADLINE_SECONDS):
        await start(client)
        try:
            present = {entry["topic"]: entry for entry in await client.describe_topics()}
            missing = [topic for topic in topics if topic.name not in present]
            if missing:
                await _create(client, missing, replicas)
            existing = [topic for topic in topics if topic.name in present]
            for topic in existing:
                _check_partitions(topic, len(present[topic.name]["partitions"]))
            await _configure(client, existing)
        finally:
            await client.close()
    return [topic.name for topic in missing]


async def _create(client: AIOKafkaAdminClient, topics: list[Topic], replicas: int) -> None:
    new = [NewTopic(topic.name, topic.partitions, replicas, topic_configs=topic.config) for topic in topics]
    response = await client.create_topics(new)
    for name, code, *message in response.topic_errors:
        # Made by somebody else since we looked: as good as made by us.
        if code not in (0, TopicAlreadyExistsError.errno):
            raise for_code(code)(f"{name}: {message}")


async def _configure(client: AIOKafkaAdminClient, topics: list[Topic]) -> None:
    now = await retention_of(client, [topic for topic in topics if topic in SEALED])
    settings = {topic.name: topic.config for topic in topics}
    for name, retention_ms in now.items():
        # Shorter than the catalogue's: an edition asked for it when it was published.
        if 0 <= retention_ms < int(settings[name][RETENTION]):
            settings[name][RETENTION] = str(retention_ms)
    await configure(client, settings)


def _check_partitions(topic: Topic, actual: int) -> None:
    if actual != topic.partitions:
        raise StackError(
            f"Topic {topic.name} has {actual} partitions, the catalogue says {topic.partitions}.",
            "Partitions never change under existing keys: begin anew (`make clean`) or copy to a new topic.",
        )
