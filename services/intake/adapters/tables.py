"""Tables of units and officers, and of filled-in forms, as CSV or XLSX files."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from contracts.events import OfficerPublished, UnitPublished
from services.intake.domain import paper_table
from services.intake.domain.changes import Flaw, Impossible
from services.intake.domain.directory import Directory
from services.intake.domain.table import COLUMNS, NEEDED, Row

MOST_BYTES = 1_000_000
MOST_ROWS = 5_000
MOST_COLUMNS = 64
MOST_UNPACKED = 20_000_000
"""Bytes that an XLSX file, which is a ZIP archive, may hold."""
BOM = "\ufeff"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Shape:
    """Which columns a table may have, and has to; `further` matches the names of others."""

    columns: Sequence[str]
    needed: Sequence[str]
    further: re.Pattern[str] | None = None

    def knows(self, column: str) -> bool:
        return column in self.columns or bool(self.further and self.further.fullmatch(column))


DIRECTORY_TABLE = Shape(COLUMNS, NEEDED)
FORMS_TABLE = Shape(paper_table.COLUMNS, paper_table.NEEDED, paper_table.FURTHER)


def read_table(content: bytes, shape: Shape = DIRECTORY_TABLE) -> list[Row]:
    """The rows with anything in them, each with its number in the file. Raises Impossible. Takes a while:
    call it in a thread."""
    if len(content) > MOST_BYTES:
        raise Impossible(Flaw("file_too_large", values={"most": str(MOST_BYTES // 1000)}))
    lines = list(_of_xlsx(content) if content.startswith(_ZIP) else _of_csv(content))
    if not lines:
        raise Impossible(Flaw("nothing_in_it"))
    head = [each.strip().lower() for each in lines[0]]
    while head and not head[-1]:
        head.pop()
    _check(head, shape)
    rows = [
        Row(number, {name: _plain(each) for name, each in zip(head, line, strict=False)})
        for number, line in enumerate(lines[1:], start=2)
        if any(each.strip() for each in line)
    ]
    if len(rows) > MOST_ROWS:
        raise Impossible(Flaw("too_many_rows", values={"most": str(MOST_ROWS)}))
    return rows


def write_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """CSV by RFC 4180, in UTF-8 with a byte order mark. What a spreadsheet would run as a formula is quoted
    for it; `read_table` takes the quote away."""
    file = io.StringIO()
    write = csv.writer(file, lineterminator="\r\n").writerow
    write(head)
    for row in rows:
        write([_harmless("" if each is None else str(each)) for each in row])
    return (BOM + file.getvalue()).encode()


def directory_table(directory: Directory) -> bytes:
    """Every unit and officer, closed ones too: what `read_table` takes."""
    units = sorted(directory.units.values(), key=lambda u: (u.group_position, u.group_id, u.position))
    officers: dict[str, list[OfficerPublished]] = {}
    for officer in sorted(directory.officers.values(), key=lambda o: (o.position, o.name)):
        officers.setdefault(officer.unit_id, []).append(officer)
    rows = (row for unit in units for row in (_unit(unit), *map(_officer, officers.get(unit.unit_id, ()))))
    return write_table(COLUMNS, rows)


def _unit(unit: UnitPublished) -> Sequence[object]:
    group, name = unit.group_name, unit.name
    of_group = (unit.group_id, group.vi, group.en)
    days = (unit.opened_on, unit.closed_on)
    return ("unit", unit.unit_id, "", *of_group, name.vi, name.en, "", "", *days, unit.merged_into, "")


def _officer(officer: OfficerPublished) -> Sequence[object]:
    title = (officer.title.vi, officer.title.en)
    days = (officer.active_from, officer.active_until)
    sample = "yes" if officer.sample else "no"
    name = (officer.name, "")
    return ("officer", officer.officer_id, officer.unit_id, "", "", "", *name, *title, *days, "", sample)


def _of_csv(content: bytes) -> Iterator[Sequence[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Impossible(Flaw("not_utf8")) from None
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as error:
        raise Impossible(Flaw("not_a_table", values={"why": str(error)[:100]})) from None


def _of_xlsx(content: bytes) -> Iterator[Sequence[str]]:
    """The first sheet, values and not formulas."""
    from openpyxl import load_workbook  # noqa: PLC0415 - memory that taking ratings in does not need
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(each.file_size for each in archive.infolist()) > MOST_UNPACKED:
                raise Impossible(Flaw("file_too_large", values={"most": str(MOST_BYTES // 1000)}))
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        for line in sheet.iter_rows(max_row=MOST_ROWS + 2, max_col=MOST_COLUMNS, values_only=True):
            yield [_said(each) for each in line]
    except (zipfile.BadZipFile, InvalidFileException, ValueError, KeyError, IndexError, SyntaxError) as error:
        raise Impossible(Flaw("not_a_table", values={"why": type(error).__name__})) from None


def _said(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, date) else str(value)


def _check(head: Sequence[str], shape: Shape) -> None:
    unknown = [each for each in head if not shape.knows(each)]
    missing = [each for each in shape.needed if each not in head]
    flaws = [Flaw("column_unknown", row=1, values={"column": each}) for each in unknown]
    flaws += [Flaw("column_missing", row=1, values={"column": each}) for each in missing]
    twice = sorted({each for each in head if head.count(each) > 1})
    flaws += [Flaw("there_twice", row=1, values={"id": each}) for each in twice]
    if flaws:
        raise Impossible(*flaws)


def _plain(cell: str) -> str:
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
