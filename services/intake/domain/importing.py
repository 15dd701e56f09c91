"""A table of units and officers against the directory: what it changes, or what is wrong with which row."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from pydantic import ValidationError

from contracts.events import Event, OfficerPublished, Text, UnitPublished
from contracts.topics import key_of
from services.intake.domain import table, units
from services.intake.domain.changes import Change, Flaw, Impossible, Kind, changed, with_changes
from services.intake.domain.directory import Directory, is_open
from services.intake.domain.table import Row

UNIT, OFFICER = "unit", "officer"


@dataclass(frozen=True, slots=True)
class Plan:
    """`absent`: keys that take ratings and are in no row. `digest` is of the rows and of all that they were
    held against: what has another was not what was looked at."""

    changes: Sequence[Change] = ()
    unchanged: int = 0
    absent: Sequence[str] = ()
    flaws: Sequence[Flaw] = ()
    digest: str = ""


@dataclass(slots=True)
class _Drawing:
    """`after` has the units of the table already when its officers are looked at."""

    before: Directory
    after: Directory
    day: date
    changes: list[Change] = field(default_factory=list)
    flaws: list[Flaw] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    lengths: Counter[str] = field(default_factory=Counter)
    usual_title: Text | None = None
    unchanged: int = 0

    def take(self, changes: Sequence[Change]) -> None:
        self.changes += changes
        self.unchanged += not changes

    def enter(self, name: str, kind: str) -> None:
        """Each thing has one row. Raises Impossible."""
        if not name:
            raise Impossible(Flaw("cell_missing", "id"))
        if f"{kind}:{name}" in self.seen:
            raise Impossible(Flaw("there_twice", "id", values={"id": name}))
        self.seen.add(f"{kind}:{name}")

    def next_place(self, unit_id: str) -> int:
        self.lengths[unit_id] += 1
        return self.lengths[unit_id] - 1


def plan(rows: Sequence[Row], directory: Directory, day: date, *, complete: bool = False) -> Plan:
    """`complete`: the table is the whole directory, and who is not in it takes no ratings from `day` on."""
    drawing = _begun(directory, day)
    if not rows:
        drawing.flaws.append(Flaw("nothing_in_it"))
    of_units = [row for row in rows if row.cells.get("type") == UNIT]
    of_officers = [row for row in rows if row.cells.get("type") == OFFICER]
    strange = (row for row in rows if row.cells.get("type") not in (UNIT, OFFICER))
    drawing.flaws += [Flaw("type_unknown", "type", row.number) for row in strange]
    for row in of_units:
        _take(drawing, row, _unit)
        drawing.after = with_changes(directory, drawing.changes)
    for row in of_officers:
        _take(drawing, row, _officer)
    absent = _absent(drawing)
    if complete and not drawing.flaws:
        _close(drawing, absent)
    numbers = {row.cells.get("id"): row.number for row in of_units}
    for unit, flaw in units.new_flaws(directory, with_changes(directory, drawing.changes)):
        drawing.flaws.append(Flaw(flaw.code, flaw.field, numbers.get(unit.unit_id), flaw.values))
    flaws = sorted(drawing.flaws, key=lambda flaw: (flaw.row or 0, flaw.field))
    digest = _digest(rows, directory, day, complete=complete)
    return Plan(drawing.changes, drawing.unchanged, absent, flaws, digest)


def _begun(directory: Directory, day: date) -> _Drawing:
    drawing = _Drawing(directory, directory, day)
    titles: Counter[Text] = Counter()
    for officer in directory.officers.values():
        titles[officer.title] += 1
        drawing.lengths[officer.unit_id] = max(drawing.lengths[officer.unit_id], officer.position + 1)
    drawing.usual_title = titles.most_common(1)[0][0] if titles else None
    return drawing


def _take(drawing: _Drawing, row: Row, decide: Callable[[_Drawing, Row], list[Change]]) -> None:
    try:
        drawing.take(decide(drawing, row))
    except Impossible as error:
        drawing.flaws += [Flaw(flaw.code, flaw.field, row.number, flaw.values) for flaw in error.flaws]
    except ValidationError as error:
        columns = {table.column_of(row.cells["type"], problem["loc"]) for problem in error.errors()}
        for column in sorted(columns):
            code = "id_invalid" if column in table.IDS else "value_invalid"
            drawing.flaws.append(Flaw(code, column, row.number))


def _unit(drawing: _Drawing, row: Row) -> list[Change]:
    unit_id = row.cells.get("id", "")
    drawing.enter(unit_id, UNIT)
    present = drawing.before.units.get(unit_id)
    group_id = row.cells.get("group_id") or (present.group_id if present else "")
    named = row.cells.get("group_vi") or row.cells.get("group_en")
    group = units.group_of(drawing.after, group_id, table.text(row, "group") if named else None, present)
    first = table.day(row, "opened_on", present.opened_on if present else None)
    last = table.day(row, "closed_on", present.closed_on if present else None)
    after = UnitPublished(
        unit_id=unit_id,
        name=table.text(row, "name", present.name if present else None),
        opened_on=first,
        closed_on=_later(first, last),
        merged_into=row.cells.get("merged_into", (present.merged_into if present else None) or "") or None,
        group_id=group_id,
        group_name=group.name,
        group_position=group.position,
        position=group.place,
    )
    closes = present is not None and present.closed_on is None and after.closed_on is not None
    return changed(present, after, Kind.CLOSED if closes else Kind.CHANGED)


def _officer(drawing: _Drawing, row: Row) -> list[Change]:
    said = row.cells.get("id", "")
    unit_id = row.cells.get("unit_id") or said.rpartition(".")[0]
    officer_id = said if "." in said or not said else f"{unit_id}.{said}"
    drawing.enter(officer_id, OFFICER)
    present = drawing.before.officers.get(officer_id)
    units.known_unit(drawing.after, unit_id)
    if present is None and not officer_id.startswith(f"{unit_id}."):
        raise Impossible(Flaw("officer_unknown", "id"))
    name = row.cells.get("name_vi", present.name if present else "")
    if not name:
        raise Impossible(Flaw("cell_missing", "name_vi"))
    first = table.day(row, "opened_on", present.active_from if present else None)
    last = table.day(row, "closed_on", present.active_until if present else None)
    after = OfficerPublished(
        officer_id=officer_id,
        unit_id=present.unit_id if present else unit_id,
        name=name,
        title=table.text(row, "title", present.title if present else drawing.usual_title, emptied=False),
        sample=table.flag(row, "sample", present=present.sample if present else False),
        position=present.position if present else drawing.next_place(unit_id),
        active_from=first,
        active_until=_later(first, last),
    )
    if present is not None and unit_id != present.unit_id:
        return _moved(drawing, after, unit_id)
    ends = present is not None and present.active_until is None and after.active_until is not None
    return changed(present, after, Kind.CLOSED if ends else Kind.CHANGED)


def _moved(drawing: _Drawing, officer: OfficerPublished, unit_id: str) -> list[Change]:
    """To the unit that the row names, with whatever else the row says of them."""
    directory = drawing.after.with_({key_of(officer): officer})
    changes = units.moved(directory, officer.officer_id, unit_id, drawing.day)
    before = drawing.before.by_key()
    return [Change(each.key, each.kind, each.after, before.get(each.key)) for each in changes]


def _absent(drawing: _Drawing) -> list[str]:
    told = drawing.seen | {change.key for change in drawing.changes}
    return [
        key
        for key, event in drawing.before.by_key().items()
        if key not in told and _takes_ratings(drawing, event)
    ]


def _takes_ratings(drawing: _Drawing, event: Event) -> bool:
    match event:
        case UnitPublished():
            return is_open(event, drawing.day)
        case OfficerPublished():
            return drawing.before.is_active(event, drawing.day)
    return False


def _close(drawing: _Drawing, absent: Iterable[str]) -> None:
    present = drawing.before.by_key()
    for key in absent:
        event = present[key]
        ending = "closed_on" if isinstance(event, UnitPublished) else "active_until"
        drawing.take(changed(event, event.model_copy(update={ending: drawing.day}), Kind.CLOSED))


def _later(first: date | None, last: date | None) -> date | None:
    if first is not None and last is not None and last <= first:
        raise Impossible(Flaw("day_too_early", "closed_on", values={"day": first.isoformat()}))
    return last


def _digest(rows: Sequence[Row], directory: Directory, day: date, *, complete: bool) -> str:
    held_against = {
        key: event.model_dump(mode="json")
        for key, event in sorted(directory.by_key().items())
        if isinstance(event, UnitPublished | OfficerPublished)
    }
    said = [[row.number, sorted(row.cells.items())] for row in rows]
    told = json.dumps([said, held_against, day.isoformat(), complete], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()
