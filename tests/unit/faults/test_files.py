"""What the checker reads out of a workbook and a PDF is what the log says, or is found to be otherwise."""

import re
from datetime import datetime, timedelta
from io import BytesIO

import openpyxl
import pytest

from contracts.events import Outcome, RatingAccepted
from faults.checking import files, printed
from faults.checking.comparing import Report
from faults.checking.files import check_files, check_workbook
from faults.checking.handled import Handled
from faults.checking.log import Log
from faults.checking.pdf import text_of
from faults.checking.printed import check_printed
from faults.checking.published import Edition, Rules, Scope
from services.aggregation import domain
from services.aggregation.answers import Answers
from services.aggregation.documents import Period
from services.aggregation.files_handled import USUAL_SAMPLE, FilesHandled, sample_of
from services.aggregation.reports.files import written
from services.aggregation.reports.report import Format, gather
from tests.support.publication import booked
from tests.support.reports import Kept
from tests.unit.faults.test_published import NOW, log, records

OUTCOMES = max(map(log, range(9)), key=len)
FILES = {2026: {"u1": 900, "u2": 30, "nowhere": 7}}
LOG = Log(
    records(OUTCOMES),
    [Edition(records(OUTCOMES), Rules(), NOW)],
    NOW.date(),
    handled=Handled(FILES),
)
UNIT: Scope = ("unit", LOG.most_rated("unit")[0])
MADE: dict[Format, bytes] = {}
LANGUAGES = {Format.XLSX: "en", Format.PDF: "vi"}


async def made(outcomes: list[Outcome], kind: Format) -> bytes:
    kept = Kept(booked([outcomes]), now=NOW)
    answers = Answers(kept, lambda: NOW, FilesHandled(FILES, sample_of(USUAL_SAMPLE)))
    scope = domain.Scope(domain.Level.UNIT, UNIT[1])
    report = await gather(answers, kept, scope, Period(), language=LANGUAGES[kind], made_at=NOW)
    return b"".join(written(report, kind))


@pytest.fixture
async def file() -> dict[Format, bytes]:
    """As it should be, made once."""
    for kind in LANGUAGES:
        MADE.setdefault(kind, await made(OUTCOMES, kind))
    return MADE


@pytest.mark.parametrize("other", [None, Format.XLSX, Format.PDF])
async def test_a_file_that_shows_something_else_than_the_log_says_is_found(
    monkeypatch: pytest.MonkeyPatch, file: dict[Format, bytes], other: Format | None
) -> None:
    ours = (
        each for each in reversed(OUTCOMES) if isinstance(each, RatingAccepted) and each.unit_id == UNIT[1]
    )
    last = next(ours)
    fewer = [each for each in OUTCOMES if each is not last]
    found = {kind: await made(fewer, kind) if kind is other else content for kind, content in file.items()}
    monkeypatch.setattr(files, "_get", lambda url: found[Format(url.split("?")[0].rsplit(".", 1)[1])])
    report = Report()
    check_files("http://api", LOG, report)
    assert report.figures > 300
    assert [place.split()[0] for place in report.wrong][:1] == ([] if other is None else [other.upper()])


async def test_a_file_of_other_files_handled_is_found(file: dict[Format, bytes]) -> None:
    for handled in (Handled(), Handled({2026: {"u1": 901}}), Handled(FILES, "more:31")):
        other = Log(LOG.outcomes, LOG.editions, LOG.today, handled=handled)
        for check, kind in ((check_workbook, Format.XLSX), (check_printed, Format.PDF)):
            report = Report()
            check(file[kind], UNIT, other, report)
            assert report.wrong


async def test_no_figure_of_a_workbook_stays_unchecked(
    monkeypatch: pytest.MonkeyPatch, file: dict[Format, bytes]
) -> None:
    """Each column's first figure, yes or no is changed in turn."""
    book = openpyxl.load_workbook(BytesIO(file[Format.XLSX]))
    monkeypatch.setattr(openpyxl, "load_workbook", lambda _: book)
    assert wrong() == []
    changed = 0
    for sheet in book.worksheets[:-1]:
        for column in sheet.iter_cols(min_row=2):
            cell = next((each for each in column if not _is_text(each.value)), None)
            if cell is not None:
                before, cell.value = cell.value, _another(cell.value)
                assert wrong(), f"{sheet.title} {cell.coordinate} is not checked"
                cell.value, changed = before, changed + 1
    assert changed > 60


def wrong() -> list[str]:
    report = Report()
    check_workbook(b"", UNIT, LOG, report)
    return report.wrong


def _is_text(value: object) -> bool:
    return value is None or (isinstance(value, str) and value not in {"yes", "no"})


def _another(value: object) -> str | float | datetime:
    match value:
        case "yes" | "no":
            return "no" if value == "yes" else "yes"
        case int() | float():
            return value + 1
        case datetime():
            return value + timedelta(days=1)
    raise TypeError(value)


async def test_a_sheet_that_nobody_checks_is_found(
    monkeypatch: pytest.MonkeyPatch, file: dict[Format, bytes]
) -> None:
    book = openpyxl.load_workbook(BytesIO(file[Format.XLSX]))
    monkeypatch.setattr(openpyxl, "load_workbook", lambda _: book)
    book.create_sheet("More", 2)
    assert len(wrong()) == 1
    assert "'More': 1" in wrong()[0]


UNCHECKED = re.compile(r"95%|0%|25%|50%|75%|100%|30|×|\d\d/\d\d/\d{4}")
"""What is no figure: axes, the names of intervals, days."""


async def test_no_figure_of_a_pdf_stays_unchecked(
    monkeypatch: pytest.MonkeyPatch, file: dict[Format, bytes]
) -> None:
    """Each number of what follows the cover, but for the method and the pages, is changed in turn."""
    text = text_of(file[Format.PDF])
    begin, method, table = (
        text.index(each) for each in ("Số liệu chính", "Cách tính Mỗi", "Số liệu từng ngày")
    )
    pages = [range(*found.span()) for found in re.finditer(r"Trang \d+ trên \d+", text)]
    changed = 0
    for found in re.finditer(r"(?<!\w)\d[\d.,/]*%?", text):
        at = found.start()
        if at < begin or method < at < table or any(at in page for page in pages):
            continue
        other = f"{text[:at]}{(int(text[at]) + 1) % 10}{text[at + 1 :]}"
        monkeypatch.setattr(printed, "text_of", lambda _, other=other: other)
        report = Report()
        check_printed(file[Format.PDF], UNIT, LOG, report)
        near = text[max(0, at - 30) : at + 30]
        assert report.wrong or UNCHECKED.fullmatch(found[0].rstrip(".,")), (
            f"{found[0]} is not checked: {near}"
        )
        changed += bool(report.wrong)
    assert changed > 100
