"""The data behind each chart, as files."""

import csv
import io

import pytest

from portal import tables
from portal.tables import Table
from tests.unit.portal.conftest import Citizen
from tests.unit.portal.fake_data import OFFICER

NAMES = (
    "history",
    "children",
    "reasons",
    "channels",
    "hours",
    "weekdays",
    "assurances",
    "outcomes",
    "response",
)


def rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("name", NAMES)
async def test_each_chart_links_to_its_data_and_the_file_says_what_the_table_says(
    citizen: Citizen, name: str
) -> None:
    citizen.city.count(1130, 109)
    citizen.city.response = RESPONSE
    await citizen.get("/ket-qua/nhom/so-ban-nganh")
    page = citizen.page
    assert f'href="/ket-qua/nhom/so-ban-nganh/{name}.csv"' in page
    answer = await citizen.client.get(f"/ket-qua/nhom/so-ban-nganh/{name}.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="hai-long-so-ban-nganh-{name}.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.content.count(b"\r\n") == answer.content.count(b"\n") > 1
    head, *body = rows(answer.content)
    assert head[:3] == ["Nơi", "Kỳ từ", "Kỳ đến"]
    assert {row[0] for row in body} == {"Sở, Ban, Ngành"}
    if name != "children":  # whose chart is a table itself
        shown = page.split(f'data-table="{name}"')[1].split("</table>")[0]
        assert shown.count("<tr>") == len(body) + 1
        assert all(f'<th scope="col">{text}</th>' in shown for text in head[3:])


RESPONSE = {"year": 2026, "files": 5400, "ratings": 1239, "rate": 0.229, "required": 1080, "reached": True}


async def test_a_file_keeps_the_period_and_is_in_the_reader_s_language(citizen: Citizen) -> None:
    citizen.city.count(1130, 109)
    answer = await citizen.client.get(
        "/ket-qua/history.csv?from=2026-11-01&to=2026-11-20", headers={"Cookie": "hl_lang=en"}
    )
    head, *body = rows(answer.content)
    assert head[:5] == ["Place", "Period from", "Period to", "From", "To"]
    assert body[0][:5] == ["Whole city", "2026-11-01", "2026-11-20", "2026-11-01", "2026-11-01"]
    assert len(body) == 20
    assert "hai-long-city-history-2026-11-01-2026-11-20.csv" in answer.headers["content-disposition"]


@pytest.mark.parametrize(
    "path",
    ["nothing.csv", "nowhere/so-noi-vu/history.csv", "don-vi/nowhere/history.csv", "history.csv?from=x"],
)
async def test_a_table_that_nobody_has_is_not_found(citizen: Citizen, path: str) -> None:
    assert (await citizen.client.get(f"/ket-qua/{path}")).status_code == 404


async def test_a_table_that_the_api_does_not_give_yet_is_not_found(citizen: Citizen) -> None:
    citizen.city.older_api = True
    for name in ("hours", "outcomes"):
        assert (await citizen.client.get(f"/ket-qua/{name}.csv")).status_code == 404


async def test_an_officer_s_file_of_days_is_empty(citizen: Citizen) -> None:
    citizen.city.count(1130, 109)
    answer = await citizen.client.get(f"/ket-qua/cong-chuc/{OFFICER}/history.csv?from=2026-11-01")
    assert len(rows(answer.content)) == 1


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_what_a_spreadsheet_would_run_is_made_harmless(text: str) -> None:
    table = Table("reasons", ["a", "b"], [(text, -0.5)])
    assert rows(tables.as_csv(table, {"p": text}))[1] == [f"'{text}", f"'{text}", "-0.5"]


async def test_the_whole_report_is_linked_in_the_page_s_language_and_period(citizen: Citizen) -> None:
    citizen.city.count(1130, 109)
    await citizen.get("/ket-qua/don-vi/so-noi-vu?from=2026-11-01&to=2026-11-20", Cookie="hl_lang=en")
    for kind in ("csv", "xlsx", "pdf"):
        address = f"http://127.0.0.1:8003/v1/satisfaction/units/so-noi-vu/report.{kind}"
        assert f'href="{address}?from=2026-11-01&to=2026-11-20&lang=en"' in citizen.page
