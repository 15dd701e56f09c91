"""Units, officers and editions as the log has them, and who takes ratings on which day."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import TypeVar
from zoneinfo import ZoneInfo

from contracts.events import EditionPublished, Event, OfficerPublished, Text, UnitPublished

CITY_TIME = ZoneInfo("Asia/Ho_Chi_Minh")
E = TypeVar("E", bound=Event)


def city_day(moment: datetime) -> date:
    return moment.astimezone(CITY_TIME).date()


@dataclass(frozen=True, slots=True)
class Group:
    id: str
    name: Text


@dataclass(frozen=True, slots=True)
class Directory:
    """One state of the directory. `with_` gives the next one; a state never changes."""

    units: Mapping[str, UnitPublished] = field(default_factory=lambda: MappingProxyType({}))
    officers: Mapping[str, OfficerPublished] = field(default_factory=lambda: MappingProxyType({}))
    editions: Mapping[str, EditionPublished] = field(default_factory=lambda: MappingProxyType({}))

    def with_(self, changes: Mapping[str, Event | None]) -> "Directory":
        """Apply events by their Kafka keys (`unit:<id>` …); None takes the key's entry out."""
        return Directory(
            units=_merged(self.units, changes, "unit", UnitPublished),
            officers=_merged(self.officers, changes, "officer", OfficerPublished),
            editions=_merged(self.editions, changes, "edition", EditionPublished),
        )

    def open_units(self, day: date) -> list[UnitPublished]:
        """In their order: by group, then by position, then by name."""
        found = [unit for unit in self.units.values() if is_open(unit, day)]
        return sorted(found, key=lambda u: (u.group_position, u.group_id, u.position, u.name.vi))

    def groups(self, day: date) -> list[Group]:
        found = {unit.group_id: Group(unit.group_id, unit.group_name) for unit in self.open_units(day)}
        return list(found.values())

    def active_officers(self, unit_id: str, day: date) -> list[OfficerPublished]:
        found = [o for o in self.officers.values() if o.unit_id == unit_id and self.is_active(o, day)]
        return sorted(found, key=lambda o: (o.position, o.name, o.officer_id))

    def is_active(self, officer: OfficerPublished, day: date) -> bool:
        unit = self.units.get(officer.unit_id)
        started = officer.active_from is None or officer.active_from <= day
        ended = officer.active_until is not None and officer.active_until <= day
        return unit is not None and is_open(unit, day) and started and not ended

    def current_edition(self, day: date) -> EditionPublished | None:
        """The newest edition that takes ratings on `day`."""
        found = [edition for edition in self.editions.values() if takes_ratings(edition, day)]
        return max(found, key=lambda e: (e.opens_on, e.edition_id), default=None)


def is_open(unit: UnitPublished, day: date) -> bool:
    return (unit.opened_on is None or unit.opened_on <= day) and (
        unit.closed_on is None or day < unit.closed_on
    )


def takes_ratings(edition: EditionPublished, day: date) -> bool:
    return edition.opens_on <= day <= edition.closes_on


def _merged(
    known: Mapping[str, E], changes: Mapping[str, Event | None], kind: str, event: type[E]
) -> Mapping[str, E]:
    prefix = f"{kind}:"
    touched = {key.removeprefix(prefix): change for key, change in changes.items() if key.startswith(prefix)}
    if not touched:
        return known
    merged = {**known, **{key: change for key, change in touched.items() if isinstance(change, event)}}
    return MappingProxyType(
        {key: value for key, value in merged.items() if touched.get(key, value) is not None}
    )
