"""A table of units and officers: its columns, and what stands in a cell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from contracts.events import Text
from services.intake.domain.changes import Flaw, Impossible

COLUMNS = (
    "type",
    "id",
    "unit_id",
    "group_id",
    "group_vi",
    "group_en",
    "name_vi",
    "name_en",
    "title_vi",
    "title_en",
    "opened_on",
    "closed_on",
    "merged_into",
    "sample",
)
NEEDED = ("type", "id")
YES, NO = ("yes", "true", "1", "x", "có"), ("no", "false", "0", "", "không")
IDS = ("id", "unit_id", "group_id", "merged_into")
_COLUMN_OF = {"name": "name_vi", "title": "title_vi", "active_from": "opened_on", "active_until": "closed_on"}


@dataclass(frozen=True, slots=True)
class Row:
    """Cells by column. A column that a table has not got leaves things as they are; an empty cell empties."""

    number: int
    cells: Mapping[str, str]


def text(row: Row, column: str, present: Text | None = None, *, emptied: bool = True) -> Text:
    """The cells of a column in both languages. Without `emptied`, empty ones leave it as it is."""
    found = {}
    for name, before in (("vi", present and present.vi), ("en", present and present.en)):
        said = row.cells.get(f"{column}_{name}")
        found[name] = said if said or (said == "" and emptied) else before
    missing = [f"{column}_{name}" for name, each in found.items() if not each]
    if missing:
        raise Impossible(*(Flaw("cell_missing", name) for name in missing))
    return Text.model_validate(found)


def day(row: Row, column: str, present: date | None) -> date | None:
    """As ISO 8601 or as Vietnamese offices write days: 2026-11-23, 23/11/2026."""
    if column not in row.cells:
        return present
    said = row.cells[column]
    if not said:
        return None
    parts = said.split("/")
    try:
        return date.fromisoformat(said if len(parts) != 3 else f"{parts[2]}-{parts[1]:0>2}-{parts[0]:0>2}")
    except ValueError:
        raise Impossible(Flaw("day_invalid", column)) from None


def flag(row: Row, column: str, *, present: bool) -> bool:
    said = row.cells.get(column)
    if said is None:
        return present
    if said.lower() not in YES + NO:
        raise Impossible(Flaw("flag_invalid", column))
    return said.lower() in YES


def column_of(kind: str, place: Sequence[int | str]) -> str:
    """The column of a row of this kind that filled a field of its event."""
    whole = "_".join(str(part) for part in place)
    if whole == f"{kind}_id":
        return "id"
    return whole if whole in COLUMNS else _COLUMN_OF.get(str(place[0]) if place else "", "id")
