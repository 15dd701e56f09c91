"""The table behind each chart, on the page and as a file. Pure."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from portal.apis.aggregation import Figures, Share, Stretch
from portal.breakdowns import Breakdown
from portal.i18n import N_, Language

Cell = str | int | float | date | None
BOM = "\ufeff"
TOO_FEW = N_("Còn quá ít để công bố")
NOTE = N_("Ghi chú")
_SHARE = (
    N_("Số đánh giá"),
    N_("Hài lòng"),
    N_("Chưa hài lòng"),
    N_("Tỷ lệ hài lòng"),
    N_("Khoảng tin cậy 95%: từ"),
    N_("Khoảng tin cậy 95%: đến"),
)


@dataclass(frozen=True, slots=True)
class Table:
    """Headings and cells in one language. Shares are floats from 0 to 1; None is not known or not public."""

    name: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def history(language: Language, stretches: Sequence[Stretch]) -> Table:
    head = (N_("Từ ngày"), N_("Đến ngày"), *_SHARE, NOTE)
    return _table(
        language, "history", head, [(each.first, each.last, *_share(language, each)) for each in stretches]
    )


def children(language: Language, figures: Sequence[Figures]) -> Table:
    rows = [(_name(language, each), *_share(language, each)) for each in figures]
    return _table(language, "children", (N_("Tên"), *_SHARE, NOTE), rows)


def breakdown(language: Language, of: Breakdown) -> Table:
    head = [N_("Mục"), N_("Số lượt"), N_("Tỷ lệ")]
    names = {bar.id: language.gettext(of.names.get(bar.id, bar.id)) for bar in of.bars}
    rows: list[Sequence[Cell]] = [(names[bar.id], bar.count, bar.share) for bar in of.bars]
    if of.name == "reasons":
        head.append(N_("Cộng dồn"))
        rows = [(*row, bar.cumulative) for row, bar in zip(rows, of.bars, strict=True)]
    return _table(language, of.name, head, rows)


def outcomes(language: Language, figures: Figures, rejections: Breakdown) -> Table:
    """What became of all that was sent, then why some of it does not count."""
    funnel = figures.funnel
    if funnel is None:
        return _table(language, "outcomes", (), [])
    every = {
        N_("Đã xử lý"): funnel.decided,
        N_("Được tính"): funnel.accepted,
        N_("Không được tính"): funnel.rejected,
    }
    said: list[tuple[str, int | None]] = [(language.gettext(name), count) for name, count in every.items()]
    said += [(language.gettext(rejections.names.get(b.id, b.id)), b.count) for b in rejections.bars]
    rows = [
        (name, count, count / funnel.decided if count is not None and funnel.decided else None)
        for name, count in said
    ]
    return _table(language, "outcomes", (N_("Kết quả xử lý"), N_("Số lượt"), N_("Tỷ lệ")), rows)


def response(language: Language, figures: Figures) -> Table:
    head = (N_("Năm"), N_("Số hồ sơ"), N_("Số đánh giá"), N_("Tỷ lệ trả lời"), N_("Số đánh giá cần có"))
    of = figures.response
    rows = [] if of is None else [(str(of.year), of.files, of.ratings, of.rate, of.required)]
    return _table(language, "response", head, rows)


def _table(language: Language, name: str, head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Table:
    """Without notes where there are none."""
    if head and head[-1] == NOTE and not any(row[-1] for row in rows):
        head, rows = head[:-1], [row[:-1] for row in rows]
    return Table(name, [language.gettext(text) for text in head], rows)


def _share(language: Language, of: Share) -> tuple[Cell, ...]:
    low, high = (of.interval.low, of.interval.high) if of.interval else (None, None)
    note = ""
    if of.suppressed:
        note = language.gettext(TOO_FEW)
    elif of.partial:
        note = language.gettext(N_("Chưa gồm những đánh giá còn quá ít để công bố."))
    return of.total, of.satisfied, of.not_satisfied, of.rate, low, high, note


def _name(language: Language, figures: Figures) -> str:
    scope = figures.scope
    return language.text(scope.name) if scope.name else scope.id or ""


def as_csv(table: Table, about: Mapping[str, Cell]) -> bytes:
    """UTF-8 with a byte order mark, by RFC 4180. `about` comes first in each row, so that the file can be
    understood, and joined with others, by itself."""
    file = io.StringIO()
    write = csv.writer(file, lineterminator="\r\n").writerow
    write([*about, *table.head])
    for row in table.rows:
        write([_harmless(cell) for cell in (*about.values(), *row)])
    return (BOM + file.getvalue()).encode()


def _harmless(cell: Cell) -> Cell:
    """A text that a spreadsheet would run as a formula is quoted for it."""
    if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{cell}"
    return round(cell, 4) if isinstance(cell, float) else cell
