"""A unit's report as XLSX and as PDF against the log: what a department head keeps is what pages show."""

import re
import urllib.parse
import urllib.request
from collections.abc import Iterable, Mapping
from datetime import date
from io import BytesIO
from typing import Any

import openpyxl
import pypdfium2

from faults.checking.pages import LISTS, Log, Report, compare_share
from faults.checking.published import NONE, Public, Scope

ANSWERS = (("answer", "satisfied"), ("answer", "not_satisfied"))
SHARE = ("total", "satisfied", "not_satisfied", "rate", "low", "high", "suppressed", "partial")
YES = "yes"


def check_files(api: str, log: Log, report: Report) -> None:
    """The reports of the unit rated most, of the days that they hold unless asked otherwise."""
    for name in log.most_rated("unit")[:1]:
        unit: Scope = ("unit", name)
        address = f"{api}/v1/satisfaction/units/{urllib.parse.quote(name)}/report"
        _workbook(_get(f"{address}.xlsx?lang=en"), f"XLSX {name}", log.of(unit), log.days(unit), report)
        _pages(_get(f"{address}.pdf?lang=vi"), f"PDF {name}", log.of(unit), log.days(unit), report)


def _workbook(content: bytes, place: str, whole: Public, days: Mapping[date, Public], report: Report) -> None:
    """Sheets in their order: the unit, its days, reasons, channels, rejections, and officers."""
    figures, by_day, *items = openpyxl.load_workbook(BytesIO(content)).worksheets[:5]
    (unit,) = _rows(figures, -len(SHARE))
    compare_share(place, _share(unit), whole, report)
    for day, *share in _rows(by_day):
        compare_share(f"{place} {day.date()}", _share(share), days.get(day.date(), Public()), report)
    for sheet, name in zip(items, ("reasons", "channels", "rejected"), strict=True):
        measure, _ = LISTS[name]
        counts = {item: count for item, _, count, _ in _rows(sheet) if item}
        for item in sorted(counts.keys() | {item for kind, item in whole.counts if kind == measure}):
            wanted = whole.counts.get((measure, item), NONE)
            report.compare(f"{place} {measure} {item}", counts.get(item), wanted)


def _rows(sheet: Any, begin: int = 0) -> Iterable[list[Any]]:
    return [list(row[begin:]) for row in sheet.iter_rows(min_row=2, values_only=True)]


def _share(cells: Iterable[Any]) -> dict[str, Any]:
    said = dict(zip(SHARE, cells, strict=True))
    interval = None if said["low"] is None else {"low": said.pop("low"), "high": said.pop("high")}
    flags = {name: said[name] == YES for name in ("suppressed", "partial")}
    return {**said, **flags, "interval": interval}


def _pages(content: bytes, place: str, whole: Public, days: Mapping[date, Public], report: Report) -> None:
    """Its text has the unit's rate, and a line for each day that is shown."""
    pages = pypdfium2.PdfDocument(content)
    text = " ".join(" ".join(page.get_textpage().get_text_bounded() for page in pages).split())
    satisfied, not_satisfied = _sure(whole)
    if satisfied is not None and not_satisfied is not None and satisfied + not_satisfied:
        rate = f"{100 * satisfied / (satisfied + not_satisfied):.1f}".replace(".", ",")
        report.expect(f"{place} rate {rate}%", f"{rate}%" in text, True)
    shown = set(re.findall(r"\d\d/\d\d/\d{4}", text))
    for day, public in sorted(days.items()):
        satisfied, not_satisfied = _sure(public)
        if f"{day:%d/%m/%Y}" in shown and satisfied is not None and not_satisfied is not None:
            total = satisfied + not_satisfied
            if total:
                line = f"{day:%d/%m/%Y} {total} {satisfied} {not_satisfied} "
                report.expect(f"{place} {line}", line in text, True)


def _sure(public: Public) -> tuple[int | None, int | None]:
    """Satisfied and not; None where a tie leaves them open."""
    satisfied, not_satisfied = (
        low if low == high else None for low, high in (public.counts.get(each, NONE) for each in ANSWERS)
    )
    return satisfied, not_satisfied


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310  our own process
        return bytes(answer.read())
