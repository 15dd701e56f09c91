"""A report as CSV (RFC 4180): one tidy table, a row for each figure, written as it is read.

Its header and its numbers are for programs and the same in both languages; texts are in the report's.
"""

import csv
from collections.abc import Iterator
from datetime import date

from services.aggregation.reports.report import Report
from services.aggregation.reports.tables import AS_OF, DIFFERENCE, RANK, RESPONSE, SHARE, WITH, Cell, tables

BOM = "\ufeff"
COLUMNS = (
    "table",
    "level",
    "id",
    "name",
    "parent_id",
    "edition",
    "from",
    "to",
    "day",
    "item",
    "text",
    "count",
    *SHARE,
    *RANK,
    *DIFFERENCE,
    "complete",
    *RESPONSE,
    WITH,
    AS_OF,
)
RUN = tuple("=+-@\t\r\n＝＋－＠")
"""What a cell begins with that a spreadsheet may take for a formula (OWASP, CSV Injection)."""


class _Line:
    """What csv.writer writes to: keeps the last line."""

    text = ""

    def write(self, text: str) -> int:
        self.text = text
        return len(text)


def lines(report: Report, *, bom: bool = False) -> Iterator[str]:
    """The file, a line at a time."""
    line = _Line()
    writer = csv.writer(line, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    yield BOM + line.text if bom else line.text
    for table in tables(report):
        for row in table.rows:
            writer.writerow([table.name, *(_written(row.get(column)) for column in COLUMNS[1:])])
            yield line.text


def _written(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case str():
            return harmless(cell)
        case date():
            return cell.isoformat()
        case _:
            return repr(cell)


def harmless(text: str) -> str:
    """Behind an apostrophe a spreadsheet shows a cell as it is."""
    return f"'{text}" if text.startswith(RUN) or text.lstrip().startswith(RUN) else text
