"""What the public sees while ratings come in, over the query API and the live stream."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from contracts import golden
from contracts.city_time import city_day
from contracts.envelope import encode
from contracts.events import EditionPublished, Outcome, Publication, UnitPublished
from contracts.topics import DIRECTORY, key_of
from services.aggregation.edition import ITEMS
from tests.support.aggregation import Stage
from tests.support.aggregation_process import Process, live, until
from tests.support.outcomes import accepted, rejected

pytestmark = pytest.mark.any_servers

LIKELY = Publication()


@pytest.fixture
async def api(stage: Stage) -> Process:
    """With the usual policy: batches of five or the next morning, nothing of fewer than five."""
    await stage.publication(LIKELY)
    await stage.worker()
    return await stage.api()


class Unit:
    def __init__(self, api: Process) -> None:
        self.id = f"u-{uuid4()}"
        self.url = f"{api.url}/v1/satisfaction"
        self.now = datetime.now(UTC)

    def rated(self, count: int, who: str = "a", at: datetime | None = None, **said: Any) -> Sequence[Outcome]:
        officer = f"{self.id}.{who}"
        return [accepted(officer, unit=self.id, at=at or self.now, **said) for _ in range(count)]

    async def all(self, who: str = "a") -> list[httpx.Response]:
        """Everything there is of an officer, byte for byte and with what caches see."""
        paths = (f"/officers/{self.id}.{who}", f"/officers/{self.id}.{who}/history")
        queries: tuple[dict[str, str], ...] = (
            {},
            {"edition": "2017"},
            {"from": str(self.now.date() - timedelta(days=9))},
        )
        async with httpx.AsyncClient() as client:
            return [await client.get(self.url + path, params=query) for path in paths for query in queries]

    async def of(self, path: str, **query: str) -> dict[str, Any]:
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"{self.url}/{path}", params=query)
        assert answer.status_code == 200
        return dict(answer.json())


async def test_nothing_of_an_officer_moves_until_a_batch_is_full(stage: Stage, api: Process) -> None:
    unit = Unit(api)
    officer = f"officer:{unit.id}.a"
    await stage.send([*unit.rated(5), *unit.rated(5, "b")])
    await stage.counts(10)
    async with live(f"{api.url}/v1/live?scope={officer}&scope=unit:{unit.id}") as events:
        assert [(await anext(events)).document["total"] for _ in range(2)] == [5, 10]
        before = await unit.all()
        for n in range(4):
            await stage.send(unit.rated(1, answer="not_satisfied", reasons=["late"]))
            assert (await anext(events)).document["scope"]["id"] == unit.id
            shown = await unit.all()
            assert [answer.content for answer in shown] == [answer.content for answer in before]
            assert [answer.headers["etag"] for answer in shown] == [a.headers["etag"] for a in before]
            assert (await unit.of(f"units/{unit.id}"))["not_satisfied"] == n + 1
        await stage.send([rejected(f"{unit.id}.a", unit=unit.id, at=unit.now)])
        await stage.send(unit.rated(1))
        moved = {e.document["scope"]["level"]: e.document for e in [await anext(events), await anext(events)]}
        assert (moved["officer"]["total"], moved["officer"]["not_satisfied"]) == (10, 4)
        assert moved["officer"]["revision"] > before[0].json()["revision"]


async def test_a_unit_of_one_officer_does_not_tell_on_them_and_nor_does_the_city(
    stage: Stage, api: Process
) -> None:
    unit = Unit(api)
    await stage.send(unit.rated(5))
    await stage.counts(5)
    paths = [
        f"units/{unit.id}",
        f"units/{unit.id}/history",
        f"units/{unit.id}/children",
        "groups/so-ban-nganh",
    ]
    paths += ["city", "city/history", "city/children"]
    before = [await unit.of(path) for path in paths]
    await stage.send(unit.rated(2, answer="not_satisfied"))
    await stage.counts(7)
    assert [await unit.of(path) for path in paths] == before
    await stage.send(unit.rated(1, "b"))
    await stage.counts(8)
    assert (await unit.of(f"units/{unit.id}"))["total"] == (await unit.of("city"))["total"] == 8


async def test_what_waits_from_a_day_before_is_public_and_what_is_released_says_so_in_the_tables(
    stage: Stage, api: Process
) -> None:
    unit = Unit(api)
    yesterday = unit.now - timedelta(days=1)
    await stage.publication(LIKELY.model_copy(update={"officer_hour": 0}))
    await stage.send([*unit.rated(5, at=yesterday), *unit.rated(3, at=yesterday, answer="not_satisfied")])
    await stage.counts(8)
    shown = await unit.of(f"officers/{unit.id}.a")
    assert (shown["total"], shown["not_satisfied"]) == (8, 3)
    assert await released(stage, f"{unit.id}.a") == 5
    await stage.send(unit.rated(1))
    await stage.counts(9)
    assert (await unit.of(f"officers/{unit.id}.a"))["total"] == await released(stage, f"{unit.id}.a") == 8


async def test_what_is_of_too_few_is_said_to_be(stage: Stage, api: Process) -> None:
    unit = Unit(api)
    await stage.send([*unit.rated(2), *unit.rated(2, "b")])
    await stage.counts(4)
    shown = await unit.of(f"units/{unit.id}")
    assert (shown["suppressed"], shown["total"], shown["channels"]) == (True, None, [])
    days = (await unit.of(f"units/{unit.id}/history"))["days"]
    assert [day["suppressed"] for day in days] == [False] * 29 + [True]
    await stage.send(unit.rated(1))
    await stage.counts(5)
    assert (await unit.of(f"units/{unit.id}"))["total"] == 5
    today = str(city_day(unit.now))
    between = await unit.of(f"units/{unit.id}", **{"from": today})
    assert (between["total"], between["left_out"]) == (5, sorted(ITEMS))


async def test_released_figures_are_the_same_however_the_log_is_cut(stage: Stage) -> None:
    """Once in large batches, once in small ones by other workers."""
    await stage.publication(LIKELY)
    unit = f"u-{uuid4()}"
    now = datetime.now(UTC)
    moments = [now - timedelta(days=9) + timedelta(hours=5 * n) for n in range(40)]
    outcomes: list[Outcome] = [
        accepted(f"{unit}.{'ab'[n % 3 == 0]}", unit=unit, at=at, edition=f"201{7 + n % 2}")
        for n, at in enumerate(moments)
        for _ in range(n % 4)
    ]
    worker = await stage.worker(AGGREGATION_BATCH="1000")
    await stage.send(outcomes)
    await stage.counts(len(outcomes))
    first = await publication(stage)
    await worker.leave()
    async with stage.database.acquire() as connection, connection.transaction():
        await connection.execute(
            "TRUNCATE read_models.tally, read_models.standing, read_models.counted_submission"
        )
        for tp, offset in stage.begun_at.items():
            await connection.execute(
                "UPDATE read_models.checkpoint SET next_offset = $2 WHERE partition = $1",
                tp.partition,
                offset,
            )
    await stage.worker(AGGREGATION_BATCH="3")
    await stage.counts(len(outcomes))
    assert await publication(stage) == first
    assert any(row["released"] for row in first[0])
    assert any(row["pending"] for row in first[1])


async def test_an_edition_keeps_the_batches_that_it_began_with(stage: Stage) -> None:
    example = next(event for event in golden.EVENTS if isinstance(event, EditionPublished))
    edition = f"e-{uuid4()}"

    async def publish(batch: int, below: int) -> None:
        policy = example.policy.model_copy(
            update={"publication": Publication(officer_batch=batch, suppress_below=below)}
        )
        event = example.model_copy(update={"edition_id": edition, "policy": policy})
        sent = encode(golden.envelope(example)._replace(data=event), key=key_of(event))
        await stage.send_messages([sent], DIRECTORY.name)

    async def kept() -> tuple[int, int] | None:
        row = await stage.database.fetchrow(
            "SELECT officer_batch, suppress_below FROM directory.publication WHERE edition_id = $1", edition
        )
        return None if row is None else (row["officer_batch"], row["suppress_below"])

    await publish(2, 3)
    await stage.worker()

    async def first() -> bool:
        return await kept() == (2, 3)

    async def second() -> bool:
        return await kept() == (2, 7)

    await until(first, why="the policy is known")
    await publish(4, 7)
    await until(second, why="the threshold moved and the batch stayed")


async def released(stage: Stage, officer: str) -> int:
    return int(
        await stage.database.fetchval(
            "SELECT sum(released) FROM read_models.tally WHERE level = 'officer' AND scope_id = $1"
            " AND day = 'infinity' AND measure = 'answer'",
            officer,
        )
    )


async def publication(stage: Stage) -> tuple[list[Any], list[Any]]:
    tallies = await stage.database.fetch("SELECT * FROM read_models.tally ORDER BY 1, 2, 3, 4, 5, 6")
    standings = await stage.database.fetch("SELECT * FROM read_models.standing ORDER BY 1, 2")
    return tallies, standings


async def test_a_unit_is_shown_with_what_merged_into_it_and_nothing_comes_out_that_is_hidden(
    stage: Stage, api: Process
) -> None:
    example = next(event for event in golden.EVENTS if isinstance(event, UnitPublished))
    first, second, heir, other = Unit(api), Unit(api), Unit(api), Unit(api)

    async def publish(unit: Unit, into: Unit | None) -> None:
        closed = None if into is None else date(2025, 3, 1)
        change = {"unit_id": unit.id, "closed_on": closed, "merged_into": into and into.id}
        event = example.model_copy(update=change)
        sent = encode(golden.envelope(example)._replace(data=event), key=key_of(event))
        await stage.send_messages([sent], DIRECTORY.name)

    ratings = {heir: (6, 6), second: (5, 4), first: (2, 1), other: (2, 1)}
    outcomes = [
        outcome
        for unit, counts in ratings.items()
        for who, count in zip("ab", counts, strict=True)
        for outcome in unit.rated(count, who)
    ]
    await stage.send(outcomes)
    await stage.counts(len(outcomes))
    # In a circle, which no file may hold: even so each is counted once.
    for unit, into in ((first, second), (second, heir), (heir, first)):
        await publish(unit, into)

    async def told() -> bool:
        return len((await heir.of(f"units/{heir.id}"))["scope"]["predecessors"]) == 2

    await until(told, why="the mergers are known")
    await publish(heir, None)

    async def open_again() -> bool:
        return (await heir.of(f"units/{heir.id}"))["scope"]["closed_on"] is None

    await until(open_again, why="the last one is open")
    old = await first.of(f"units/{first.id}")
    assert old["scope"]["merged_into"]["id"] == second.id
    assert (old["suppressed"], old["total"]) == (True, None)
    joined = await heir.of(f"units/{heir.id}", **{"with": "predecessors"})
    assert [(await unit.of(f"units/{unit.id}"))["total"] for unit in (second, heir)] == [9, 12]
    assert (joined["total"], joined["partial"]) == (21, True)
    history = await heir.of(f"units/{heir.id}/history", **{"with": "predecessors"})
    by_day = [await unit.of(f"units/{unit.id}/history") for unit in (first, second, heir)]
    assert [day["total"] or 0 for day in history["days"]] == [
        sum(day["total"] or 0 for day in days)
        for days in zip(*(each["days"] for each in by_day), strict=True)
    ]
