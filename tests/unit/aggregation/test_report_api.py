"""Reports and open data over HTTP, over figures that are kept in memory."""

import asyncio
import csv
import json
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from services.aggregation import open_data_api, report_api
from services.aggregation.bootstrap import api_app
from services.aggregation.files_handled import USUAL_SAMPLE, FilesHandled, sample_of
from services.aggregation.reports.press import Full, Press
from services.aggregation.settings import Settings
from tests.support.figures_app import figures_app
from tests.support.outcomes import accepted
from tests.support.publication import booked
from tests.support.reports import Kept

NOON = datetime(2017, 11, 23, 5, tzinfo=UTC)


@pytest.fixture
def kept() -> Kept:
    days = [NOON + timedelta(days=n) for n in range(2)]
    return Kept(
        booked(
            [
                [accepted("u.a", unit="u", at=days[0]) for _ in range(6)],
                [accepted("u.b", unit="u", at=days[1], answer="not_satisfied") for _ in range(7)],
            ]
        )
    )


@pytest.fixture
def press() -> Iterator[Press]:
    press = Press(1)
    yield press
    press.close()


@pytest.fixture
async def client(kept: Kept, press: Press) -> AsyncIterator[httpx.AsyncClient]:
    app = figures_app(kept, report_api.install, open_data_api.install)
    report_api.attach(app, kept, kept, press)
    open_data_api.attach(app, kept)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t/v1") as client:
        yield client


