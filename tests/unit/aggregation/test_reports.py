"""A report says what the API's documents say, in every format."""

import csv
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from contracts.events import Text
from faults.checking.pdf import text_of
from services.aggregation.answers import Answers
from services.aggregation.comparisons import Rank
from services.aggregation.documents import Period, Summary
from services.aggregation.domain import CITY, Level, Scope
from services.aggregation.reports import as_csv, as_pdf, as_xlsx
from services.aggregation.reports.cover import facts, file_names, period
from services.aggregation.reports.report import Format, Report
from services.aggregation.reports.tables import tables
from tests.support.reported import (
    DAYS,
    FEW,
    FORMULA,
    HANDLED,
    OFFICER,
    TODAY,
    UNIT,
    compared,
    rated,
    report,
    small_city,
)
from tests.support.reports import Kept


@pytest.fixture
def kept() -> Kept:
    return small_city()


def rows(report: Report, **options: bool) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO("".join(as_csv.lines(report, **options)), newline="")))


def cells(book: Any, sheet: str) -> list[tuple[Any, ...]]:
    return [tuple(cell.value for cell in row) for row in book[sheet].iter_rows(min_row=2)]


# --- what it holds -------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", [CITY, Scope(Level.GROUP, "so-ban-nganh"), UNIT, OFFICER])
@pytest.mark.parametrize("period", [Period(), Period("2017"), DAYS])
async def test_every_figure_is_that_of_the_document_that_the_api_gives(
    kept: Kept, scope: Scope, period: Period
) -> None:
    answers = Answers(kept, lambda: TODAY, HANDLED)
    found = await report(kept, scope, period, handled=HANDLED)
    assert found.figures == await answers.satisfaction(scope, period)
    assert found.change == await answers.change(scope, period)
    assert found.history == await answers.history(scope, period)
    assert found.whole == await answers.satisfaction(scope, Period(period.edition))
    for below in found.below:
        wanted = [s for s in kept.book.scopes(below.level) if scope in _above(kept, s)]
        assert [place.scope.id for place in below.places] == [s.id for s in wanted]
        for place in below.places:
            asked = Period(period.edition) if below.level is Level.OFFICER else period
            shown = await answers.satisfaction(Scope(below.level, place.scope.id), asked)
            assert place.model_dump(exclude={"rank"}) == shown.model_dump(include=set(Summary.model_fields))
            parent = place.scope.parent
            assert parent is not None
            siblings = (await answers.children(Scope(parent.level, parent.id), asked)).children
            assert place in siblings, "ranked as the API ranks it"


async def test_a_rank_is_among_the_siblings_of_one_parent(kept: Kept) -> None:
    kept.book.add(rated(9, "c", unit="so-y-te", said="late"))
    officers = (await report(kept, CITY)).below[-1].places
    ranks = {place.scope.id: place.rank for place in officers}
    assert {rank.of for rank in ranks.values() if rank is not None} == {2, 3}
    assert ranks["so-y-te.c"] == Rank(best=3, worst=3, of=3)


async def test_a_unit_is_reported_with_what_merged_into_it_where_that_is_asked_for(kept: Kept) -> None:
    kept.merged = {UNIT.id: ["so-y-te"]}
    answers, joined = Answers(kept, lambda: TODAY), replace(DAYS, predecessors=True)
    found, alone = await report(kept, period=joined), await report(kept, period=DAYS)
    assert (found.figures.total, alone.figures.total) == (80, 40)
    assert found.figures == await answers.satisfaction(UNIT, joined)
    assert found.whole == await answers.satisfaction(UNIT, Period("2017", predecessors=True))
    assert found.history == await answers.history(UNIT, joined)
    assert found.below == alone.below, "officers are each unit's own"
    assert found.change is None, "the API compares no unit with what merged into it"
    assert dict(facts(found))["Gồm cả"] == "so-y-te"
    assert file_names(found, Format.CSV)[0].endswith("-with-predecessors.csv")
    assert [(row["with"], row["total"]) for row in rows(found) if row["table"] in {"figures", "change"}] == [
        ("predecessors", "80")
    ]
    assert "Gồm cả so-y-te" in text_of(as_pdf.document(found))


async def test_a_report_of_an_earlier_day_says_so_and_leaves_out_what_nobody_can_look_back_to(
    kept: Kept,
) -> None:
    then = replace(Period("2017"), as_of=date(2017, 11, 22))
    found = await report(kept, UNIT, then)
    assert found.change is None
    assert [below.level for below in found.below] == []
    assert [below.level for below in (await report(kept, CITY, then)).below] == [Level.GROUP, Level.UNIT]
    assert found.history.as_of == found.figures.as_of == date(2017, 11, 22)
    assert max(day.day for day in found.history.days) == date(2017, 11, 22)
    assert dict(facts(found))["Như đã được tính đến hết ngày"] == "22/11/2017"
    assert file_names(found, Format.CSV)[0].endswith("-as-of-2017-11-22.csv")
    assert [row["as_of"] for row in rows(found) if row["table"] == "figures"] == ["2017-11-22"]
    assert "Như đã được tính đến hết ngày" in text_of(as_pdf.document(found))


