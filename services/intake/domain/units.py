"""Units open, are renamed, close, merge and reopen; officers move. Each decision says what changes, or why
not."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from contracts.events import OfficerPublished, Text, UnitPublished
from services.intake.domain.changes import Change, Flaw, Impossible, Kind, changed, with_changes
from services.intake.domain.directory import Directory, is_open
from services.intake.domain.merging import flaws


@dataclass(frozen=True, slots=True)
class Group:
    """What a unit says of its group. `place`: the unit's own in it."""

    name: Text
    position: int
    place: int


def opened(
    directory: Directory,
    *,
    unit_id: str,
    name: Text,
    group_id: str,
    group_name: Text | None = None,
    opened_on: date | None = None,
) -> list[Change]:
    """A new unit at the end of its group. A new group needs a name. Raises Impossible."""
    if unit_id in directory.units:
        raise Impossible(Flaw("unit_exists", "unit_id"))
    group = group_of(directory, group_id, group_name)
    unit = UnitPublished(
        unit_id=unit_id,
        name=name,
        opened_on=opened_on,
        group_id=group_id,
        group_name=group.name,
        group_position=group.position,
        position=group.place,
    )
    return changed(None, unit)


def group_of(
    directory: Directory, group_id: str, name: Text | None, unit: UnitPublished | None = None
) -> Group:
    """The group, with the place of `unit` in it, or of its next. Raises Impossible for a new group without a
    name, and for a known one with another."""
    siblings = [each for each in directory.units.values() if each.group_id == group_id]
    if not siblings:
        if name is None:
            raise Impossible(Flaw("group_unknown", "group_id"))
        last = max((each.group_position for each in directory.units.values()), default=-1)
        return Group(name, last + 1, 0)
    of_group = siblings[0]
    if name not in (None, of_group.group_name):
        values = {"name": of_group.group_name.vi}
        raise Impossible(Flaw("group_named_otherwise", "group_vi", values=values))
    place = 1 + max(each.position for each in siblings)
    if unit is not None and unit.group_id == group_id:
        place = unit.position
    return Group(of_group.group_name, of_group.group_position, place)


def renamed(directory: Directory, unit_id: str, name: Text) -> list[Change]:
    """Raises Impossible."""
    unit = known_unit(directory, unit_id)
    return changed(unit, unit.model_copy(update={"name": name}))


def closed(directory: Directory, unit_id: str, day: date) -> list[Change]:
    """`day` is the first without ratings. Raises Impossible."""
    unit = known_unit(directory, unit_id)
    if unit.merged_into is not None:
        raise Impossible(Flaw("unit_merged_already", "day"))
    return _closed(directory, unit, day, None)


def reopened(directory: Directory, unit_id: str) -> list[Change]:
    """A unit that closed or merged, or was to, takes ratings again. Officers who moved away with a merger
    stay where they are. Raises Impossible."""
    unit = known_unit(directory, unit_id)
    if unit.closed_on is None:
        return []
    after = unit.model_copy(update={"closed_on": None, "merged_into": None})
    return changed(unit, after, Kind.REOPENED)


def merged(
    directory: Directory, unit_id: str, heir_id: str, day: date, *, with_officers: bool
) -> list[Change]:
    """`heir_id` takes over on `day`, and the unit's officers go there too where asked. Raises Impossible."""
    heir = known_unit(directory, heir_id, "merged_into")
    unit = known_unit(directory, unit_id)
    changes = _closed(directory, unit, day, heir.unit_id)
    if with_officers:
        for officer in _active(directory, unit_id, day):
            changes += moved(directory, officer.officer_id, heir_id, day)
    return changes


def moved(directory: Directory, officer_id: str, unit_id: str, day: date) -> list[Change]:
    """An officer goes on at another unit from `day`. Their id is for ever and names their unit, so the one
    ends and another begins: what they were rated for stays where it was. Raises Impossible."""
    officer = known_officer(directory, officer_id)
    unit = known_unit(directory, unit_id)
    if not is_open(unit, day):
        raise Impossible(Flaw("unit_not_open", "unit_id", values={"day": day.isoformat()}))
    if unit_id == officer.unit_id:
        return []
    next_id = f"{unit_id}.{officer_id.removeprefix(f'{officer.unit_id}.')}"
    there = directory.officers.get(next_id)
    if there is not None and there.name != officer.name:
        raise Impossible(Flaw("officer_id_taken", "unit_id", values={"id": next_id}))
    if officer.active_until is not None and officer.active_until <= day:
        if there is not None and there.active_until is None:
            return []  # it was done before
        raise Impossible(Flaw("officer_ended", "officer_id"))
    if officer.active_from is not None and officer.active_from >= day:
        raise Impossible(Flaw("day_too_early", "day", values={"day": officer.active_from.isoformat()}))
    position = 1 + max((o.position for o in directory.officers.values() if o.unit_id == unit_id), default=-1)
    begun = officer.model_copy(
        update={
            "officer_id": next_id,
            "unit_id": unit_id,
            "position": position if there is None else there.position,
            "active_from": day,
            "active_until": None,
        }
    )
    ended = officer.model_copy(update={"active_until": day})
    return [*changed(officer, ended, Kind.MOVED), *changed(there, begun, Kind.MOVED)]


def known_unit(directory: Directory, unit_id: str, field: str = "unit_id") -> UnitPublished:
    """Raises Impossible."""
    unit = directory.units.get(unit_id)
    if unit is None:
        raise Impossible(Flaw("unit_unknown", field))
    return unit


def known_officer(directory: Directory, officer_id: str) -> OfficerPublished:
    """Raises Impossible."""
    officer = directory.officers.get(officer_id)
    if officer is None:
        raise Impossible(Flaw("officer_unknown", "officer_id"))
    return officer


def new_flaws(before: Directory, after: Directory) -> Iterator[tuple[UnitPublished, Flaw]]:
    """Mergers that were possible, or not there, and would be impossible."""
    known = {unit.unit_id for unit, _ in flaws(before.units)}
    for unit, _ in flaws(after.units):
        if unit.unit_id not in known:
            yield unit, Flaw("merger_impossible", "merged_into", values={"unit": unit.name.vi})


def _closed(directory: Directory, unit: UnitPublished, day: date, heir: str | None) -> list[Change]:
    if unit.opened_on is not None and day <= unit.opened_on:
        raise Impossible(Flaw("day_too_early", "day", values={"day": unit.opened_on.isoformat()}))
    after = unit.model_copy(update={"closed_on": day, "merged_into": heir})
    changes = changed(unit, after, Kind.CLOSED)
    wrong = [flaw for _, flaw in new_flaws(directory, with_changes(directory, changes))]
    if wrong:
        raise Impossible(*wrong)
    return changes


def _active(directory: Directory, unit_id: str, day: date) -> list[OfficerPublished]:
    """Whoever of the unit takes ratings on `day` or later."""
    return [
        officer
        for officer in directory.officers.values()
        if officer.unit_id == unit_id
        and (officer.active_until is None or officer.active_until > day)
        and (officer.active_from is None or officer.active_from < day)
    ]
