"""A unit's report as XLSX and as PDF against the log: what a department head keeps is what pages show."""

import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import openpyxl

from faults.checking.comparing import (
    Report,
    compare_change,
    compare_children,
    compare_funnel,
    compare_items,
    compare_response,
    compare_share,
    response,
)
from faults.checking.log import Log
from faults.checking.printed import check_printed
from faults.checking.published import Public, Scope

SHARE = ("total", "satisfied", "not_satisfied", "rate", "low", "high", "suppressed", "partial")
ASKED = ("id", "name", "parent", "edition", "from", "to")
ITEM = ("item", "text", "count", "suppressed")
RANK = ("best", "worst", "of")
DIFFERENCE = ("difference", "difference_low", "difference_high", "more_than_noise")
RESPONSE, FUNNEL = "Response rate", "What became of submissions"
SHEETS = {
    "Key figures": (*ASKED, *SHARE),
    "Against the period before": ("item", "text", "from", "to", *SHARE, *DIFFERENCE),
    RESPONSE: ("year", "units", "files", "ratings", "rate", "required", "reached"),
    "By day": ("day", *SHARE),
    "Reasons for not being satisfied": ITEM,
    "Channels": ITEM,
    "Hour of submission": ITEM,
    "Day of the week": ITEM,
    "Assurance": ITEM,
    FUNNEL: (*ITEM, "complete"),
    "Not counted": ITEM,
    "One-stop officers": (*ASKED, *SHARE, *RANK),
}
"""Every column of every sheet but the last, which says how it was counted."""
LISTS = {
    "Reasons for not being satisfied": "reason",
    "Channels": "channel",
    "Hour of submission": "hour",
    "Day of the week": "weekday",
    "Assurance": "assurance",
    "Not counted": "rejection",
}
YES = {"yes": True, "no": False}
Row = Mapping[str, Any]


def check_files(api: str, log: Log, report: Report) -> None:
    """The reports of the unit rated most, of the days that they hold unless asked otherwise."""
    for name in log.most_rated("unit")[:1]:
        address = f"{api}/v1/satisfaction/units/{urllib.parse.quote(name)}/report"
        check_workbook(_get(f"{address}.xlsx?lang=en"), ("unit", name), log, report)
        check_printed(_get(f"{address}.pdf?lang=vi"), ("unit", name), log, report)


def check_workbook(content: bytes, unit: Scope, log: Log, report: Report) -> None:
    place, whole, days = f"XLSX {unit[1]}", log.of(unit), log.days(unit)
    sheets = openpyxl.load_workbook(BytesIO(content)).worksheets
    columns = {name: len(each) for name, each in SHEETS.items() if name != RESPONSE or response(unit, log)[0]}
    found = {sheet.title: sheet.max_column for sheet in sheets}
    report.expect(f"{place}, columns of its sheets,", found, {**columns, "Method": 2})
    if found.keys() != columns.keys() | {"Method"}:
        return
    rows = {sheet.title: _rows(sheet) for sheet in sheets[:-1]}
    compare_share(place, _share(rows["Key figures"][0]), whole, report)
    compare_change(f"{place} change", _change(*rows["Against the period before"]), unit, log, report)
    compare_response(place, next(iter(rows.get(RESPONSE, [])), None), unit, log, report)
    for row in rows["By day"]:
        day = row["day"].date()
        compare_share(f"{place} {day}", _share(row), days.get(day, Public()), report)
    for name, measure in LISTS.items():
        counts = {row["item"]: row["count"] for row in rows[name] if row["item"]}
        left_out = any(row["item"] is None for row in rows[name])
        compare_items(place, measure, counts, whole, report, left_out=left_out)
    compare_funnel(place, _funnel(rows[FUNNEL]), whole, report)
    for name in (*LISTS, FUNNEL):
        empty = [row["count"] is None for row in rows[name]]
        report.expect(f"{place} {name} suppressed", [row["suppressed"] for row in rows[name]], empty)
    officers = {("officer", row["id"]): _ranked(row) for row in rows["One-stop officers"]}
    compare_children(place, officers, unit, log, report)


def _rows(sheet: Any) -> list[Row]:
    """Without the header. Yes and no are texts."""
    return [
        {name: YES.get(cell, cell) for name, cell in zip(SHEETS[sheet.title], cells, strict=True)}
        for cells in sheet.iter_rows(min_row=2, values_only=True)
    ]


def _share(row: Row) -> Row:
    return {**row, "interval": None if row["low"] is None else {"low": row["low"], "high": row["high"]}}


def _change(now: Row, before: Row) -> Row:
    spans = {
        name: {**_share(row), "from": str(row["from"].date()), "to": str(row["to"].date())}
        for name, row in (("now", now), ("before", before))
    }
    low, high = now["difference_low"], now["difference_high"]
    return {**now, **spans, "interval": None if low is None else {"low": low, "high": high}}


def _funnel(rows: Sequence[Row]) -> Row:
    """Each row says whether it is complete."""
    complete = [row["complete"] for row in rows]
    alike = complete[0] if len(set(complete)) == 1 else complete
    return {**{row["item"]: row["count"] for row in rows}, "complete": alike}


def _ranked(row: Row) -> Row:
    return {**_share(row), "rank": None if row["of"] is None else row}


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310  our own process
        return bytes(answer.read())