async def test_of_a_group_there_are_no_predecessors(kept: Kept) -> None:
    kept.merged = {UNIT.id: ["so-y-te"]}
    group = Scope(Level.GROUP, "so-ban-nganh")
    assert await report(kept, group, replace(DAYS, predecessors=True)) == await report(kept, group, DAYS)


async def test_of_an_officer_there_is_a_rank_and_no_change_for_their_days_are_not_public(kept: Kept) -> None:
    change = (await report(kept, OFFICER)).change
    assert change is not None
    assert (change.difference, change.interval, change.more_than_noise) == (None, None, None)
    assert change.now.suppressed
    assert change.before.suppressed


def _above(kept: Kept, scope: Scope) -> Sequence[Scope]:
    found, level, above = [CITY], scope.level, kept.book.above[scope]
    while level.parent is not None and above is not None:
        level = level.parent
        found.append(Scope(level, above))
        above = kept.book.above.get(found[-1])
    return found


async def test_what_is_not_public_by_day_is_of_the_whole_edition_and_not_of_the_days(kept: Kept) -> None:
    found = await report(kept, period=DAYS)
    assert found.figures.reasons == []
    assert [item.id for item in found.whole.reasons] == ["late", "new_code"]


async def test_a_reason_that_no_edition_names_stands_as_it_is(kept: Kept) -> None:
    reasons = [row for row in rows(await report(kept)) if row["table"] == "reasons"]
    assert {row["item"]: row["text"] for row in reasons} == {
        "late": "Trả kết quả trễ hẹn",
        "new_code": "new_code",
    }


# --- CSV -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "＋1", "－1", "＠a"]
)
def test_a_cell_that_a_spreadsheet_would_run_is_made_harmless(cell: str) -> None:
    assert as_csv.harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "Sở Tư pháp", "a=1", "1-1", "'=1"])
def test_any_other_cell_is_as_it_was(cell: str) -> None:
    assert as_csv.harmless(cell) == cell


async def test_csv_holds_numbers_for_programs_and_says_what_is_of_too_few(kept: Kept) -> None:
    found = await report(kept, period=DAYS)
    (figures,) = [row for row in rows(found) if row["table"] == "figures"]
    assert (figures["id"], figures["total"], figures["suppressed"]) == ("so-tu-phap", "40", "false")
    assert float(figures["rate"]) == found.figures.rate
    first, second, third = [row for row in rows(found) if row["table"] == "days"]
    assert (first["day"], first["satisfied"], first["not_satisfied"]) == ("2017-11-23", "37", "3")
    for day in (second, third):
        assert (day["suppressed"], day["total"], day["rate"], day["interval_low"]) == ("true", "", "", "")
    officers = [row for row in rows(found) if row["table"] == "officers"]
    assert [row["total"] for row in officers] == ["35", "10"], "what is released, of all days"
    assert {(row["from"], row["to"]) for row in officers} == {("", "")}
    assert officers[0]["name"] == f"'{FORMULA}"


async def test_csv_holds_the_change_the_response_and_the_ranks(kept: Kept) -> None:
    found = await report(compared(kept), CITY, DAYS, handled=HANDLED)
    of: dict[str, list[dict[str, str]]] = {}
    for row in rows(found):
        of.setdefault(row["table"], []).append(row)
    now, before = of["change"]
    assert (now["item"], now["from"], now["to"], now["total"]) == ("now", "2017-11-23", "2017-11-25", "80")
    assert (before["item"], before["from"], before["to"]) == ("before", "2017-11-20", "2017-11-22")
    assert float(now["difference"]) == pytest.approx(77 / 80 - 12 / 20)
    assert float(now["difference_low"]) > 0
    assert (now["more_than_noise"], before["difference"], before["more_than_noise"]) == ("true", "", "")
    (response,) = of["response"]
    assert [response[name] for name in ("year", "units", "files", "ratings", "required", "reached")] == [
        *("2017", "2", "1350", "100"),
        *("390", ""),
    ]
    assert float(response["response_rate"]) == 100 / 1350
    assert [(row["id"], row["rank_best"], row["rank_worst"], row["rank_of"]) for row in of["units"]] == [
        ("so-tu-phap", "1", "2", "2"),
        ("so-y-te", "1", "2", "2"),
    ]
    assert {row["rank_of"] for row in of["figures"]} == {""}
    assert [(row["item"], row["text"], row["count"]) for row in of["hours"] if row["item"]] == [
        ("12", "12:00–12:59", "111"),
    ]
    assert {row["item"]: row["text"] for row in of["weekdays"]} == {"2": "Thứ Ba", "4": "Thứ Năm", "": FEW}
    assert [(row["item"], row["text"], row["count"]) for row in of["assurances"]] == [
        ("captcha", "Mã trong hình hoặc âm thanh", "111")
    ]
    assert [(row["item"], row["count"], row["complete"]) for row in of["funnel"]] == [
        ("decided", "117", "true"),
        ("accepted", "111", "true"),
        ("rejected", "6", "true"),
    ]


