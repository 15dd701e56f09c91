"""Outcomes on a topic for those who fold them, and what an independent count of them is."""

import asyncio
import itertools
import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from benchmarks.a_year import DAYS, outcomes
from contracts.envelope import Envelope, Message, encode
from contracts.events import RatingAccepted
from contracts.topics import RATING_OUTCOMES, key_of

DISTINCT = 20_000
"""So many outcomes are made one by one; all others are these under ids and on days of their own."""
AT_ONCE = 5_000
PARTITIONS = RATING_OUTCOMES.partitions
LIVE_DAY = DAYS[-1].isoformat().encode()


@dataclass(frozen=True, slots=True)
class Made:
    submission_id: bytes
    day: bytes
    answer: str
    message: Message


class Outcomes:
    """Gives outcomes without end, no submission twice: all of one day, as they come live, or `spread` over a
    year of working days, so many in all, in the order of the log."""

    def __init__(self, seed: int = 1, *, spread: int | None = None) -> None:
        self._base = list(_made(seed))
        self._chance = random.Random(f"outcomes {seed}")
        self._next = itertools.cycle(self._base)
        self._spread = spread
        self._given = 0

    def take(self, count: int) -> tuple[list[Message], Counter[str]]:
        """Messages, and how many there are of each answer (`rejected` of those that do not count)."""
        messages, answers = [], Counter[str]()
        for made in itertools.islice(self._next, count):
            messages.append(self._again(made))
            answers[made.answer] += 1
            self._given += 1
        return messages, answers

    def _again(self, made: Made) -> Message:
        new = str(UUID(int=self._chance.getrandbits(128))).encode()
        message = made.message
        headers = tuple(
            (name, new if value == made.submission_id else value) for name, value in message.headers
        )
        value = (message.value or b"").replace(made.submission_id, new).replace(made.day, self._day())
        return Message(message.key, value, headers)

    def _day(self) -> bytes:
        if self._spread is None:
            return LIVE_DAY
        place = min(self._given * len(DAYS) // self._spread, len(DAYS) - 1)
        return DAYS[place].isoformat().encode()


def _made(seed: int) -> Iterator[Made]:
    for outcome in outcomes(DISTINCT, seed):
        envelope = Envelope(
            id=uuid5(outcome.submission_id, "outcome"),
            source="/hailong/verification",
            subject=outcome.officer_id,
            time=outcome.decided_at,
            correlation_id=outcome.submission_id,
            causation_id=outcome.submission_id,
            data=outcome,
        )
        answer = outcome.answer if isinstance(outcome, RatingAccepted) else "rejected"
        yield Made(
            str(outcome.submission_id).encode(),
            outcome.submitted_at.date().isoformat().encode(),
            answer,
            encode(envelope, key=key_of(outcome)),
        )


async def make_topic(bootstrap: str, name: str, partitions: int = PARTITIONS) -> None:
    """One that is there already will do."""
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000)
    await client.start()
    try:
        await client.create_topics([NewTopic(name, partitions, 1)])
    finally:
        await client.close()


async def write(bootstrap: str, topic: str, messages: Sequence[Message]) -> None:
    """Returns once all are kept."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=5, max_batch_size=2**17
    )
    await producer.start()
    try:
        for first in range(0, len(messages), AT_ONCE):
            sent = [
                await producer.send(topic, each.value, key=each.key, headers=list(each.headers))
                for each in messages[first : first + AT_ONCE]
            ]
            await asyncio.gather(*sent)
    finally:
        await producer.stop()


async def ends(bootstrap: str, topic: str) -> dict[int, int]:
    """The next offset of each partition."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, each) for each in consumer.partitions_for_topic(topic) or ()]
        return {at.partition: end for at, end in (await consumer.end_offsets(partitions)).items()}
    finally:
        await consumer.stop()


async def count_answers(bootstrap: str, topic: str, up_to: Mapping[int, int]) -> Counter[str]:
    """By answer, of the committed records before those offsets, read as JSON: no code is shared with what
    folds them."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", enable_auto_commit=False
    )
    await consumer.start()
    found: Counter[str] = Counter()
    try:
        left = {TopicPartition(topic, number) for number, end in up_to.items() if end > 0}
        consumer.assign(list(left))
        await consumer.seek_to_beginning(*left)
        while left:
            for at, records in (await consumer.getmany(timeout_ms=1000, max_records=AT_ONCE)).items():
                before = [each.value for each in records if each.offset < up_to[at.partition]]
                found.update(await asyncio.to_thread(_answers, before))
            left = {at for at in left if await consumer.position(at) < up_to[at.partition]}
            consumer.pause(*(at for at in consumer.assignment() if at not in left))
    finally:
        await consumer.stop()
    return found


def _answers(values: Iterable[bytes]) -> Counter[str]:
    return Counter(json.loads(value).get("answer", "rejected") for value in values)
