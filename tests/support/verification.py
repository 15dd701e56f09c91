"""A world around verification: editions, citizens who submit, and everything it said about them."""

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, KafkaError, UnknownMemberIdError
from fastapi import FastAPI
from nacl.public import PublicKey, SealedBox

from chassis.kafka import KafkaClient, broke_off, is_outage
from chassis.tasks import Owned
from contracts.envelope import Envelope, Message, decode, encode
from contracts.events import (
    ChallengeAnswer,
    EditionPublished,
    Event,
    PhoneCodeEntered,
    Policy,
    ProofOfWork,
    RatingAccepted,
    RatingRejected,
    RatingSubmitted,
    Sealed,
    VerificationPolicy,
)
from contracts.golden import EVENTS
from contracts.topics import DIRECTORY, RATING_OUTCOMES, RATING_SUBMISSIONS, key_of
from services.verification.adapters.key_files import CHALLENGE_KEY, create_keys, read_key
from services.verification.adapters.submissions import GROUP
from services.verification.challenges import Challenge, Challenges
from services.verification.settings import Settings

DEADLINE = 90.0  # a machine can be slow; a wait that ends early costs nothing
_EDITION = next(event for event in EVENTS if isinstance(event, EditionPublished))
_SUBMITTED = next(event for event in EVENTS if isinstance(event, RatingSubmitted))


async def until(what: Callable[[], Awaitable[bool]], *, seconds: float = DEADLINE, why: str = "") -> None:
    """Wait for a condition; fail when it does not come."""
    end = time.monotonic() + seconds
    while not await what():
        assert time.monotonic() < end, f"not within {seconds} s: {why or what}"
        await asyncio.sleep(0.05)


@dataclass
class Submission:
    id: UUID
    event: RatingSubmitted
    partition: int = -1
    offset: int = -1

    @property
    def rating_id(self) -> UUID:
        return self.event.rating_id


