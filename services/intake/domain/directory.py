"""Units, officers, editions and API clients as the log has them, and who takes ratings on which day."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import TypeVar

from contracts.events import (
    ApiClientPublished,
    EditionPublished,
    Event,
    OfficerPublished,
    Text,
    UnitPublished,
)

E = TypeVar("E", bound=Event)


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
    clients: Mapping[str, ApiClientPublished] = field(default_factory=lambda: MappingProxyType({}))

    def with_(self, changes: Mapping[str, Event | None]) -> "Directory":
        """Apply events by their Kafka keys (`unit:<id>` …); None takes the key's entry out."""
        return Directory(
            units=_merged(self.units, changes, "unit", UnitPublished),
            officers=_merged(self.officers, changes, "officer", OfficerPublished),
            editions=_merged(self.editions, changes, "edition", EditionPublished),
            clients=_merged(self.clients, changes, "client", ApiClientPublished),
        )

    def by_key(self) -> dict[str, Event]:
        """Everything, by its Kafka key."""
        parts = {"unit": self.units, "officer": self.officers, "edition": self.editions}
        return {
            f"{kind}:{name}": event
            for kind, events in {**parts, "client": self.clients}.items()
            for name, event in events.items()
        }

    def is_active(self, officer: OfficerPublished, day: date) -> bool:
        unit = self.units.get(officer.unit_id)
        started = officer.active_from is None or officer.active_from <= day
        ended = officer.active_until is not None and officer.active_until <= day
        return unit is not None and is_open(unit, day) and started and not ended

    def open_editions(self, day: date) -> list[EditionPublished]:
        """The editions that take ratings on `day`, the newest first."""
        found = [edition for edition in self.editions.values() if takes_ratings(edition, day)]
        return sorted(found, key=lambda e: (e.opens_on, e.edition_id), reverse=True)


class Roster:
    """Who takes ratings on one day: worked out once for a state of the directory."""

    def __init__(self, directory: Directory, day: date) -> None:
        self.directory = directory
        self.day = day
        found = [unit for unit in directory.units.values() if is_open(unit, day)]
        self.units = sorted(found, key=lambda u: (u.group_position, u.group_id, u.position, u.name.vi))
        self.groups: dict[str, Group] = {}
        self._units: dict[str, list[UnitPublished]] = {}
        for unit in self.units:
            self.groups[unit.group_id] = Group(unit.group_id, unit.group_name)
            self._units.setdefault(unit.group_id, []).append(unit)
        self._officers: dict[str, list[OfficerPublished]] = {}
        for officer in sorted(directory.officers.values(), key=lambda o: (o.position, o.name, o.officer_id)):
            if directory.is_active(officer, day):
                self._officers.setdefault(officer.unit_id, []).append(officer)

    def units_of(self, group_id: str) -> list[UnitPublished]:
        return self._units.get(group_id, [])

    def officers_of(self, unit_id: str) -> list[OfficerPublished]:
        return self._officers.get(unit_id, [])


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
