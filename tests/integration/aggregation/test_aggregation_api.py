"""The query API and its live streams, over figures that a worker folds."""

import asyncio
import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from chassis.postgres import create_pool
from contracts.events import Text
from services.aggregation.adapters.ledger import SEARCH_PATH, PostgresLedger
from services.aggregation.adapters.reading import PostgresReading
from services.aggregation.documents import Period, share
from services.aggregation.domain import CITY, Read
from tests.support.aggregation import Stage
from tests.support.aggregation_process import live
from tests.support.outcomes import accepted, rejected

pytestmark = pytest.mark.any_servers


async def test_figures_come_out_as_they_went_in(stage: Stage) -> None:
    officer, unit = f"u.{uuid4()}", f"u-{uuid4()}"
    at = [datetime(2017, 11, 23, 16, 59, tzinfo=UTC), datetime(2017, 11, 23, 17, 1, tzinfo=UTC)]
    await stage.send(
        [
            accepted(officer, unit=unit, at=at[0]),
            accepted(officer, unit=unit, at=at[1], answer="not_satisfied", reasons=["late"]),
            accepted(officer, unit=unit, at=at[1], edition="2018", channel="kiosk"),
            rejected(officer, unit=unit, at=at[1]),
        ]
    )
    await stage.worker()
    api = await stage.api()
    await stage.counts(3)
    async with httpx.AsyncClient(base_url=f"{api.url}/v1/satisfaction") as client:
        body = (await client.get(f"/officers/{officer}")).json()
        assert (body["total"], body["satisfied"], body["not_satisfied"]) == (3, 2, 1)
        assert body["scope"]["parent"]["id"] == unit
        assert body["rejected"] == [{"reason": "duplicate", "count": 1}]
        body = (await client.get(f"/units/{unit}")).json()
        assert body["channels"] == [{"id": "portal", "count": 2}, {"id": "kiosk", "count": 1}]
        assert body["hours"] == [{"id": "00", "count": 2}, {"id": "23", "count": 1}]
        assert body["weekdays"] == [{"id": "4", "count": 1}, {"id": "5", "count": 2}]
        assert body["assurances"] == [{"id": "captcha", "count": 3}]
        edition = (await client.get(f"/units/{unit}", params={"edition": "2018"})).json()
        day = (await client.get(f"/units/{unit}", params={"from": "2017-11-23", "to": "2017-11-23"})).json()
        later = (await client.get(f"/units/{unit}", params={"from": "2017-11-24", "edition": "2017"})).json()
        assert (edition["total"], day["total"], later["total"]) == (1, 1, 1)
        span = {"from": "2017-11-22", "to": "2017-11-24"}
        history = (await client.get("/city/history", params=span)).json()
        assert [(one["day"], one["total"]) for one in history["days"]] == [
            ("2017-11-22", 0),
            ("2017-11-23", 1),
            ("2017-11-24", 2),
        ]
        children = (await client.get(f"/units/{unit}/children")).json()
        assert [(one["scope"]["id"], one["total"]) for one in children["children"]] == [(officer, 3)]
        change = (await client.get(f"/units/{unit}/change", params=span | {"from": "2017-11-24"})).json()
        assert (change["now"]["total"], change["before"]["total"], change["difference"]) == (2, 1, -0.5)
        assert (await client.get("/units/nobody")).status_code == 404


async def test_the_files_that_offices_handled_give_a_response(stage: Stage, tmp_path: Path) -> None:
    units = [f"u-{uuid4()}" for _ in range(3)]
    at = datetime(2017, 11, 23, 5, tzinfo=UTC)
    await stage.send([accepted(f"{unit}.a", unit=unit, at=at) for unit in units for _ in range(4)])
    await stage.send([accepted(f"{units[0]}.a", unit=units[0], at=at.replace(year=2016)) for _ in range(9)])
    await stage.worker()
    await stage.counts(21)
    path = tmp_path / "files.csv"
    path.write_text(f"unit_id,year,files\n{units[0]},2017,4\n{units[1]},2017,16\nclosed,2017,99\n")
    api = await stage.api(AGGREGATION_FILES_HANDLED_FILE=str(path))
    found = {}
    async with httpx.AsyncClient(
        base_url=f"{api.url}/v1/satisfaction", params={"to": "2017-12-31"}
    ) as client:
        for scope in (*(f"units/{unit}" for unit in units), "groups/so-ban-nganh", "city"):
            response = (await client.get(f"/{scope}")).json()["response"]
            found[scope] = response and (response["files"], response["ratings"], response["reached"])
        report = (await client.get("/city/report.csv")).text
    (row,) = [row for row in csv.DictReader(io.StringIO(report, newline="")) if row["table"] == "response"]
    assert [row[name] for name in ("year", "files", "ratings", "reached")] == ["2017", "20", "8", "false"]
    assert list(found.values()) == [(4, 4, True), (16, 4, False), None, (20, 8, False), (20, 8, False)]


