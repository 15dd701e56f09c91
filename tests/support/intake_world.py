"""Intake on a real broker: replicas that share it, and all they wrote."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from fastapi import FastAPI

from chassis.kafka import KafkaClient
from chassis.tasks import Owned
from contracts.envelope import Envelope, Message, decode, encode
from contracts.events import Event, RatingSubmitted
from contracts.topics import DIRECTORY, RATING_SUBMISSIONS, TOPICS, key_of
from services.intake.adapters.key_files import create_keys
from services.intake.bootstrap import create
from services.intake.settings import Settings
from tests.support.intake import edition, officer, unit

DEADLINE = 90.0  # a machine can be slow; a wait that ends early costs nothing
PARTITIONS = {topic.name: topic.partitions for topic in TOPICS}


async def eventually(what: Callable[[], Any], *, why: str, seconds: float = DEADLINE) -> None:
    """Wait for a condition, or for an awaitable that gives one; fail when it does not come."""
    end = time.monotonic() + seconds
    while True:
        met = what()
        if asyncio.iscoroutine(met):
            met = await met
        if met:
            return
        assert time.monotonic() < end, f"not within {seconds} s: {why}"
        await asyncio.sleep(0.05)


@dataclass
class Replica:
    app: FastAPI
    http: httpx.AsyncClient
    operations: httpx.AsyncClient

    @property
    def owned(self) -> Owned:
        owned: Owned = self.app.state.owned
        return owned

    async def ready(self) -> bool:
        return (await self.http.get("/readyz")).status_code == 200

    async def checks(self) -> dict[str, Any]:
        checks: dict[str, Any] = (await self.operations.get("/readyz")).json()["checks"]
        return checks

    async def shows(self, path: str) -> bool:
        return (await self.http.get(path)).status_code == 200


@dataclass
class World:
    """Units, officers and an edition that are this test's alone, on a broker that others use too."""

    settings: Settings
    stack: AsyncExitStack
    name: str = field(default_factory=lambda: f"t{uuid4().hex[:10]}")

    @property
    def unit_id(self) -> str:
        return f"unit-{self.name}"

    @property
    def officer_id(self) -> str:
        return f"{self.unit_id}.officer"

    @property
    def edition_id(self) -> str:
        return f"edition-{self.name}"

    def events(self) -> list[Event]:
        today = datetime.now(UTC).date()
        opens_on, closes_on = today - timedelta(days=9), today + timedelta(days=9)
        return [
            unit(self.unit_id, f"Sở {self.name}"),
            officer(self.officer_id, unit_id=self.unit_id),
            edition(self.edition_id, opens_on=opens_on, closes_on=closes_on),
        ]

    async def publish(self, *events: Event) -> None:
        for event in events:
            await self.send(DIRECTORY.name, self.message(event))

    def message(self, event: Event) -> Message:
        envelope = Envelope(uuid4(), "/test", key_of(event), datetime.now(UTC), uuid4(), event)
        return encode(envelope, key=key_of(event))

    async def send(self, topic: str, message: Message) -> ConsumerRecord:
        producer = AIOKafkaProducer(**self.settings.kafka.producer_arguments("test"))
        async with producer:
            return await producer.send_and_wait(
                topic, message.value, key=message.key, headers=list(message.headers)
            )

    async def replica(self, *, ready: bool = True, settings: Settings | None = None) -> Replica:
        """Start a process's work in this one; wait until it is ready and knows this world's edition."""
        app = create(settings or self.settings)
        await self.stack.enter_async_context(app.router.lifespan_context(app))
        clients = [
            httpx.AsyncClient(transport=httpx.ASGITransport(each), base_url="http://intake", timeout=30)
            for each in (app, app.state.operations)
        ]
        for client in clients:
            await self.stack.enter_async_context(client)
        replica = Replica(app, *clients)
        if ready:
            await eventually(replica.ready, why="ready")
            path = f"/v1/directory/officers/{self.officer_id}"
            await eventually(lambda: replica.shows(path), why="the directory is shown")
        return replica

    def body(self, **changes: Any) -> dict[str, Any]:
        return {
            "edition_id": self.edition_id,
            "officer_id": self.officer_id,
            "answer": "not_satisfied",
            "reasons": ["late"],
            "phone": "0905 123 456",
            "consent": True,
            "challenge": {"id": "token", "answer": "234567"},
        } | changes

    async def post(self, replica: Replica, key: str, **changes: Any) -> httpx.Response:
        headers = {"Idempotency-Key": key}
        return await replica.http.post("/v1/ratings", json=self.body(**changes), headers=headers)

    async def submissions(self) -> list[Envelope[Event]]:
        """What intake wrote for this world's edition."""
        found = [
            decode(record.value, record.headers)
            for record in await self.read(RATING_SUBMISSIONS.name)
            if record.value is not None and self.edition_id.encode() in record.value
        ]
        return [each for each in found if isinstance(each.data, RatingSubmitted)]

    async def read(self, topic: str) -> list[ConsumerRecord]:
        """The whole topic, as it is now."""
        found: list[ConsumerRecord] = []
        async with AIOKafkaConsumer(**self.settings.kafka.consumer_arguments("test")) as consumer:
            where = [TopicPartition(topic, number) for number in range(PARTITIONS[topic])]
            ends = await consumer.end_offsets(where)
            consumer.assign(where)
            await consumer.seek_to_beginning(*where)
            async with asyncio.timeout(DEADLINE):
                while any([await consumer.position(each) < ends[each] for each in where]):
                    for records in (await consumer.getmany(timeout_ms=200)).values():
                        found += records
        return found


@asynccontextmanager
async def a_world(bootstrap: str, folder: Path) -> AsyncIterator[World]:
    """With its keys made and its directory published. Fails where a replica's background work failed."""
    async with AsyncExitStack() as stack:
        settings = Settings(
            kafka=KafkaClient(bootstrap=bootstrap), keys_dir=folder / "keys", outcome_base_url="http://v"
        )
        world = World(settings, stack)
        create_keys(settings.keys_dir, world.edition_id)
        await world.publish(*world.events())
        yield world
