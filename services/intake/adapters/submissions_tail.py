"""The tail of the submissions' topic: what all replicas have taken in lately, for the limits.

Read by assignment, without a group: every replica counts everything. Only what has to be counted is decoded,
and only of what others wrote: its own come back under a key that it knows.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from typing import Never

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from chassis import kafka
from chassis.kafka import KafkaClient
from chassis.logs import logger
from chassis.readiness import Check
from contracts.envelope import type_of
from contracts.events import RatingSubmitted, Vouching
from contracts.topics import RATING_SUBMISSIONS
from services.intake import metrics
from services.intake.adapters.following import follow
from services.intake.domain.limits import Arrival, Caller
from services.intake.limiting import Limiter

PARTITIONS = [
    TopicPartition(RATING_SUBMISSIONS.name, number) for number in range(RATING_SUBMISSIONS.partitions)
]
RATED = ("ce_type", type_of(RatingSubmitted).encode())
STEP_SECONDS = 10.0
LOOK_MS = 2_000
BATCHED = {"auto_offset_reset": "none", "fetch_min_bytes": 256 * 1024, "fetch_max_wait_ms": 200}
"""Some fetches a second instead of one for each rating; others' ratings count so much later."""
AT_ONCE = 500
"""Records counted before others have their turn on the event loop."""
NOT_ONE = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
log = logger(__name__)


class SubmissionsTail:
    """`run` in a task of its own. While Kafka is away `check` says so; what is taken in here counts on."""

    def __init__(
        self, client: KafkaClient, check: Check, limiter: Limiter, clock: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._check = check
        self._limiter = limiter
        self._clock = clock

    async def run(self) -> None:
        await follow(RATING_SUBMISSIONS.name, self._check, self._caught_up, self._follow)

    async def _caught_up(self) -> AIOKafkaConsumer:
        """A consumer that has read from one window back to the end as it is now."""
        arguments = self._client.consumer_arguments("intake-tail") | BATCHED
        consumer = AIOKafkaConsumer(**arguments)
        try:
            async with asyncio.timeout(STEP_SECONDS):
                await kafka.start(consumer)
                consumer.assign(PARTITIONS)
                ends = await consumer.end_offsets(PARTITIONS)
                back = round((self._now() - self._limiter.window) * 1000)
                begins = await consumer.offsets_for_times(dict.fromkeys(PARTITIONS, back))
                for at in PARTITIONS:
                    found = begins[at]
                    consumer.seek(at, ends[at] if found is None else found.offset)
            await self._read_to(consumer, ends)
        except BaseException:
            await kafka.leave(consumer)
            raise
        return consumer

    async def _read_to(self, consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> None:
        async with asyncio.timeout(STEP_SECONDS) as deadline:
            while any([await consumer.position(at) < ends[at] for at in PARTITIONS]):
                if await self._look(consumer):  # however much there is, it must only go on
                    deadline.reschedule(asyncio.get_running_loop().time() + STEP_SECONDS)

    async def _follow(self, consumer: AIOKafkaConsumer) -> Never:
        while True:
            if not await self._look(consumer):
                async with asyncio.timeout(STEP_SECONDS):
                    await consumer.end_offsets(PARTITIONS)  # it would wait for a lost broker in silence

    async def _look(self, consumer: AIOKafkaConsumer) -> int:
        found = await consumer.getmany(timeout_ms=LOOK_MS, max_records=AT_ONCE)
        now, seen = self._now(), 0
        for records in found.values():
            seen += len(records)
            for record in records:
                self._count(record, now)
        await asyncio.sleep(0)
        return seen

    def _count(self, record: ConsumerRecord, now: float) -> None:
        if RATED not in record.headers or self._limiter.knows((record.key or b"").decode("latin-1"), now):
            metrics.TAIL_RECORDS.labels("false").inc()
            return
        try:
            arrival, at = read(record.value)
            at = max(at, record.timestamp / 1000)  # a device may have kept it for a while
        except NOT_ONE:
            return  # verification says what becomes of what cannot be read
        metrics.TAIL_RECORDS.labels("true").inc()
        self._limiter.taken_elsewhere(arrival, at=at, now=now)

    def _now(self) -> float:
        return self._clock().timestamp()


def read(value: bytes | None) -> tuple[Arrival, float]:
    """What is counted of a submission, and as of when. Raises one of NOT_ONE for what is none."""
    data = json.loads(value or b"")
    if data.get("form") is not None:
        raise ValueError("the office entered it: no wave, however many come at once")
    caller = Caller(*(_text(data.get(name, "")) or None for name in ("client_id", "session", "origin")))
    names = ("rating_id", "officer_id", "edition_id")
    id_, officer_id, edition_id = (_text(data[name]) for name in names)
    phone, vouched = (_text(data.get(name)) for name in ("phone_pseudonym", "vouched_by"))
    at = datetime.fromisoformat(_text(data["submitted_at"])).timestamp()
    return Arrival(id_, caller, phone, officer_id, edition_id, vouched == Vouching.DEVICE), at


def _text(value: object) -> str:
    if value is not None and not isinstance(value, str):
        raise TypeError
    return value or ""
