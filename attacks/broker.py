"""A Kafka of an attack's own, as `make run` has one, in a folder that goes with the attack."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from chassis.kafka import KafkaClient
from chassis.topics import apply
from deploy.local.kafka import Broker
from deploy.local.layout import Layout
from deploy.local.ports import free_ports
from deploy.local.progress import Report
from deploy.local.stack import ensure_jars


@asynccontextmanager
async def own_kafka(folder: Path) -> AsyncIterator[str]:
    """Its bootstrap address; it has the catalogue's topics."""
    await ensure_jars(Layout(), Report())
    port, controller_port = free_ports(2)
    async with Broker(
        folder / "kafka", port=port, controller_port=controller_port, jars=Layout().jars
    ) as broker:
        await apply(KafkaClient(bootstrap=broker.bootstrap))
        yield broker.bootstrap