async def test_without_files_handled_there_is_no_response(kept: Kept) -> None:
    found = await report(kept)
    assert not [row for row in rows(found) if row["table"] == "response"]
    assert as_pdf.shown(found)["response"] is None


async def test_lists_say_that_they_leave_items_out_where_the_api_says_so(kept: Kept) -> None:
    found = await report(kept, OFFICER)
    for name in ("channels", "hours", "weekdays", "assurances"):
        assert [(row["text"], row["count"]) for row in rows(found) if row["table"] == name] == [(FEW, "")]


async def test_csv_is_as_rfc_4180_says(kept: Kept) -> None:
    written = "".join(as_csv.lines(await report(kept)))
    assert "\n" not in written.replace("\r\n", "")
    assert '"\'=HYPERLINK(""http://a"")"' in written
    assert len({len(row) for row in csv.reader(StringIO(written, newline=""))}) == 1


async def test_csv_begins_with_a_byte_order_mark_only_where_that_is_asked_for(kept: Kept) -> None:
    found = await report(kept)
    assert next(as_csv.lines(found, bom=True)).startswith("\ufefftable,")
    assert next(as_csv.lines(found)).startswith("table,")


# --- XLSX ----------------------------------------------------------------------------------------------


async def test_a_workbook_has_a_sheet_for_each_level_and_the_figures_of_the_documents(kept: Kept) -> None:
    found = await report(compared(kept), CITY, DAYS, language="en", handled=HANDLED)
    book = openpyxl.load_workbook(BytesIO(as_xlsx.workbook(found)))
    assert book.sheetnames == [
        "Key figures",
        "Against the period before",
        "Response rate",
        "By day",
        "Reasons for not being satisfied",
        "Channels",
        "Hour of submission",
        "Day of the week",
        "Assurance",
        "What became of submissions",
        "Not counted",
        "Groups",
        "Units",
        "One-stop officers",
        "Method",
    ]
    for table, sheet in zip(tables(found), book.sheetnames, strict=False):
        wanted = [[row.get(column) for column in table.columns] for row in table.rows]
        assert [[_cell(value) for value in row] for row in cells(book, sheet)] == [
            [_cell(value) for value in row] for row in wanted
        ]


def _cell(value: Any) -> Any:
    """As a workbook holds it: days with a time, 16 digits of a number."""
    match value:
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.date()
        case float():
            return pytest.approx(value, rel=1e-14)
        case _:
            return value


async def test_a_workbook_has_formats_frozen_headers_a_title_and_no_formula(kept: Kept) -> None:
    book = openpyxl.load_workbook(BytesIO(as_xlsx.workbook(await report(kept, period=DAYS))))
    for name in book.sheetnames[:-1]:
        assert book[name].freeze_panes == "A2"
    days, officers = book["Theo ngày"], book["Công chức một cửa"]
    assert (days["A2"].number_format, days["B2"].number_format, days["E2"].number_format) == (
        "dd/mm/yyyy",
        "#,##0",
        "0.0%",
    )
    assert days.column_dimensions["A"].width > 10
    assert (officers["B2"].value, officers["B2"].data_type) == (FORMULA, "s")
    assert book.properties.title == "Báo cáo mức độ hài lòng: Sở Tư pháp"
    properties: Any = book.custom_doc_props  # type: ignore[attr-defined]  # its stubs do not know it
    assert [(each.name, each.value) for each in properties.props] == [("Language", "vi")]
    assert days["B3"].value is None
    assert days["H3"].value == "có"


# --- what its file is called ---------------------------------------------------------------------------


async def test_a_file_is_named_after_the_place_and_the_days(kept: Kept) -> None:
    kept.names[UNIT.id] = Text(vi='Sở "Tư\r\npháp"/A', en="J")
    plain, named = file_names(await report(kept, period=DAYS), Format.PDF)
    assert plain == "hai-long-unit-so-tu-phap-2017-2017-11-23-2017-11-25.pdf"
    assert named == "Báo cáo mức độ hài lòng – Sở Tư pháp A 2017 2017-11-23 2017-11-25.pdf"


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (None, None, "All days"),
        (date(2017, 11, 2), None, "from 2 Nov 2017"),
        (None, date(2017, 11, 2), "to 2 Nov 2017"),
        (date(2017, 11, 2), date(2017, 12, 1), "2 Nov 2017 to 1 Dec 2017"),
    ],
)
async def test_a_cover_says_the_days(kept: Kept, first: date | None, last: date | None, said: str) -> None:
    found = await report(kept, period=Period(None, first, last), language="en")
    assert period(found) == said


def test_the_page_about_reports_names_every_column_of_csv() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reports.md").read_text("utf-8")
    table = page.partition("| column | meaning |")[2].partition("\n\n")[0]
    named = [name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert named == list(as_csv.COLUMNS)
