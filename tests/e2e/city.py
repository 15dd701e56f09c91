"""Places of the directory for tests to use up, and what the system shows of them."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import yaml
from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.envelope import decode
from contracts.events import RatingSubmitted
from contracts.topics import RATING_SUBMISSIONS
from deploy.local.layout import CHECKOUT
from tests.support.system import OFFICER, System

FIGURES_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Place:
    """An officer and the unit and group they belong to."""

    officer_id: str
    officer: str
    unit_id: str
    unit: str
    group_id: str

    @property
    def form(self) -> str:
        return f"/danh-gia/cong-chuc/{self.officer_id}"


def places() -> Iterator[Place]:
    """One officer a unit, so that the figures of both are a test's own."""
    directory = yaml.safe_load((CHECKOUT / "data" / "directory-2017.yaml").read_text())["directory"]
    for group in directory["groups"]:
        for unit in group["units"]:
            officer = unit["officers"][0]
            officer_id = f"{unit['id']}.{officer['id']}"
            if officer_id != OFFICER:
                yield Place(officer_id, officer["name"], unit["id"], unit["name"]["vi"], group["id"])


async def counted(system: System, place: Place, **wanted: int) -> None:
    """Wait until the officer's figures are `wanted`: satisfied, not_satisfied, and rejected by reason."""
    shown: dict[str, int] = {}
    try:
        async with asyncio.timeout(FIGURES_SECONDS):
            while shown != wanted:
                figures = await system.figures(f"officers/{place.officer_id}")
                shown = {each: figures[each] for each in ("satisfied", "not_satisfied") if figures[each]}
                shown |= {each["reason"]: each["count"] for each in figures["rejected"]}
                await asyncio.sleep(0.02)
    except TimeoutError:
        assert shown == wanted


async def submissions(system: System, place: Place) -> int:
    """How many different ratings of the officer intake has ever taken in."""
    return len(await ratings(system, place))


async def ratings(system: System, place: Place) -> list[RatingSubmitted]:
    """The different ratings of the officer that intake has ever taken in."""
    consumer = AIOKafkaConsumer(bootstrap_servers=system.kafka_bootstrap, enable_auto_commit=False)
    await consumer.start()
    found: dict[UUID, RatingSubmitted] = {}
    try:
        parts = [TopicPartition(RATING_SUBMISSIONS.name, n) for n in range(RATING_SUBMISSIONS.partitions)]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        ends = await consumer.end_offsets(parts)
        async with asyncio.timeout(FIGURES_SECONDS):
            while any([await consumer.position(part) < end for part, end in ends.items()]):
                for messages in (await consumer.getmany(timeout_ms=200)).values():
                    found.update(_ratings(messages, place.officer_id))
    finally:
        await consumer.stop()
    return list(found.values())


def _ratings(messages: Sequence[Any], officer_id: str) -> Iterator[tuple[UUID, RatingSubmitted]]:
    for message in messages:
        event = decode(message.value, message.headers)
        if isinstance(event.data, RatingSubmitted) and event.data.officer_id == officer_id:
            yield event.id, event.data
