"""What the office sees of the directory, of editions and of the trail: each caller what is theirs."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from contracts.city_time import city_day
from contracts.events import DirectoryChange, EditionPublished, OfficerPublished, UnitPublished
from services.intake import office_documents as documents
from services.intake.access import Caller
from services.intake.domain.directory import Directory, is_open, takes_ratings
from services.intake.office import Done
from services.intake.ports import DirectoryView, Keys, KeysMissing, Taken, TrailView

SEEN_SECONDS = 2.0
LOOK_SECONDS = 0.02
MOST_ACTIONS = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of the trail: `about` is the id of a unit, an officer or an edition; days are the city's, inclusive."""

    action: str = ""
    about: str = ""
    actor: str = ""
    first: date | None = None
    last: date | None = None


class OfficeReading:
    """Raises DirectoryUnread before there is a directory."""

    def __init__(
        self, directory: DirectoryView, trail: TrailView, keys: Keys, clock: Callable[[], datetime]
    ) -> None:
        self._directory = directory
        self._trail = trail
        self._keys = keys
        self._clock = clock

    @property
    def today(self) -> date:
        return city_day(self._clock())

    @property
    def everything(self) -> Directory:
        return self._directory.current

    def directory(self, caller: Caller) -> Directory:
        """The units and officers that are the caller's to see, and every edition."""
        whole = self._directory.current
        units = {key: unit for key, unit in whole.units.items() if caller.may_see(unit)}
        officers = {key: each for key, each in whole.officers.items() if each.unit_id in units}
        return Directory(units, officers, whole.editions)

    def units(self, caller: Caller) -> documents.Units:
        directory = self.directory(caller)
        ordered = sorted(
            directory.units.values(), key=lambda u: (u.group_position, u.group_id, u.position, u.name.vi)
        )
        active: dict[str, int] = {}
        for officer in directory.officers.values():
            active[officer.unit_id] = active.get(officer.unit_id, 0) + directory.is_active(
                officer, self.today
            )
        return documents.Units(
            units=[documents.Unit(**self._unit(unit, active.get(unit.unit_id, 0))) for unit in ordered]
        )

    def unit(self, caller: Caller, unit_id: str) -> documents.UnitWithOfficers | None:
        directory = self.directory(caller)
        unit = directory.units.get(unit_id)
        if unit is None:
            return None
        of_unit = [each for each in directory.officers.values() if each.unit_id == unit_id]
        officers = [
            self._officer(directory, each) for each in sorted(of_unit, key=lambda o: (o.position, o.name))
        ]
        count = sum(each.active for each in officers)
        return documents.UnitWithOfficers(**self._unit(unit, count), officers=officers)

    def officer(self, caller: Caller, officer_id: str) -> documents.Officer | None:
        directory = self.directory(caller)
        officer = directory.officers.get(officer_id)
        return None if officer is None else self._officer(directory, officer)

    def editions(self) -> documents.Editions:
        editions = sorted(
            self._directory.current.editions.values(), key=lambda e: (e.opens_on, e.edition_id), reverse=True
        )
        return documents.Editions(editions=[self._edition(each) for each in editions])

    def edition(self, edition_id: str) -> documents.Edition | None:
        edition = self._directory.current.editions.get(edition_id)
        return None if edition is None else self._edition(edition)

    def actions(
        self, caller: Caller, wanted: Wanted, *, before: int | None = None, most: int = MOST_ACTIONS
    ) -> documents.Actions:
        """The newest first."""
        found: list[documents.Action] = []
        for taken in reversed(self._trail.current):
            if before is not None and taken.number >= before:
                continue
            shown = self._action(caller, wanted, taken)
            if shown is not None and len(found) == most:
                return documents.Actions(actions=found, before=found[-1].number)
            if shown is not None:
                found.append(shown)
        return documents.Actions(actions=found)

    async def seen(self, done: Done) -> None:
        """Waits, for a while, until what was written can be read here: the next page shows it."""
        for _ in range(int(SEEN_SECONDS / LOOK_SECONDS)):
            if self._sees(done):
                return
            await asyncio.sleep(LOOK_SECONDS)

    def _sees(self, done: Done) -> bool:
        there = self._directory.current.by_key()
        newest = reversed(self._trail.current[-MOST_ACTIONS:])
        return all(there.get(each.key) == each.after for each in done.changes) and (
            done.action_id is None or any(each.id == done.action_id for each in newest)
        )

    def _unit(self, unit: UnitPublished, officers: int) -> dict[str, object]:
        shown = unit.model_dump(exclude={"unit_id", "group_position", "position"})
        return {
            **shown,
            "id": unit.unit_id,
            "open": is_open(unit, self.today),
            "officer_count": officers,
        }

    def _officer(self, directory: Directory, officer: OfficerPublished) -> documents.Officer:
        shown = officer.model_dump(exclude={"officer_id", "position"})
        active = directory.is_active(officer, self.today)
        return documents.Officer(**shown, id=officer.officer_id, active=active)

    def _edition(self, edition: EditionPublished) -> documents.Edition:
        try:
            self._keys.pseudonym_key(edition.edition_id)
            ready = True
        except KeysMissing:
            ready = False
        return documents.Edition(
            edition=edition, open=takes_ratings(edition, self.today), ready=ready, etag=etag_of(edition)
        )

    def _action(self, caller: Caller, wanted: Wanted, taken: Taken) -> documents.Action | None:
        """None for what is not wanted, or not the caller's."""
        action = taken.action
        if action is None:
            shown = caller.sees_everything and wanted == Wanted()
            return documents.Action(number=taken.number) if shown else None
        changes = list(self._theirs(caller, action.changes))
        if action.changes and not changes:
            return None
        day = city_day(action.taken_at)
        about = {key.partition(":")[2] for key in (action.target, *(each.key for each in changes))}
        if (
            wanted.action not in ("", action.action)
            or wanted.actor not in ("", action.actor)
            or (wanted.about and wanted.about not in about)
            or (wanted.first is not None and day < wanted.first)
            or (wanted.last is not None and day > wanted.last)
        ):
            return None
        fields = action.model_dump(exclude={"changes", "digest"})
        return documents.Action(number=taken.number, id=taken.id, **fields, changes=changes)

    def _theirs(self, caller: Caller, changes: Sequence[DirectoryChange]) -> Iterator[DirectoryChange]:
        """A department is shown what concerns its own units and officers, and editions."""
        whole = self._directory.current
        for change in changes:
            kind, _, name = change.key.partition(":")
            if kind == "officer":
                officer = whole.officers.get(name)
                name = officer.unit_id if officer else ""
            unit = whole.units.get(name)
            known = kind in ("unit", "officer") and unit is not None and caller.may_see(unit)
            if caller.sees_everything or kind == "edition" or known:
                yield change


def etag_of(edition: EditionPublished) -> str:
    return f'"{hashlib.sha256(edition.model_dump_json().encode()).hexdigest()[:24]}"'
