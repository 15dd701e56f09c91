"""Reports that are made in the background, by any of the API's processes, over one database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from chassis.readiness import Check
from services.aggregation import report_api, report_jobs_api
from services.aggregation.adapters.report_jobs import MOST_ATTEMPTS, MOST_KEPT, PostgresReportJobs
from services.aggregation.documents import Period
from services.aggregation.domain import Level, Scope
from services.aggregation.reports.jobs import File, Maker, State
from services.aggregation.reports.press import Press
from services.aggregation.reports.report import Format, Order, Told
from tests.support.aggregation import Stage
from tests.support.aggregation_process import until
from tests.support.figures_app import figures_app
from tests.support.outcomes import accepted
from tests.support.publication import booked
from tests.support.reports import Kept

pytestmark = pytest.mark.any_servers

UNIT = Scope(Level.UNIT, "u")
FILE = File(b"1", {"Content-Type": "text/csv"})
MOST = 3


def an_order(day: int = 1) -> Order:
    return Order(UNIT, Period("2017", datetime(2017, 11, day, tzinfo=UTC).date()), Format.CSV, "vi")


@pytest.fixture
def jobs(stage: Stage) -> PostgresReportJobs:
    return PostgresReportJobs(stage.database, MOST)


@asynccontextmanager
async def making(maker: Maker) -> AsyncIterator[None]:
    running = asyncio.create_task(maker.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])
    assert running.cancelled(), "it never ends by itself"


async def ended(jobs: PostgresReportJobs, job_id: UUID) -> State:
    async def over() -> bool:
        job = await jobs.find(job_id)
        return job is not None and job.ended_at is not None

    await until(over, why="the report has ended")
    job = await jobs.find(job_id)
    assert job is not None
    return job.state


async def lapse(stage: Stage) -> None:
    """As if who holds a lease had been frozen for as long as it lasts."""
    await stage.database.execute("UPDATE reports.job SET lease_until = now() - interval '1 s'")


async def test_what_is_ordered_at_one_process_is_asked_after_and_read_at_another(
    stage: Stage, tmp_path: Path
) -> None:
    unit = f"u-{uuid4()}"
    handled = tmp_path / "files.csv"
    handled.write_text(f"unit_id,year,files\n{unit},2017,40\n")
    await stage.worker()
    outcomes = [accepted(f"{unit}.{n % 2}", unit=unit) for n in range(9)]
    await stage.send(outcomes)
    await stage.counts_exactly(outcomes)
    settings = {"AGGREGATION_FILES_HANDLED_FILE": str(handled)}
    here, there = await stage.api(**settings), await stage.api(**settings)
    asked = "edition=2017&to=2017-12-31&bom=true"
    address = f"/v1/satisfaction/units/{unit}/report.csv?{asked}"
    async with httpx.AsyncClient(headers={"Accept-Language": "en"}) as http:
        ordered = await http.post(f"{here.url}/v1/reports?scope=unit:{unit}&format=csv&{asked}")
        assert (ordered.status_code, ordered.headers["retry-after"]) == (202, "1")
        location = f"{there.url}{ordered.headers['location']}"

        async def ready() -> bool:
            return bool((await http.get(location)).json()["state"] == "ready")

        await until(ready, why="the report is ready")
        job = (await http.get(location)).json()
        assert (job["done"], job["steps"]) == (1, 1)
        made, direct = await http.get(f"{there.url}{job['href']}"), await http.get(f"{here.url}{address}")
        assert made.content == direct.content
        assert b"\r\nresponse," in made.content
        for name in ("content-type", "content-disposition", "content-language"):
            assert made.headers[name] == direct.headers[name]
        wrong = await http.post(f"{here.url}/v1/reports?scope=unit:{uuid4()}")
        assert (wrong.status_code, wrong.json()["type"]) == (404, "urn:hailong:problem:scope_unknown")
        unknown = await http.get(f"{here.url}/v1/reports/{uuid4()}")
        assert unknown.status_code == 404


async def test_an_order_is_answered_by_what_becomes_of_it(stage: Stage, jobs: PostgresReportJobs) -> None:
    kept, press = Kept(booked([[accepted("u.a", unit="u") for _ in range(6)]])), Press(1)
    app = figures_app(kept, report_api.install, report_jobs_api.install)
    report_api.attach(app, kept, kept, press)

    async def make(order: Order, told: Told) -> File:
        if order.period.edition == "broken":
            raise ValueError
        return FILE

    maker = Maker(jobs, make, Check("report_jobs"))
    report_jobs_api.attach(app, jobs, maker)
    address = "/v1/reports?scope=unit:u"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as http:
        broken = (await http.post(f"{address}&edition=broken")).json()
        first = (await http.post(address)).json()
        assert (await http.post(address)).json()["id"] == first["id"], "it is made once for all"
        assert (await http.post(f"{address}&lang=en")).status_code == 202
        full = await http.post(f"{address}&from=2017-11-23&to=2017-11-24")
        assert (full.status_code, full.json()["type"]) == (503, "urn:hailong:problem:reports_full")
        early = await http.get(f"/v1/reports/{first['id']}/file")
        assert (early.status_code, early.headers["retry-after"]) == (409, "1")
        too_long = await http.post(f"{address}&from=2015-01-01&to=2017-01-01")
        assert too_long.status_code == 422
        async with making(maker):
            assert await ended(jobs, UUID(broken["id"])) is State.FAILED
            assert await ended(jobs, UUID(first["id"])) is State.READY, "the next is made all the same"
        assert (await http.get(f"/v1/reports/{broken['id']}/file")).status_code == 410
        shown = (await http.get(f"/v1/reports/{first['id']}")).json()
        file = await http.get(shown["href"])
        assert (file.content, file.headers["content-type"]) == (FILE.content, "text/csv")
        assert (await http.post(address)).json()["id"] != first["id"], "figures may have moved since"
    press.close()


async def test_who_lost_the_lease_puts_nothing_down(stage: Stage, jobs: PostgresReportJobs) -> None:
    other = PostgresReportJobs(stage.database, MOST)
    job = await jobs.order(an_order())
    frozen = await jobs.take()
    assert frozen is not None
    assert await other.take() is None, "it is another's"
    await jobs.renew(frozen, 1, 3)
    shown = await other.find(job.id)
    assert shown is not None
    assert (shown.state, shown.done, shown.steps) == (State.MAKING, 1, 3)
    await lapse(stage)
    taken = await other.take()
    assert taken is not None
    assert (taken.job_id, taken.order) == (job.id, an_order())
    await jobs.end(frozen, File(b"of the frozen", {}))
    await jobs.renew(frozen, 0, 0)
    assert await jobs.file(job.id) is None
    await other.end(taken, FILE)
    assert await jobs.file(job.id) == FILE


async def test_a_report_that_ends_its_makers_is_given_up(stage: Stage, jobs: PostgresReportJobs) -> None:
    job = await jobs.order(an_order())
    for _ in range(MOST_ATTEMPTS):
        assert await jobs.take() is not None
        await lapse(stage)
    assert await jobs.take() is None
    shown = await jobs.find(job.id)
    assert shown is not None
    assert shown.state is State.FAILED


async def test_an_outage_while_a_report_is_made_is_waited_out(stage: Stage, jobs: PostgresReportJobs) -> None:
    tries: list[Order] = []

    async def make(order: Order, told: Told) -> File:
        tries.append(order)
        if len(tries) == 1:
            await lapse(stage)
            raise asyncpg.AdminShutdownError("the server is stopping")
        return FILE

    job = await jobs.order(an_order())
    async with making(Maker(jobs, make, Check("report_jobs"))):
        assert await ended(jobs, job.id) is State.READY
    assert tries == [an_order(), an_order()]


async def test_files_are_dropped_after_a_while_and_when_they_are_many(
    stage: Stage, jobs: PostgresReportJobs
) -> None:
    ids = []
    for day in range(1, 3):
        ids.append((await jobs.order(an_order(day))).id)
        taken = await jobs.take()
        assert taken is not None
        await jobs.end(taken, FILE)
    await stage.database.execute(
        "UPDATE reports.job SET ended_at = now() - interval '61 minutes' WHERE job_id = $1", ids[0]
    )
    assert (await jobs.find(ids[0]), await jobs.file(ids[0])) == (None, None)
    assert await jobs.file(ids[1]) == FILE
    await stage.database.execute(
        "INSERT INTO reports.job (job_id, asked, ended_at) SELECT gen_random_uuid(), to_jsonb(n), now()"
        " FROM generate_series(1, $1) AS n",
        MOST_KEPT,
    )
    await jobs.order(an_order())
    assert await jobs.find(ids[1]) is None
    assert await stage.database.fetchval("SELECT count(*) FROM reports.job") == MOST_KEPT + 1
