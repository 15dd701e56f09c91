"""A report as an Excel workbook: a sheet for each table, and one that says how it was counted."""

from collections.abc import Mapping
from datetime import date
from io import BytesIO
from types import MappingProxyType

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from services.aggregation.reports.cover import facts, title
from services.aggregation.reports.method import METHOD
from services.aggregation.reports.report import Report
from services.aggregation.reports.tables import Table, tables
from services.aggregation.reports.words import word

WIDTHS: Mapping[str, int] = MappingProxyType(
    {"name": 44, "text": 44, "id": 34, "parent_id": 34, "item": 20, "day": 12, "from": 12, "to": 12}
)
WIDTH = 14
HEADINGS: Mapping[str, str] = MappingProxyType(
    {"parent_id": "parent", "item": "id", "from": "from_on", "to": "until", "units": "units_counted"}
)
NUMBERS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("rate", "interval_low", "interval_high", "response_rate"), "share"),
        **dict.fromkeys(("difference", "difference_low", "difference_high"), "share"),
        "year": "year",
    }
)
"""Formats of columns that hold no counts."""
DATE_FORMAT = MappingProxyType({"vi": "dd/mm/yyyy", "en": "d mmm yyyy"})


def workbook(report: Report) -> bytes:
    """The whole file. Rows go to a temporary file as they are written, not to memory. Texts are written as
    texts, never as what they look like."""
    made = BytesIO()
    with xlsxwriter.Workbook(made, {"constant_memory": True}) as book:
        book.set_properties(
            {
                "title": title(report),
                "subject": word("report", report.language),
                "author": word("product", report.language),
                "created": report.made_at.replace(tzinfo=None),
            }
        )
        book.set_custom_property("Language", report.language)
        formats = {
            "title": book.add_format({"bold": True, "font_size": 14}),
            "header": book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1}),
            "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
            "date": book.add_format({"num_format": DATE_FORMAT[report.language], "align": "left"}),
            "share": book.add_format({"num_format": "0.0%"}),
            "count": book.add_format({"num_format": "#,##0"}),
            "year": book.add_format({"num_format": "0"}),
        }
        for table in tables(report):
            sheet = book.add_worksheet(word(table.name, report.language))
            _table(sheet, table, report.language, formats)
        _method(book.add_worksheet(word("method", report.language)), report, formats)
    return made.getvalue()


def _table(sheet: Worksheet, table: Table, language: str, formats: Mapping[str, Format]) -> None:
    for place, column in enumerate(table.columns):
        sheet.set_column(place, place, WIDTHS.get(column, WIDTH))
        sheet.write_string(0, place, word(HEADINGS.get(column, column), language), formats["header"])
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    for line, row in enumerate(table.rows, start=1):
        for place, column in enumerate(table.columns):
            match row.get(column):
                case None:
                    pass
                case bool(cell):
                    sheet.write_string(line, place, word("yes" if cell else "no", language))
                case str(cell):
                    sheet.write_string(line, place, cell)
                case date() as cell:
                    sheet.write_datetime(line, place, cell, formats["date"])
                case cell:
                    sheet.write_number(line, place, cell, formats[NUMBERS.get(column, "count")])


def _method(sheet: Worksheet, report: Report, formats: Mapping[str, Format]) -> None:
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 100)
    sheet.write_string(0, 0, title(report), formats["title"])
    line = 2
    for name, value in facts(report):
        sheet.write_string(line, 0, name)
        sheet.write_string(line, 1, value, formats["wrap"])
        line += 1
    for text in METHOD:
        line += 1
        sheet.write_string(line, 1, text.say(report.language, {}), formats["wrap"])