@dataclass
class World:
    settings: Settings
    producer: AIOKafkaProducer
    database: asyncpg.Pool
    starts: dict[str, dict[TopicPartition, int]] = field(default_factory=dict)

    # --- before ---------------------------------------------------------------------------------------

    @property
    def challenges(self) -> Challenges:
        return Challenges(read_key(self.settings.keys_dir / CHALLENGE_KEY))

    async def edition(
        self,
        policy: VerificationPolicy = VerificationPolicy.CAPTCHA,
        *,
        proof_of_work: ProofOfWork = ProofOfWork.NONE,
        **changes: Any,
    ) -> EditionPublished:
        """Publish an edition of its own for this test."""
        edition_id = f"test-{uuid4().hex[:10]}"
        today = datetime.now(UTC).date()
        edition = _EDITION.model_copy(
            update={
                "edition_id": edition_id,
                "opens_on": today - timedelta(days=10),
                "closes_on": today + timedelta(days=10),
                "policy": Policy(verification=policy, proof_of_work=proof_of_work),
                "sealing_key": create_keys(self.settings.keys_dir, edition_id),
                **changes,
            }
        )
        await self.publish(edition)
        return edition

    async def publish(self, edition: EditionPublished) -> None:
        await self.send(DIRECTORY.name, self.envelope(edition, uuid4()))

    def submission(self, edition: EditionPublished, **changes: Any) -> Submission:
        """A rating that would count, made by someone new, unless `changes` say otherwise."""
        challenge: Challenge = self.challenges.issue(edition.edition_id, datetime.now(UTC))
        phone = changes.pop("number", f"+8490{uuid4().int % 10**7:07d}")
        event = _SUBMITTED.model_copy(
            update={
                "rating_id": uuid4(),
                "idempotency_token": hashlib.sha256(uuid4().bytes).hexdigest(),
                "edition_id": edition.edition_id,
                "phone": seal(edition, phone),
                "phone_pseudonym": hashlib.sha256(phone.encode()).hexdigest(),
                "challenge": ChallengeAnswer(id=challenge.id, answer=challenge.digits),
                "submitted_at": datetime.now(UTC),
                **changes,
            }
        )
        return Submission(uuid4(), event)

    # --- what intake does -----------------------------------------------------------------------------

    @staticmethod
    def envelope(event: Event, event_id: UUID, *, at: datetime | None = None) -> Envelope[Event]:
        return Envelope(
            id=event_id,
            source="/hailong/intake",
            subject=key_of(event),
            time=at or datetime.now(UTC),
            correlation_id=event_id,
            data=event,
        )

    async def send(self, topic: str, envelope: Envelope[Event], partition: int | None = None) -> Any:
        message = encode(envelope, key=key_of(envelope.data))
        return await self.send_raw(topic, message, partition, at=envelope.time)

    async def send_raw(
        self, topic: str, message: Message, partition: int | None = None, *, at: datetime | None = None
    ) -> Any:
        return await self.producer.send_and_wait(
            topic,
            message.value,
            key=message.key,
            headers=list(message.headers),
            partition=partition,
            timestamp_ms=None if at is None else int(at.timestamp() * 1000),
        )

    async def submit(self, *submissions: Submission, partition: int | None = None) -> None:
        sent = [
            await self.producer.send(
                RATING_SUBMISSIONS.name,
                message.value,
                key=message.key,
                headers=list(message.headers),
                partition=partition,
                timestamp_ms=int(each.event.submitted_at.timestamp() * 1000),
            )
            for each, message in (
                (each, encode(self.envelope(each.event, each.id), key=key_of(each.event)))
                for each in submissions
            )
        ]
        for each, where in zip(submissions, await asyncio.gather(*sent), strict=True):
            each.partition, each.offset = where.partition, where.offset

    async def enter_code(
        self,
        edition: EditionPublished,
        rating_id: UUID,
        code: str,
        *,
        event_id: UUID | None = None,
        at: datetime | None = None,
    ) -> None:
        event = PhoneCodeEntered(
            rating_id=rating_id, code=seal(edition, code), entered_at=at or datetime.now(UTC)
        )
        envelope = self.envelope(event, event_id or uuid4(), at=event.entered_at)
        await self.send(RATING_SUBMISSIONS.name, envelope)

    # --- what verification said -----------------------------------------------------------------------

    def consumer(self, **more: Any) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(**self.settings.kafka.consumer_arguments("test"), **more)

    async def read(self, topic: str) -> list[ConsumerRecord]:
        """All committed messages of the topic since this world began."""
        starts = self.starts[topic]
        async with self.consumer() as consumer:
            consumer.assign(list(starts))
            ends = await consumer.end_offsets(list(starts))
            for where, start in starts.items():
                consumer.seek(where, start)
            found: list[ConsumerRecord] = []
            end = time.monotonic() + DEADLINE
            while any([await consumer.position(where) < ends[where] for where in starts]):
                assert time.monotonic() < end, "the topic could not be read to its end"
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += records
        return found

    async def outcomes(self) -> list[RatingAccepted | RatingRejected]:
        data = [decode(record.value, record.headers).data for record in await self.read(RATING_OUTCOMES.name)]
        return [each for each in data if isinstance(each, RatingAccepted | RatingRejected)]

    async def said(self, submissions: Sequence[Submission]) -> dict[UUID, list[str]]:
        """For each submission all that was said of it, as `accepted` or the reason."""
        found: dict[UUID, list[str]] = {each.id: [] for each in submissions}
        for outcome in await self.outcomes():
            if outcome.submission_id in found:
                word = outcome.reason if isinstance(outcome, RatingRejected) else "accepted"
                found[outcome.submission_id].append(word)
        return found

    async def pass_over(self) -> None:
        """What other tests left on the topic is not this world's; some of it nobody can read."""
        where = [
            TopicPartition(RATING_SUBMISSIONS.name, number) for number in range(RATING_SUBMISSIONS.partitions)
        ]
        async with self.consumer() as consumer:
            ends = await consumer.end_offsets(where)

        async def passed(consumer: AIOKafkaConsumer) -> bool:
            behind = {each: end for each, end in ends.items() if (await consumer.committed(each) or 0) < end}
            if behind:
                # While the group still has a member, nobody else may commit for it.
                with suppress(CommitFailedError, UnknownMemberIdError):
                    await consumer.commit(behind)
            return not behind

        await until(lambda: self._looked(where, passed), why="the end of what others left")

    async def drained(self, *, seconds: float = DEADLINE) -> None:
        """Wait until verification has committed all that was sent to it."""
        where = [
            TopicPartition(RATING_SUBMISSIONS.name, number) for number in range(RATING_SUBMISSIONS.partitions)
        ]
        async with self.consumer() as consumer:
            ends = await consumer.end_offsets(where)

        async def done(consumer: AIOKafkaConsumer) -> bool:
            for each, end in ends.items():
                offset = await consumer.committed(each) or 0
                if offset < end and await self._something(consumer, each, offset):
                    return False
            return True

        await until(lambda: self._looked(where, done), seconds=seconds, why="committed offsets at the end")

    async def _looked(
        self, where: list[TopicPartition], look: Callable[[AIOKafkaConsumer], Awaitable[bool]]
    ) -> bool:
        """Look as the group does, with a consumer for each look: one that met a broker which was away for a
        moment, as on a loaded machine, does not come back to life. Then nothing was seen."""
        try:
            async with self.consumer(group_id=GROUP) as consumer:
                consumer.assign(where)
                return await look(consumer)
        except (KafkaError, AssertionError) as error:
            if not (is_outage(error) or broke_off(error)):
                raise
            return False

    @staticmethod
    async def _something(consumer: AIOKafkaConsumer, where: TopicPartition, offset: int) -> bool:
        """Whether there is a record from the offset on: what is left may be the end of a transaction."""
        end = (await consumer.end_offsets([where]))[where]
        consumer.seek(where, offset)
        while await consumer.position(where) < end:
            if await consumer.getmany(where, timeout_ms=50):
                return True
        return False

    async def status(self, rating_id: UUID) -> str | None:
        found: str | None = await self.database.fetchval(
            "SELECT status FROM ratings WHERE rating_id = $1", rating_id
        )
        return found

    async def awaits_code(self, rating_id: UUID) -> None:
        async def asked() -> bool:
            return await self.status(rating_id) == "phone_code_needed"

        await until(asked, why="a phone code is asked for")

    async def text_to(self, number: str) -> str:
        """The SMS that the local outbox holds for a number."""
        found: list[str] = []

        async def there() -> bool:
            for path in await asyncio.to_thread(_files, self.settings.outbox_dir):
                message = json.loads(await asyncio.to_thread(path.read_text))
                if message["to"] == number:
                    found.append(message["text"])
            return bool(found)

        await until(there, why="an SMS in the outbox")
        return found[-1]


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"))


