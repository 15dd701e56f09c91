"""A reading that keeps what has not moved says at each revision what one says that has just begun."""

import itertools
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from benchmarks.a_year import OFFICERS, UNITS, outcomes
from benchmarks.servers import MIGRATIONS
from chassis import postgres as databases
from chassis.problems import Problem
from contracts.events import Text
from services.aggregation.adapters.ledger import SEARCH_PATH, PostgresLedger
from services.aggregation.adapters.reading import PostgresReading
from services.aggregation.answers import Answers
from services.aggregation.documents import Period
from services.aggregation.domain import CITY, Level, Read, Scope
from tests.support.stack import own_database

pytestmark = pytest.mark.any_servers

PLACES = [
    CITY,
    *(Scope(Level.GROUP, group) for group in sorted({*UNITS.values()})),
    *(Scope(Level.UNIT, unit) for unit in list(UNITS)[:3]),
    *(Scope(Level.OFFICER, officer) for officer in OFFICERS[:9]),
]
RATED = Scope(Level.UNIT, "unit-0")
UNIT_NAMED = """
INSERT INTO unit VALUES
    ('unit-0', '{"vi": "Sở", "en": "Office"}', 'group-a', '{"vi": "Nhóm", "en": "Group"}', 1, 1, 1)
"""


@pytest.fixture
async def pool(postgres: str) -> AsyncIterator[asyncpg.Pool]:
    async with own_database(postgres, f"keeping_{secrets.token_hex(4)}") as url:
        await databases.migrate(url, MIGRATIONS)
        pool = await databases.create_pool(url, name="test", tidied=False, search_path=SEARCH_PATH)
        await pool.execute("INSERT INTO publication VALUES ('2026', 5, 7, 5)")
        yield pool
        await pool.close()


class City:
    """Folded a batch at a time, and read at an hour of its own."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.now = datetime(2026, 3, 1, tzinfo=UTC)
        self._offset = 0
        self._log = outcomes(1_200)

    def reading(self, *, everything: bool = False) -> PostgresReading:
        city = Text(vi="Thành phố", en="The city")
        return PostgresReading(self._pool, city, lambda: self.now, everything=everything)

    async def fold(self, count: int) -> None:
        ledger = PostgresLedger(self._pool)
        await ledger.checkpoints([0])
        batch = [
            Read(self._offset + n, self._offset + n, each)
            for n, each in enumerate(itertools.islice(self._log, count))
        ]
        await ledger.count({0: batch})
        self._offset += len(batch)
        self.now = batch[-1].outcome.decided_at + timedelta(hours=1)  # type: ignore[union-attr]


async def said(reading: PostgresReading) -> list[object]:
    """All that may be asked, of some places."""
    answers = Answers(reading, reading.now)
    found: list[object] = []
    for place in PLACES:
        try:
            found += [await answers.satisfaction(place, Period()), await answers.history(place, Period())]
            found += [await answers.children(place, Period())]
        except Problem as error:  # a place that nobody has rated yet
            found.append(repr(error))
    return found


@pytest.mark.parametrize("everything", [False, True])
async def test_what_is_kept_is_what_is_there(pool: asyncpg.Pool, *, everything: bool) -> None:
    city = City(pool)
    kept = city.reading(everything=everything)
    for count in (40, 1, 3, 200, 1, 0, 600, 2):
        if count:
            await city.fold(count)
        else:
            city.now += timedelta(days=1)  # a morning comes by itself
        assert await said(kept) == await said(city.reading(everything=everything))


async def test_each_change_is_another_version(pool: asyncpg.Pool) -> None:
    city = City(pool)
    kept = city.reading()
    await city.fold(50)
    city.now = city.now.replace(minute=5)
    seen = [await kept.version()]
    city.now += timedelta(minutes=20)
    assert await kept.version() == seen[0], "nothing has changed"

    async def moved() -> bool:
        seen.append(await kept.version())
        return seen[-1] not in seen[:-1]

    await city.fold(1)
    assert await moved(), "figures"
    city.now += timedelta(hours=1)
    assert await moved(), "an hour"
    unit = UNIT_NAMED
    for what in (
        unit,
        "INSERT INTO officer VALUES ('unit-0.0', 'Lan', 'unit-0', 1)",
        "UPDATE publication SET suppress_below = 3",
        "DELETE FROM unit",
    ):
        await pool.execute(what)
        assert await moved(), what
    await pool.execute("UPDATE revision SET value = value")  # as another history would have it
    assert await moved(), "the same revision of another transaction"


async def test_a_name_is_known_as_soon_as_the_directory_has_it(pool: asyncpg.Pool) -> None:
    city = City(pool)
    kept = city.reading()
    await city.fold(100)

    async def name() -> Text | None:
        return (await Answers(kept, kept.now).satisfaction(RATED, Period())).scope.name

    assert await name() is None
    await pool.execute(UNIT_NAMED)
    assert await name() == Text(vi="Sở", en="Office")


async def test_all_at_one_moment_is_of_one_version(pool: asyncpg.Pool) -> None:
    city = City(pool)
    kept = city.reading()
    await city.fold(100)
    async with kept.at_one_moment() as moment:
        before = await said(moment)
        await city.fold(100)
        assert await said(kept) != before
        assert await said(moment) == before
        assert await moment.version() != await kept.version()
