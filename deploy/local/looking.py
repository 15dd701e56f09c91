"""What a running stack looks like at one moment. Its operations listeners, Kafka and PostgreSQL are asked;
nothing is written anywhere."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from prometheus_client.parser import text_string_to_metric_families

from chassis.dead_letters.topic import DeadLetterTopic, Unanswered
from chassis.kafka import KafkaClient, leave, start
from contracts.topics import DIRECTORY, RATING_OUTCOMES, RATING_SUBMISSIONS
from services.verification.adapters.submissions import GROUP

OPERATIONS = "-operations"
SECONDS = 5.0
SOURCES = (RATING_SUBMISSIONS, RATING_OUTCOMES, DIRECTORY)
_CHECKPOINTS = "SELECT partition, next_offset FROM read_models.checkpoint WHERE topic = $1"


@dataclass(frozen=True, slots=True)
class Sample:
    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Seen:
    """One of our processes. `waits_for`: what it says it lacks; without `up` all else is unknown."""

    name: str
    up: bool
    ready: bool = False
    waits_for: Sequence[str] = ()
    samples: Sequence[Sample] = ()

    def total(self, metric: str, **labels: str) -> float:
        """Of all its samples with these labels."""
        return sum(
            each.value
            for each in self.samples
            if each.name == metric and labels.items() <= each.labels.items()
        )


@dataclass(frozen=True, slots=True)
class Way:
    """A topic's partition: where it ends, and where its reader goes on."""

    end: int
    next_offset: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`dead_letters`: how many wait to be sent again, by topic. `absent`: what does not answer, and why."""

    at: float
    processes: Sequence[Seen]
    ways: Mapping[str, Mapping[int, Way]] = field(default_factory=dict)
    dead_letters: Mapping[str, str] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)

    @property
    def well(self) -> bool:
        return not self.absent and all(each.ready for each in self.processes)

    def total(self, metric: str, **labels: str) -> float:
        return sum(each.total(metric, **labels) for each in self.processes)


async def look(urls: Mapping[str, str], database_url: str) -> Snapshot:
    """`urls` as `make urls` names them."""
    listeners = {
        name.removesuffix(OPERATIONS): url for name, url in urls.items() if name.endswith(OPERATIONS)
    }
    kafka = KafkaClient(bootstrap=urls["kafka"].removeprefix("kafka://"))
    absent: dict[str, str] = {}
    async with httpx.AsyncClient(timeout=SECONDS) as http:
        processes, (ends, decided), counted, dead_letters = await asyncio.gather(
            asyncio.gather(*(_process(http, name, url) for name, url in listeners.items())),
            _offsets(kafka, absent),
            _checkpoints(database_url, absent),
            _dead_letters(kafka),
        )
    ways = {
        topic.name: {
            number: Way(end, reached.get(number, 0))
            for number, end in sorted(ends.get(topic.name, {}).items())
        }
        for topic, reached in ((RATING_SUBMISSIONS, decided), (RATING_OUTCOMES, counted))
    }
    return Snapshot(time.monotonic(), processes, ways, dead_letters, absent)


async def _process(http: httpx.AsyncClient, name: str, url: str) -> Seen:
    try:
        readiness, metrics = await asyncio.gather(http.get(f"{url}/readyz"), http.get(f"{url}/metrics"))
        checks = readiness.json()["checks"]
    except (httpx.HTTPError, ValueError, KeyError):
        return Seen(name, up=False)
    return Seen(
        name,
        up=True,
        ready=readiness.status_code == 200,
        waits_for=[f"{check}: {each['detail']}" for check, each in checks.items() if not each["ok"]],
        samples=[
            Sample(sample.name, sample.labels, sample.value)
            for family in text_string_to_metric_families(metrics.text)
            for sample in family.samples
        ],
    )


async def _offsets(
    kafka: KafkaClient, absent: dict[str, str]
) -> tuple[dict[str, dict[int, int]], dict[int, int]]:
    """Where each topic ends, and up to where verification has decided. Nobody's group is joined."""
    consumer = AIOKafkaConsumer(**kafka.consumer_arguments("status"), group_id=GROUP)
    try:
        async with asyncio.timeout(SECONDS):
            await start(consumer)
            parts = [
                TopicPartition(topic.name, number)
                for topic in (RATING_SUBMISSIONS, RATING_OUTCOMES)
                for number in range(topic.partitions)
            ]
            ends: dict[str, dict[int, int]] = {}
            for part, end in (await consumer.end_offsets(parts)).items():
                ends.setdefault(part.topic, {})[part.partition] = end
            decided = {
                part.partition: await consumer.committed(part) or 0
                for part in parts
                if part.topic == RATING_SUBMISSIONS.name
            }
            return ends, decided
    except (KafkaError, OSError) as error:  # TimeoutError is one of the latter
        absent["kafka"] = f"{type(error).__name__}: {error}".splitlines()[0]
        return {}, {}
    finally:
        await leave(consumer)


async def _checkpoints(url: str, absent: dict[str, str]) -> dict[int, int]:
    try:
        async with asyncio.timeout(SECONDS):
            connection = await asyncpg.connect(url, server_settings={"default_transaction_read_only": "on"})
            try:
                rows = await connection.fetch(_CHECKPOINTS, RATING_OUTCOMES.name)
            finally:
                await connection.close()
    except (OSError, asyncpg.PostgresError) as error:  # TimeoutError is one of the former
        absent["postgres"] = f"{type(error).__name__}: {error}".splitlines()[0]
        return {}
    return {row["partition"]: row["next_offset"] for row in rows}


async def _dead_letters(kafka: KafkaClient) -> dict[str, str]:
    async def waiting(topic: DeadLetterTopic) -> str:
        try:
            async with asyncio.timeout(SECONDS):
                return str(sum(each.redriven_at is None for each in await topic.entries()))
        except (Unanswered, TimeoutError):
            return "unknown"

    found = await asyncio.gather(*(waiting(DeadLetterTopic(kafka, source)) for source in SOURCES))
    return dict(zip((source.dead_letters for source in SOURCES), found, strict=True))