async def test_files_that_cannot_be_read_are_said_in_one_line(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "files.csv"
    path.write_text("unit_id,year,files\nu,2017,many\n")
    api = await stage.process("serve", AGGREGATION_FILES_HANDLED_FILE=str(path)).start()
    assert await api.ended() == 1
    said = f"AGGREGATION_FILES_HANDLED_FILE: {path}: line 2: year and files have to be whole numbers\n"
    assert api.log.read_text() == said


async def test_a_stream_shows_a_rating_by_itself_on_every_api_process(stage: Stage) -> None:
    officer = f"u.{uuid4()}"
    await stage.send([accepted(officer)])
    await stage.worker()
    await stage.counts(1)
    first, second = await asyncio.gather(stage.api(), stage.api())
    query = f"/v1/live?scope=city&scope=officer:{officer}"
    async with live(first.url + query) as one, live(second.url + query) as other:
        for events in (one, other):
            snapshots = [await anext(events), await anext(events)]
            assert [event.event for event in snapshots] == ["snapshot", "snapshot"]
            assert [event.document["total"] for event in snapshots] == [1, 1]
        await stage.send([accepted(officer, answer="not_satisfied", reasons=["late"])])
        async with asyncio.timeout(20):
            for events in (one, other):
                figures = [await anext(events), await anext(events)]
                assert [event.event for event in figures] == ["figures", "figures"]
                assert [event.document["total"] for event in figures] == [2, 2]


async def test_a_client_that_comes_back_to_another_process_misses_nothing(stage: Stage) -> None:
    units = [f"u-{uuid4()}" for _ in range(3)]
    officers = [f"{unit}.o" for unit in units]
    await stage.send([accepted(officer, unit=unit) for officer, unit in zip(officers, units, strict=True)])
    await stage.worker()
    await stage.counts(3)
    first, second = await asyncio.gather(stage.api(), stage.api())
    query = "/v1/live?" + "&".join(f"scope=officer:{officer}" for officer in officers)
    async with live(first.url + query) as events:
        seen = [await anext(events) for _ in officers][-1].id
    await first.kill()
    await stage.send([accepted(officers[0], unit=units[0])])
    await stage.counts(4)
    await stage.send([accepted(officers[2], unit=units[2])])
    await stage.counts(5)
    async with live(second.url + query, after=seen) as events:
        missed = [await anext(events), await anext(events)]
        assert {event.document["scope"]["id"] for event in missed} == {officers[0], officers[2]}
        assert {event.event for event in missed} == {"figures"}
        await stage.send([accepted(officers[1], unit=units[1])])
        assert (await anext(events)).document["scope"]["id"] == officers[1]


async def test_streams_go_on_after_the_database_cut_every_connection(stage: Stage) -> None:
    await stage.worker()
    api = await stage.api()
    async with live(f"{api.url}/v1/live?scope=city") as events:
        await anext(events)
        await stage.database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await stage.send([accepted()])
        async with asyncio.timeout(10):
            assert (await anext(events)).document["total"] == 1


async def test_an_api_told_to_stop_ends_its_streams_promptly(stage: Stage) -> None:
    api = await stage.api()
    async with live(f"{api.url}/v1/live?scope=city") as events:
        await anext(events)
        code, seconds = await api.terminate()
    assert code == 0
    assert seconds < 4


async def test_revisions_are_seen_in_the_order_of_their_commits(stage: Stage) -> None:
    """Two writers at once, and a reader who after each change asks for what came after the last one."""
    pool = await create_pool(stage.database_url, name="test", search_path=SEARCH_PATH, most=6)
    ledger = PostgresLedger(pool)
    reading = PostgresReading(pool, Text(vi="-", en="-"), lambda: datetime.now(UTC))
    begun = {tp.partition: offset for tp, offset in stage.begun_at.items()}

    async def write(partition: int) -> None:
        for offset in range(begun[partition], begun[partition] + 60):
            await ledger.count({partition: [Read(offset, offset, accepted(f"u.{partition}"))]})

    async with asyncio.TaskGroup() as writers, asyncio.timeout(60):
        writing = [writers.create_task(write(partition)) for partition in (0, 1)]
        seen = [0]
        while not all(task.done() for task in writing):
            snapshot = await reading.figures([CITY], Period())
            if snapshot.revision != seen[-1]:
                seen.append(snapshot.revision)
                total = share(snapshot.figures[0].published).total
                assert total == snapshot.revision, "each revision holds all the commits up to it"
    assert seen == sorted(set(seen))
    assert await stage.total() == 120
    await pool.close()


async def test_a_late_rating_is_in_the_figure_of_its_day_and_not_in_what_stood_before_it_came(
    stage: Stage,
) -> None:
    unit = f"u-{uuid4()}"
    monday = datetime(2017, 11, 20, 3, tzinfo=UTC)
    in_time = [accepted(f"{unit}.{who}", unit=unit, at=monday) for who in "aab"]
    late = accepted(f"{unit}.b", unit=unit, at=monday).model_copy(
        update={"decided_at": monday + timedelta(days=2)}
    )
    await stage.send([*in_time, late])
    await stage.worker()
    await stage.counts(4)
    api = await stage.api()
    async with httpx.AsyncClient(base_url=f"{api.url}/v1/satisfaction") as client:

        async def totals(path: str, **query: str) -> list[int]:
            document = (await client.get(path, params=query)).json()
            return [each["total"] for each in document.get("children", [document])]

        history = (await client.get(f"/units/{unit}/history", params={"to": "2017-11-20"})).json()
        assert history["days"][-1]["total"] == 4
        for path in (f"/units/{unit}", "/city", "/city/children"):
            assert await totals(path, as_of="2017-11-21") == [3]
            assert await totals(path, as_of="2017-11-22") == await totals(path) == [4]
        refused = await client.get("/city", params={"as_of": "2017-11-21", "from": "2017-11-01"})
        assert refused.json()["errors"][0]["pointer"] == "as_of"