async def problem(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    answer = await client.get(url, headers={"Origin": "https://example.org"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["access-control-allow-origin"] == "*"
    body: dict[str, Any] = answer.json()
    assert answer.headers.get("retry-after") == (str(body["retry_after"]) if "retry_after" in body else None)
    return body


@pytest.mark.parametrize("place", ["city", "groups/so-ban-nganh", "units/u", "officers/u.a"])
@pytest.mark.parametrize(
    ("extension", "media", "begins"),
    [
        ("csv", "text/csv; charset=utf-8", b"table,level,"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK"),
        ("pdf", "application/pdf", b"%PDF-"),
    ],
)
async def test_a_report_is_a_file_that_any_page_may_read(
    client: httpx.AsyncClient, place: str, extension: str, media: str, begins: bytes
) -> None:
    url = f"satisfaction/{place}/report.{extension}"
    answer = await client.get(url, headers={"Origin": "https://example.org", "Accept-Language": "en"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, media)
    assert answer.content.startswith(begins)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Content-Disposition" in answer.headers["access-control-expose-headers"]
    assert answer.headers["content-language"] == "en"
    assert "Accept-Language" in answer.headers["vary"]
    plain, _, named = answer.headers["content-disposition"].partition("; filename*=UTF-8''")
    assert plain.startswith('attachment; filename="hai-long-')
    assert unquote(named).startswith("Satisfaction report – ")


async def test_a_file_of_the_city_is_not_taken_for_a_scope_of_a_kind() -> None:
    transport = httpx.ASGITransport(api_app(Settings()))
    async with httpx.AsyncClient(transport=transport, base_url="http://t/v1") as client:
        assert (await problem(client, "satisfaction/city/report.docx"))["status"] == 422


async def test_the_query_names_the_language_before_the_header_does(client: httpx.AsyncClient) -> None:
    url = "satisfaction/units/u/report.csv"
    answers = [
        await client.get(url, headers={"Accept-Language": "en"}),
        await client.get(f"{url}?lang=vi", headers={"Accept-Language": "en"}),
        await client.get(url),
    ]
    assert [answer.headers["content-language"] for answer in answers] == ["en", "vi", "vi"]


async def test_a_report_is_of_the_days_that_are_asked_for(client: httpx.AsyncClient) -> None:
    answer = await client.get("satisfaction/units/u/report.csv?from=2017-11-24&to=2017-11-24&bom=true")
    lines = answer.content.decode().splitlines()
    assert lines[0].startswith("\ufefftable,")
    assert [line for line in lines if line.startswith("days,")] == [
        line for line in lines if ",2017-11-24,,,,7,0,7,0.0," in line
    ]


async def test_a_report_of_a_unit_has_what_merged_into_it_where_that_is_asked_for(
    client: httpx.AsyncClient, kept: Kept
) -> None:
    kept.merged = {"u": ["old"]}
    kept.book.add([accepted(f"old.{who}", unit="old", at=NOON) for who in "ab" * 5])
    url = "satisfaction/units/u/report.csv"
    totals = [
        next(csv.DictReader((await client.get(each)).text.splitlines()))["total"]
        for each in (url, f"{url}?with=predecessors")
    ]
    assert totals == ["13", "23"]
    assert (await problem(client, f"{url}?with=x"))["status"] == 422


async def test_a_report_has_the_response_where_an_office_said_how_many_files_it_handled(
    kept: Kept, press: Press
) -> None:
    app = figures_app(kept, report_api.install)
    handled = FilesHandled({2017: {"u": 26}}, sample_of(USUAL_SAMPLE))
    report_api.attach(app, kept, kept, press, handled)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t/v1") as client:
        answer = await client.get("satisfaction/city/report.csv?to=2017-12-31")
    (row,) = [row for row in csv.DictReader(answer.text.splitlines()) if row["table"] == "response"]
    assert (row["files"], row["ratings"], row["response_rate"], row["reached"]) == (
        "26",
        "13",
        "0.5",
        "false",
    )


@pytest.mark.parametrize(
    ("url", "status", "code"),
    [
        ("satisfaction/units/nowhere/report.pdf", 404, "scope_unknown"),
        ("satisfaction/streets/u/report.pdf", 404, "not_found"),
        ("satisfaction/units/u/report.docx", 422, "validation_failed"),
        ("satisfaction/city/report.pdf?lang=fr", 422, "validation_failed"),
        ("satisfaction/city/report.csv?from=x", 422, "validation_failed"),
        ("satisfaction/city/report.csv?from=2015-01-01&to=2017-01-01", 422, "validation_failed"),
        ("open-data/x.jsonl", 422, "validation_failed"),
    ],
)
async def test_what_a_caller_can_mend_is_a_problem(
    client: httpx.AsyncClient, url: str, status: int, code: str
) -> None:
    body = await problem(client, url)
    assert (body["status"], body["type"]) == (status, f"urn:hailong:problem:{code}")


@pytest.mark.parametrize("url", ["satisfaction/city/report.pdf", "open-data", "open-data/2017-11-23.jsonl"])
async def test_an_outage_asks_to_come_back(client: httpx.AsyncClient, kept: Kept, url: str) -> None:
    kept.away = True
    body = await problem(client, url)
    assert (body["status"], body["retry_after"]) == (503, 2)
    kept.away = False
    assert (await client.get(url)).status_code == 200, "the place is free again"


async def test_more_reports_than_may_be_made_at_a_time_are_asked_to_come_back(
    client: httpx.AsyncClient, press: Press
) -> None:
    with press.place():
        body = await problem(client, "satisfaction/city/report.pdf")
        assert (body["status"], body["type"]) == (503, "urn:hailong:problem:reports_full")
        assert (await client.get("satisfaction/city")).status_code == 200
    assert (await client.get("satisfaction/city/report.pdf")).status_code == 200


async def test_a_thread_whose_caller_gave_up_takes_a_place_until_it_ends(press: Press) -> None:
    started, go_on = threading.Event(), threading.Event()

    def work() -> bytes:
        started.set()
        go_on.wait(20)
        return b""

    async def report() -> None:
        with press.place():
            await press.write(work)

    caller = asyncio.create_task(report())
    assert await asyncio.to_thread(started.wait, 20)
    caller.cancel()
    await asyncio.wait([caller])
    with pytest.raises(Full), press.place():
        pass
    go_on.set()
    async with asyncio.timeout(20):
        while True:
            try:
                with press.place():
                    break
            except Full:
                await asyncio.sleep(0)


async def test_open_data_lists_its_days_and_says_what_a_row_means(client: httpx.AsyncClient) -> None:
    body = (await client.get("open-data")).json()
    assert [(day["day"], day["ratings"], day["partial"]) for day in body["days"]] == [
        ("2017-11-24", 7, False),
        ("2017-11-23", 6, False),
    ]
    answer = await client.get(f"http://t{body['days'][0]['href']}")
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert answer.headers["content-disposition"] == 'attachment; filename="hai-long-2017-11-24.jsonl"'
    ratings = [json.loads(line) for line in answer.content.splitlines()]
    place = {"edition": "2017", "group": "so-ban-nganh", "unit": "u"}
    assert ratings == [{"day": "2017-11-24", **place, "answer": "not_satisfied"}] * 7
    assert [field["name"] for field in body["fields"]] == list(ratings[0])


async def test_a_day_without_published_ratings_has_an_empty_file(
    client: httpx.AsyncClient, kept: Kept
) -> None:
    kept.book.add([accepted("u.a", unit="u", at=NOON + timedelta(days=5)) for _ in range(2)])
    for day in ("2017-11-28", "2001-01-01"):
        answer = await client.get(f"open-data/{day}.jsonl")
        assert (answer.status_code, answer.content) == (200, b"")


async def test_the_api_describes_its_files(client: httpx.AsyncClient) -> None:
    document = json.loads((await client.get("http://t/openapi.json")).content)
    files = document["paths"]["/v1/satisfaction/{kind}/{scope_id}/report.{extension}"]["get"]["responses"]
    assert {"text/csv", "application/pdf"} <= files["200"]["content"].keys()
    rows = document["paths"]["/v1/open-data/{day}.jsonl"]["get"]["responses"]["200"]["content"]
    assert rows.keys() == {"application/x-ndjson"}
