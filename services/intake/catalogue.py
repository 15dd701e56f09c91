"""The directory and the edition as documents, written once for each state of the directory and each day."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from contracts.city_time import city_day
from contracts.events import EditionPublished, OfficerPublished, Text, UnitPublished
from services.intake.domain.directory import Directory, Group, Roster
from services.intake.domain.merging import merged, successor
from services.intake.domain.search import Index
from services.intake.ports import DirectoryView

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Document:
    content: bytes
    etag: str


class Catalogue:
    """Answers None for what is not there (any more). Raises DirectoryUnread before there is a directory."""

    def __init__(self, view: DirectoryView, clock: Callable[[], datetime]) -> None:
        self._view = view
        self._clock = clock
        self._shown: _Shown | None = None

    def groups(self) -> Document | None:
        return self._now().document("groups")

    def register(self) -> Document | None:
        return self._now().document("register")

    def group(self, group_id: str) -> Document | None:
        return self._now().document(f"group:{group_id}")

    def unit(self, unit_id: str) -> Document | None:
        return self._now().document(f"unit:{unit_id}")

    def officer(self, officer_id: str) -> Document | None:
        return self._now().document(f"officer:{officer_id}")

    def edition(self) -> Document | None:
        return self._now().document("edition")

    def search(self, query: str, limit: int) -> Document:
        return self._now().search(query, limit)

    def _now(self) -> "_Shown":
        directory, day = self._view.current, city_day(self._clock())
        if self._shown is None or not self._shown.is_of(directory, day):
            self._shown = _Shown(directory, day)
        return self._shown


class _Shown:
    """One state of the directory on one day. Documents are written when they are first asked for."""

    def __init__(self, directory: Directory, day: date) -> None:
        self._roster = Roster(directory, day)
        self._merged = merged(directory.units, day)
        self._directory = directory
        self._day = day
        self._written: dict[str, Document] = {}
        self._index: Index | None = None

    def is_of(self, directory: Directory, day: date) -> bool:
        return self._directory is directory and self._day == day

    def document(self, name: str) -> Document | None:
        if name not in self._written:
            body = self._body(name)
            if body is None:
                return None  # not remembered: callers may ask for anything
            self._written[name] = _write(body)
        return self._written[name]

    def search(self, query: str, limit: int) -> Document:
        if self._index is None:
            self._index = Index(self._roster)
        found = self._index.find(query, limit)
        units = self._directory.units
        return _write(
            {
                "query": query,
                "units": [self._placed(unit) for unit in found.units],
                "officers": [{**_officer(o), "unit": _unit(units[o.unit_id])} for o in found.officers],
            }
        )

    def _body(self, name: str) -> Json | None:
        kind, _, wanted = name.partition(":")
        match kind:
            case "groups":
                return {"groups": [self._group(group) for group in self._roster.groups.values()]}
            case "register":
                return self._register()
            case "group":
                return self._group_with_units(wanted)
            case "unit":
                return self._unit_with_officers(wanted)
            case "officer":
                return self._officer_with_place(wanted)
            case _:
                editions = self._directory.open_editions(self._day)
                return _edition(editions[0]) if editions else None

    def _register(self) -> Json:
        officers = (self._officer_with_place(each) for each in self._directory.officers)
        return {
            "units": [_unit(each) for each in self._directory.units.values()],
            "officers": [each for each in officers if each],
        }

    def _group(self, group: Group) -> Json:
        return {**_named(group), "unit_count": len(self._roster.units_of(group.id))}

    def _group_with_units(self, group_id: str) -> Json | None:
        group = self._roster.groups.get(group_id)
        if group is None:
            return None
        counted = [
            {**_unit(u), "officer_count": len(self._roster.officers_of(u.unit_id))}
            for u in self._roster.units_of(group_id)
        ]
        return {**_named(group), "units": counted}

    def _unit_with_officers(self, unit_id: str) -> Json | None:
        unit = self._directory.units.get(unit_id)
        if unit is None:
            return None
        heir = successor(self._directory.units, unit, self._day)
        return {
            **self._placed(unit),
            "closed_on": unit.closed_on.isoformat() if unit.closed_on else None,
            "merged_into": _unit(heir) if heir else None,
            "officers": [_officer(o) for o in self._roster.officers_of(unit_id)],
        }

    def _placed(self, unit: UnitPublished) -> Json:
        predecessors = [_unit(each) for each in self._merged.get(unit.unit_id, ())]
        return {**_unit(unit), "group": _named(_group_of(unit)), "predecessors": predecessors}

    def _officer_with_place(self, officer_id: str) -> Json | None:
        officer = self._directory.officers.get(officer_id)
        unit = self._directory.units.get(officer.unit_id) if officer else None
        if officer is None or unit is None:
            return None
        active = self._directory.is_active(officer, self._day)
        return {**_officer(officer), "unit": _unit(unit), "group": _named(_group_of(unit)), "active": active}


def _group_of(unit: UnitPublished) -> Group:
    return Group(unit.group_id, unit.group_name)


def _text(text: Text) -> Json:
    return text.model_dump()


def _named(group: Group) -> Json:
    return {"id": group.id, "name": _text(group.name)}


def _unit(unit: UnitPublished) -> Json:
    return {"id": unit.unit_id, "name": _text(unit.name)}


def _officer(officer: OfficerPublished) -> Json:
    return {
        "id": officer.officer_id,
        "name": officer.name,
        "title": _text(officer.title),
        "sample": officer.sample,
    }


def _edition(edition: EditionPublished) -> Json:
    shown = edition.model_dump(mode="json", exclude={"edition_id", "sealing_key"})
    return {"id": edition.edition_id, **shown}


def _write(body: Mapping[str, Any]) -> Document:
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Document(content, f'"{hashlib.sha256(content).hexdigest()[:24]}"')
