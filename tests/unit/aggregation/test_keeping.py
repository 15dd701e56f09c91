"""Answers are kept exactly as long as they are the newest."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from pydantic import BaseModel

from services.aggregation.answers import Answers
from services.aggregation.files_handled import NOBODY_SAID
from services.aggregation.keeping import Keeping, Moments


class Document(BaseModel):
    says: str


class Figures:
    """What is said now; a moment goes on seeing what was said when it began."""

    def __init__(self, at: int = 1) -> None:
        self.at = at
        self.away = False
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def version(self) -> int:
        if self.away:
            raise ConnectionError
        return self.at

    @asynccontextmanager
    async def at_one_moment(self) -> AsyncIterator["Figures"]:
        yield Figures(self.at)


class Making:
    """Counts how often a document is made; waits for `gate` meanwhile."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.times = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, answers: Answers) -> BaseModel:
        self.times += 1
        await self.gate.wait()
        figures: Any = answers._reading
        return Document(says=f"{self.text}{figures.at}")


def keeping(figures: Figures, most: int = 1_000) -> Keeping:
    return Keeping(cast(Moments, figures), NOBODY_SAID, most=most)


async def test_a_document_is_made_once_for_a_version_and_anew_for_the_next() -> None:
    figures, make = Figures(), Making()
    kept = keeping(figures)
    first = [await kept.answer("q", make) for _ in range(3)]
    assert (make.times, {each.body for each in first}) == (1, {b'{"says":"1"}'})
    figures.at = 2
    second = await kept.answer("q", make)
    assert (make.times, second.body) == (2, b'{"says":"2"}')
    assert second.etag != first[0].etag


async def test_questions_are_told_apart() -> None:
    kept = keeping(Figures())
    assert (await kept.answer("a", Making("a"))).body != (await kept.answer("b", Making("b"))).body


async def test_what_many_ask_for_at_a_time_is_made_once() -> None:
    figures, make = Figures(), Making()
    kept = keeping(figures)
    make.gate.clear()
    asking = [asyncio.create_task(kept.answer("q", make)) for _ in range(20)]
    await asyncio.sleep(0.01)
    asking[0].cancel()  # whoever came first does not take it away from the others
    make.gate.set()
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert make.times == 1
    assert len(set(map(id, found[1:]))) == 1


async def test_who_asks_after_a_change_is_not_given_what_was_begun_before() -> None:
    figures, make = Figures(), Making()
    kept = keeping(figures)
    make.gate.clear()
    before = asyncio.create_task(kept.answer("q", make))
    await asyncio.sleep(0.01)
    figures.at = 2
    after = asyncio.create_task(kept.answer("q", make))
    await asyncio.sleep(0.01)
    make.gate.set()
    assert ((await before).body, (await after).body) == (b'{"says":"1"}', b'{"says":"2"}')
    assert (await kept.answer("q", make)).body == b'{"says":"2"}'


async def test_nothing_kept_is_given_while_it_cannot_be_seen_whether_it_is_the_newest() -> None:
    figures, make = Figures(), Making()
    kept = keeping(figures)
    await kept.answer("q", make)
    figures.away = True
    with pytest.raises(ConnectionError):
        await kept.answer("q", make)


async def test_what_could_not_be_made_is_tried_again() -> None:
    kept, make = keeping(Figures()), Making()

    async def fails(answers: Answers) -> BaseModel:
        del answers
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await kept.answer("q", fails)
    assert (await kept.answer("q", make)).body == b'{"says":"1"}'


async def test_no_more_is_kept_than_may_be_and_what_was_asked_for_last_stays() -> None:
    makes = {name: Making(name * 20) for name in "abc"}  # 32 bytes each
    kept = keeping(Figures(), most=70)
    for name in "abac":
        await kept.answer(name, makes[name])
    for name in "ac":
        await kept.answer(name, makes[name])
    assert {name: make.times for name, make in makes.items()} == {"a": 1, "b": 1, "c": 1}
    await kept.answer("b", makes["b"])
    assert makes["b"].times == 2
