"""Make the topics of the catalogue, and hold those that exist to it: python -m chassis.topics"""

import asyncio
import sys

import typer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import InvalidReplicationFactorError, TopicAlreadyExistsError, for_code

from chassis.kafka import KafkaClient, is_outage, start
from chassis.logs import configure as configure_logs
from chassis.settings import FromEnvironment, environment, read
from chassis.topic_settings import RETENTION, configure, retention_of
from contracts.topics import SEALED, TOPICS, Topic

DEADLINE_SECONDS = 30.0
LOOK_SECONDS = 0.5
AS_THE_CLUSTER_SAYS = -1
"""As many copies as the brokers' default.replication.factor."""


class Operator(FromEnvironment):
    """OPERATOR_KAFKA_… variables: how whoever runs this is let in to a cluster."""

    model_config = environment("OPERATOR_")

    kafka: KafkaClient = KafkaClient()


class PartitionsDiffer(Exception):
    """A topic has another number of partitions than the catalogue says; more of them would move keys."""


async def apply(kafka: KafkaClient, *, topics: tuple[Topic, ...] = TOPICS) -> list[str]:
    """Make what is missing, set the configuration of what is there; return the names of the new ones.

    Raises PartitionsDiffer, and OSError or KafkaError without a cluster, or with too few brokers in it.
    """
    client = AIOKafkaAdminClient(**{**kafka.arguments("topics"), "request_timeout_ms": 10_000})
    async with asyncio.timeout(DEADLINE_SECONDS):
        await start(client)
        try:
            present = {entry["topic"]: entry for entry in await client.describe_topics()}
            missing = [topic for topic in topics if topic.name not in present]
            if missing:
                await _create(client, missing)
            existing = [topic for topic in topics if topic.name in present]
            for topic in existing:
                _check_partitions(topic, len(present[topic.name]["partitions"]))
            await _configure(client, existing)
        finally:
            await client.close()
    return [topic.name for topic in missing]


async def _create(client: AIOKafkaAdminClient, topics: list[Topic]) -> None:
    # The client takes no -1 without assignments; none at all will do.
    new = [
        NewTopic(topic.name, topic.partitions, AS_THE_CLUSTER_SAYS, {}, topic_configs=topic.config)
        for topic in topics
    ]
    response = await client.create_topics(new)
    # In a cluster that is just starting, not all brokers that are to have a copy are there yet.
    while any(code == InvalidReplicationFactorError.errno for _, code, *_ in response.topic_errors):
        await asyncio.sleep(LOOK_SECONDS)
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
        raise PartitionsDiffer(
            f"Topic {topic.name} has {actual} partitions, the catalogue says {topic.partitions}."
            " Partitions never change under existing keys: begin anew, or copy to a new topic."
        )


def main() -> None:
    """Make the topics of the catalogue. OPERATOR_KAFKA_… variables say how to be let in.

    Example: OPERATOR_KAFKA_BOOTSTRAP=127.0.0.1:9092 python -m chassis.topics
    """
    kafka = read(Operator).kafka
    configure_logs("topics", level="CRITICAL")  # the result, or one line of what went wrong, is enough
    try:
        made = asyncio.run(apply(kafka))
    except PartitionsDiffer as error:
        sys.exit(str(error))
    except Exception as error:
        if not is_outage(error):
            raise
        why = str(error) or f"no answer, or too few brokers, within {DEADLINE_SECONDS:.0f} s"
        sys.exit(f"Kafka at {kafka.bootstrap} (OPERATOR_KAFKA_… variables): {why}")
    typer.echo(f"made {', '.join(made)}" if made else "all there, configuration applied")


if __name__ == "__main__":
    typer.run(main)
