"""How the broker is told to keep topics: read, and set."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from chassis.kafka import KafkaClient, start
from contracts.topics import Topic

RETENTION = "retention.ms"
DEADLINE_SECONDS = 30.0


@asynccontextmanager
async def admin(client: KafkaClient, name: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """Raises outages of Kafka."""
    connected = AIOKafkaAdminClient(**client.arguments(name))
    async with asyncio.timeout(DEADLINE_SECONDS):
        try:
            await start(connected)
            yield connected
        finally:
            await connected.close()


async def retention_of(client: AIOKafkaAdminClient, topics: Iterable[Topic]) -> dict[str, int]:
    """`retention.ms` by name, as the broker has it now; -1 is for ever. Raises KafkaError."""
    asked = [ConfigResource(ConfigResourceType.TOPIC, topic.name, {RETENTION: None}) for topic in topics]
    found: dict[str, int] = {}
    for response in await client.describe_configs(asked) if asked else ():
        for code, message, _kind, name, entries in response.resources:
            if code != 0:
                raise for_code(code)(f"{name}: {message}")
            found[name] = next(int(value) for setting, value, *_ in entries if setting == RETENTION)
    return found


async def configure(client: AIOKafkaAdminClient, settings: Mapping[str, Mapping[str, str]]) -> None:
    """Set the topics' settings, by name; brokers follow a moment later. What is not among them goes back to
    its default. Raises KafkaError.
    """
    asked = [ConfigResource(ConfigResourceType.TOPIC, name, dict(each)) for name, each in settings.items()]
    for response in await client.alter_configs(asked) if asked else ():
        for code, message, _kind, name in response.resources:
            if code != 0:
                raise for_code(code)(f"{name}: {message}")
