"""What every log of intake must do: the one in memory that unit tests use, and Kafka."""

import asyncio
import time
from typing import Protocol
from uuid import uuid4

import pytest

from contracts.envelope import Message
from contracts.topics import RATING_SUBMISSIONS
from services.intake.ports import Log, NotKept

TOPIC = RATING_SUBMISSIONS.name


class Subject(Protocol):
    """A log, and what is behind it in reach."""

    @property
    def log(self) -> Log: ...

    async def read(self, key: bytes | None) -> list[Message]:
        """All messages of that key, in their order."""

    async def take_away(self) -> None:
        """What the log writes to no longer answers."""

    async def bring_back(self) -> None:
        """Returns once the log takes messages again."""


def message(value: bytes | None = b"{}") -> Message:
    return Message(str(uuid4()).encode(), value, (("ce_id", b"1"), ("content-type", b"application/json")))


class LogSuite:
    """Subclass it with a fixture `subject`."""

    async def test_what_was_confirmed_can_be_read(self, subject: Subject) -> None:
        sent = message('{"name": "Hài lòng"}'.encode())
        await subject.log.append(TOPIC, sent)
        assert await subject.read(sent.key) == [sent]

    async def test_messages_of_a_key_keep_their_order(self, subject: Subject) -> None:
        first = message(b"1")
        second = Message(first.key, b"2", first.headers)
        await subject.log.append(TOPIC, first)
        await subject.log.append(TOPIC, second)
        assert await subject.read(first.key) == [first, second]

    async def test_a_tombstone_is_kept(self, subject: Subject) -> None:
        sent = message(None)
        await subject.log.append(TOPIC, sent)
        assert await subject.read(sent.key) == [sent]

    async def test_many_at_once_are_all_kept(self, subject: Subject) -> None:
        sent = [message(str(number).encode()) for number in range(200)]
        await asyncio.gather(*(subject.log.append(TOPIC, each) for each in sent))
        for each in sent[::20]:
            assert await subject.read(each.key) == [each]

    async def test_a_caller_who_goes_away_harms_no_other(self, subject: Subject) -> None:
        sent = [message(str(number).encode()) for number in range(20)]
        appending = [asyncio.create_task(subject.log.append(TOPIC, each)) for each in sent]
        await asyncio.sleep(0)  # all have begun
        for task in appending[::2]:
            task.cancel()
        results = await asyncio.gather(*appending, return_exceptions=True)
        assert results[1::2] == [None] * 10
        for each in sent[1::2]:
            assert await subject.read(each.key) == [each]

    async def test_what_cannot_be_kept_is_refused_within_5_seconds(self, subject: Subject) -> None:
        await subject.log.append(TOPIC, message())  # so that all that is left to wait for is the confirmation
        await subject.take_away()
        try:
            started = time.monotonic()
            with pytest.raises(NotKept):
                await subject.log.append(TOPIC, message())
            assert time.monotonic() - started < 5.0
        finally:
            await subject.bring_back()

    async def test_after_an_outage_the_same_message_is_kept(self, subject: Subject) -> None:
        sent = message()
        await subject.log.append(TOPIC, message())
        await subject.take_away()
        try:
            with pytest.raises(NotKept):
                await subject.log.append(TOPIC, sent)
        finally:
            await subject.bring_back()
        await subject.log.append(TOPIC, sent)
        kept = await subject.read(sent.key)
        assert set(kept) == {sent}
        assert len(kept) <= 2  # the first may have arrived after all