def seal(edition: EditionPublished, text: str) -> Sealed:
    key = PublicKey(base64.b64decode(edition.sealing_key.public_key))
    box = base64.b64encode(SealedBox(key).encrypt(text.encode())).decode()
    return Sealed(key_id=edition.sealing_key.key_id, box=box)


@asynccontextmanager
async def a_world(kafka_bootstrap: str, database_url: str, folder: Path) -> AsyncIterator[World]:
    settings = Settings(
        kafka=KafkaClient(bootstrap=kafka_bootstrap),
        database_url=database_url,
        keys_dir=folder / "keys",
        outbox_dir=folder / "outbox",
        sms_pauses=(),
    )
    create_keys(settings.keys_dir, "any")
    kafka: KafkaClient = settings.kafka
    pool = await asyncpg.create_pool(database_url, min_size=1, max_size=4)
    async with AIOKafkaProducer(**kafka.producer_arguments("test-intake")) as producer:
        world = World(settings, producer, pool)
        await world.pass_over()
        async with world.consumer() as consumer:
            for topic in (RATING_OUTCOMES.name, RATING_SUBMISSIONS.dead_letters):
                numbers = await producer.partitions_for(topic)
                world.starts[topic] = await consumer.end_offsets(
                    [TopicPartition(topic, number) for number in numbers]
                )
        try:
            yield world
        finally:
            pool.terminate()


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[Owned]:
    """Run a process's work without its HTTP server. Fails if that did, unless the test clears `failure`."""
    owned: Owned = app.state.owned
    async with app.router.lifespan_context(app):
        yield owned
    if owned.failure is not None:
        raise AssertionError("the process would have ended") from owned.failure
