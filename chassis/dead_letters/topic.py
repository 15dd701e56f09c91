"""A dead-letter topic as an operator reads it: the letters there are now, and which were redriven."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from chassis.kafka import KafkaClient, Refused, is_outage, leave, start
from contracts.dead_letters import Letter, Origin, letter_of, redriven_of
from contracts.topics import Topic

START_SECONDS = 10.0
SILENCE_SECONDS = 10.0  # without a single record, although there are more


class Unanswered(Exception):
    """Kafka does not answer, or not in time. The text says what and where, in one line."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A dead letter without its bytes. `offset` is its own; `size` that of its value, in bytes.

    `letter` is None for a record that is no dead letter of ours. `redriven_at` is that of its message, so a
    second letter of the same message counts as redriven too.
    """

    offset: int
    letter: Letter | None
    type: str
    size: int
    redriven_at: datetime | None = None


class DeadLetterTopic:
    """The dead letters of `source`, which have one partition."""

    def __init__(self, client: KafkaClient, source: Topic) -> None:
        self.client = client
        self.source = source
        self._at = TopicPartition(source.dead_letters, 0)

    async def entries(self) -> list[Entry]:
        """All letters up to now, oldest first. Raises Unanswered."""
        async with aclosing(self.records()) as records:
            return entries_of([Record.of(record) async for record in records])

    async def record(self, offset: int) -> ConsumerRecord | None:
        """The record at an offset, or None where there is none. Raises Unanswered."""
        async with aclosing(self.records(offset, offset + 1)) as records:
            async for record in records:
                return record if record.offset == offset else None
        return None

    async def records(self, first: int = 0, end: int | None = None) -> AsyncGenerator[ConsumerRecord]:
        """Committed records from `first` to before `end`, or to the topic's end as of now.

        Raises Unanswered.
        """
        async with answered(self.client), self._consumer() as consumer:
            async with asyncio.timeout(START_SECONDS):
                begin = (await consumer.beginning_offsets([self._at]))[self._at]
                last = (await consumer.end_offsets([self._at]))[self._at]
            last = last if end is None else min(last, end)
            consumer.assign([self._at])
            consumer.seek(self._at, max(first, begin))
            moved_at = asyncio.get_running_loop().time()
            position = max(first, begin)
            while position < last:
                found = await consumer.getmany(self._at, timeout_ms=200)
                for record in found.get(self._at, ()):
                    if record.offset < last:
                        yield record
                # The position also passes the ends of transactions, which are no records.
                before, position = position, await consumer.position(self._at)
                now = asyncio.get_running_loop().time()
                if position > before:
                    moved_at = now
                elif now - moved_at > SILENCE_SECONDS:
                    raise TimeoutError(f"silent at offset {position} of {last}")

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(**self.client.consumer_arguments("dead-letters"))
        try:
            await start(consumer)
            yield consumer
        finally:
            await leave(consumer)


@asynccontextmanager
async def answered(client: KafkaClient) -> AsyncIterator[None]:
    """Raises Unanswered for whatever of Kafka fails inside."""
    try:
        yield
    except (KafkaError, OSError) as error:  # TimeoutError is one of the latter
        how = "does not answer" if is_outage(error) and not isinstance(error, Refused) else "refuses"
        why = str(error).splitlines() or [type(error).__name__]
        raise Unanswered(f"Kafka at {client.bootstrap} {how}: {why[0]}") from error


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept of a record while the topic is read, which may be long."""

    offset: int
    headers: tuple[tuple[str, bytes], ...]
    size: int

    @classmethod
    def of(cls, record: ConsumerRecord) -> "Record":
        kept = tuple((name, held) for name, held in record.headers if name.startswith(("dlt_", "ce_type")))
        return cls(record.offset, kept, len(record.value or b""))


def entries_of(records: Iterable[Record]) -> list[Entry]:
    """Letters with what the markers among the records say of them."""
    found: list[Entry] = []
    marked: dict[int, datetime] = {}
    for record in records:
        redriven = redriven_of(record.headers)
        if redriven is not None:
            marked[redriven.offset] = redriven.at
            continue
        kind = dict(record.headers).get("ce_type") or b""
        letter = letter_of(record.headers)
        found.append(Entry(record.offset, letter, kind.decode(errors="replace"), record.size))
    return _with_markers(found, marked)


def _with_markers(entries: Sequence[Entry], marked: dict[int, datetime]) -> list[Entry]:
    by_origin: dict[Origin, datetime] = {
        entry.letter.origin: marked[entry.offset]
        for entry in entries
        if entry.letter is not None and entry.offset in marked
    }

    def at(entry: Entry) -> datetime | None:
        return None if entry.letter is None else by_origin.get(entry.letter.origin)

    return [Entry(entry.offset, entry.letter, entry.type, entry.size, at(entry)) for entry in entries]
