"""Names as the topic `directory` has them."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field

import pytest

from chassis.readiness import Check
from contracts import golden
from contracts.envelope import encode
from contracts.events import ApiClientPublished, Event
from contracts.topics import key_of
from services.aggregation.naming import Change, Published, keep_names

UNIT, OFFICER, EDITION = golden.EVENTS[:3]


def published(offset: int, event: Event, *, value: bool = True) -> Published:
    sent = encode(golden.envelope(event), key=key_of(event))
    return Published(offset, (sent.key or b"").decode(), sent.value if value else None, sent.headers)


@dataclass
class Topic:
    given: Sequence[tuple[Sequence[Published], bool]]

    async def batches(self) -> AsyncIterator[tuple[Sequence[Published], bool]]:
        for batch in self.given:
            yield batch
        await asyncio.Event().wait()


@dataclass
class Kept:
    now: dict[str, Event] = field(default_factory=dict)
    replaced: int = 0

    async def replace(self, entries: Iterable[Change]) -> None:
        self.now, self.replaced = {}, self.replaced + 1
        await self.change(entries)

    async def change(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self.now.pop(change.key, None)
            if change.entry is not None:
                self.now[change.key] = change.entry

    def outage(self, error: BaseException) -> bool:
        return isinstance(error, ConnectionError)


async def kept(*given: tuple[Sequence[Published], bool], before: dict[str, Event] | None = None) -> Kept:
    names = Kept(before or {})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await keep_names(
                Topic(given),
                names,
                postgres=Check("postgres"),
                read=Check("directory"),
                known=asyncio.Event(),
            )
    return names


async def test_units_officers_and_editions_are_kept_and_nothing_else() -> None:
    client = next(event for event in golden.EVENTS if isinstance(event, ApiClientPublished))
    events = [UNIT, OFFICER, EDITION, client]
    names = await kept(([published(n, event) for n, event in enumerate(events)], True))
    assert list(names.now) == [key_of(UNIT), key_of(OFFICER), key_of(EDITION)]


async def test_outcomes_may_be_folded_once_the_whole_topic_is_kept_and_not_before() -> None:
    for reached_end in (False, True):
        known, names = asyncio.Event(), Kept()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await keep_names(
                    Topic([([published(0, EDITION)], reached_end)]),
                    names,
                    postgres=Check("postgres"),
                    read=Check("directory"),
                    known=known,
                )
        assert known.is_set() is bool(names.now) is reached_end


async def test_a_null_value_removes_a_name() -> None:
    names = await kept(([published(0, UNIT)], True), ([published(1, UNIT, value=False)], True))
    assert names.now == {}


async def test_what_the_topic_has_no_more_goes_at_the_start() -> None:
    names = await kept(([published(0, UNIT)], True), before={"officer:gone": OFFICER})
    assert list(names.now) == [key_of(UNIT)]


async def test_an_empty_topic_leaves_no_names() -> None:
    assert (await kept(([], True), before={"officer:gone": OFFICER})).now == {}


async def test_nothing_is_replaced_before_the_whole_topic_is_read() -> None:
    names = await kept(([published(0, UNIT)], False), before={"officer:o": OFFICER})
    assert (names.replaced, list(names.now)) == (0, ["officer:o"])


async def test_an_unreadable_entry_leaves_the_name_as_it_was() -> None:
    spoilt = Published(1, key_of(UNIT), b"not JSON", published(0, UNIT).headers)
    names = await kept(([published(0, UNIT)], True), ([spoilt], True))
    assert names.now == {key_of(UNIT): UNIT}
