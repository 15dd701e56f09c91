"""Send dead letters to their topic again, each together with a marker that says so."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import IllegalOperation, InvalidProducerEpoch, ProducerFenced

from chassis.dead_letters.topic import DeadLetterTopic, Entry, answered
from chassis.kafka import abandon, start
from contracts.dead_letters import Origin, letter_of, marker, original_headers
from contracts.envelope import Message
from contracts.topics import Topic

# One transaction each: the topic's readers wait for an open one, so none holds everything.
LETTERS = 500
BYTES = 8 * 1024 * 1024
COMMIT_SECONDS = 20.0


class Overtaken(Exception):
    """Another redrive of the same topic has begun since; nothing more is sent by this one."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters: those at `offsets`, those with the `reason`, or all. `again`: even those redriven."""

    offsets: Collection[int] = ()
    reason: str | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """What is to be sent, in the topic's order, and what is not and why."""

    chosen: Sequence[Entry]
    left: Sequence[tuple[Entry, str]]
    absent: Sequence[int]


def select(entries: Sequence[Entry], wanted: Wanted, source: Topic) -> Selection:
    chosen: list[Entry] = []
    left: list[tuple[Entry, str]] = []
    sent: dict[Origin, int] = {}
    for entry in entries:
        if wanted.offsets and entry.offset not in wanted.offsets:
            continue
        if wanted.reason is not None and (entry.letter is None or entry.letter.reason != wanted.reason):
            continue
        why = _obstacle(entry, wanted, source)
        if why is None and entry.letter is not None and entry.letter.origin in sent:
            why = f"is the same message as {sent[entry.letter.origin]}"
        if why is not None:
            left.append((entry, why))
        else:
            chosen.append(entry)
            if entry.letter is not None:
                sent[entry.letter.origin] = entry.offset
    there = {entry.offset for entry in entries}
    return Selection(chosen, left, sorted(set(wanted.offsets) - there))


def _obstacle(entry: Entry, wanted: Wanted, source: Topic) -> str | None:
    letter = entry.letter
    if letter is None:
        return "is no dead letter"
    origin = letter.origin
    if origin.topic != source.name or not 0 <= origin.partition < source.partitions:
        return f"is not of {source.name}"
    if letter.left_out:
        return (
            f"was too large to keep ({letter.left_out}); the original is at offset {origin.offset} of"
            f" {origin.topic}, partition {origin.partition}, until that forgets it"
        )
    if entry.redriven_at is not None and not wanted.again:
        return f"was redriven at {entry.redriven_at.isoformat(timespec='seconds')}; --again insists"
    return None


async def redrive(
    topic: DeadLetterTopic, wanted: Wanted, *, advance: Callable[[int, int], None]
) -> Selection:
    """Send what is selected, with its original key, value and headers, to its original partition.

    Markers and messages are committed together. Two redrives of a topic cannot both send: the later one
    fences the earlier, and reads the markers only then. Raises Overtaken, and Unanswered; what was committed
    before is marked, so doing it again sends the rest. `advance` hears how many are done, of how many.
    """
    async with answered(topic.client), _producer(topic) as producer:
        selection = select(await topic.entries(), wanted, topic.source)
        if selection.absent:
            return Selection((), selection.left, selection.absent)
        done = 0
        async with aclosing(_parts(topic, selection.chosen)) as parts:
            async for part in parts:
                await _send(producer, topic.source, part)
                done += len(part)
                advance(done, len(selection.chosen))
    return selection


def transactional_id(source: Topic) -> str:
    return f"redrive-{source.dead_letters}"


@asynccontextmanager
async def _producer(topic: DeadLetterTopic) -> AsyncIterator[AIOKafkaProducer]:
    name = transactional_id(topic.source)
    producer = AIOKafkaProducer(
        **topic.client.producer_arguments(name), transactional_id=name, transaction_timeout_ms=30_000
    )
    try:
        await start(producer)
        yield producer
    except (ProducerFenced, InvalidProducerEpoch, IllegalOperation) as error:
        # The last: it was fenced between two sends, and is in no transaction any more.
        raise Overtaken(
            f"Another redrive of {topic.source.dead_letters} has begun; what was not sent yet is left to it."
        ) from error
    finally:
        await abandon(producer)


async def _parts(topic: DeadLetterTopic, chosen: Sequence[Entry]) -> AsyncGenerator[list[ConsumerRecord]]:
    """The chosen letters with their bytes, in parts that fit a transaction."""
    if not chosen:
        return
    offsets = {entry.offset for entry in chosen}
    part: list[ConsumerRecord] = []
    size = 0
    async with aclosing(topic.records(min(offsets), max(offsets) + 1)) as records:
        async for record in records:
            if record.offset not in offsets:
                continue
            if part and (len(part) == LETTERS or size + len(record.value or b"") > BYTES):
                yield part
                part, size = [], 0
            part.append(record)
            size += len(record.value or b"")
    if part:
        yield part


async def _send(producer: AIOKafkaProducer, source: Topic, part: Sequence[ConsumerRecord]) -> None:
    now = datetime.now(UTC)
    sent: list[asyncio.Future[object]] = []
    async with asyncio.timeout(COMMIT_SECONDS):
        await producer.begin_transaction()
        for record in part:
            letter = letter_of(record.headers)
            if letter is None:
                raise TypeError(f"the record at {record.offset} was chosen and is no dead letter")
            again = Message(record.key, record.value, original_headers(record.headers), record.timestamp)
            said = marker(record.offset, now)
            for topic, partition, message in (
                (source.name, letter.origin.partition, again),
                (source.dead_letters, 0, said),
            ):
                future = await producer.send(
                    topic,
                    message.value,
                    message.key,
                    partition,
                    timestamp_ms=message.written_ms,  # a message is as old as its letter
                    headers=list(message.headers),
                )
                future.add_done_callback(_heard)
                sent.append(future)
        await asyncio.gather(*sent)  # committing would not notice that one of them failed
        await producer.commit_transaction()


def _heard(sending: "asyncio.Future[object]") -> None:
    """Where an earlier failure ends the transaction, nobody else asks what became of this one."""
    if not sending.cancelled():
        sending.exception()
