"""What the public sees of the figures. Pure.

Figures are of editions; all editions together are the sum of what is published of each, and a range of days
that of the units' days that are published. A unit with what merged into it is the sum of what is published of
each. `View(…, everything=True)` shows all there is, for those who may see it: no public route leads there
(`department` says who).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from datetime import date, datetime
from typing import NamedTuple

from contracts.events import Publication
from services.aggregation.domain import CITY, Level, Scope
from services.aggregation.edition import ITEMS, NO_DAYS, EditionView, Published, together
from services.aggregation.scales import Answered, Counted
from services.aggregation.stored import NEVER, Accepted, ByDay, Mark, Stored, Tallied

EVERYTHING = Publication(officer_batch=1, suppress_below=1)


class UnitDay(NamedTuple):
    """A unit's day within an edition, and what is public of it."""

    edition: str
    group: str
    unit: str
    day: date
    published: Published


class View:
    """What of the stored figures may be seen `now`."""

    def __init__(
        self,
        stored: Stored,
        now: datetime,
        *,
        everything: bool = False,
        merged: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """`merged`: units, and those whose figures are shown with theirs."""
        self.stored = stored
        self._merged = merged or {}
        self._marks: dict[Scope, Mark] = {}
        self.everything = everything
        self._editions = {
            edition: EditionView(
                stored,
                edition,
                now,
                EVERYTHING if everything else stored.policies.get(edition, Publication()),
            )
            for edition in sorted({*stored.of_units, *stored.of_officers})
        }

    def joined(self, merged: Mapping[str, Sequence[str]]) -> "View":
        """The same, in which units are shown with what merged into them."""
        found = copy(self)
        found._merged, found._marks = merged, {}
        return found

    def take(self, officers: Mapping[str, Mapping[str, Tallied]]) -> None:
        """Show these officers too, by edition; see `EditionView`."""
        for edition, theirs in officers.items():
            self._editions[edition].take(theirs)

    def of(self, scope: Scope, edition: str | None) -> Published:
        parts = [scope]
        if scope.level is Level.UNIT:
            parts += [Scope(Level.UNIT, unit) for unit in self._merged.get(scope.id, ())]
        return together(
            each.full(part) if self.everything else each.of(part)
            for each in self._asked(edition)
            for part in parts
        )

    def between(
        self, scope: Scope, edition: str | None, first: date, last: date, tallied: ByDay
    ) -> Published:
        """The sum of the days that are published; of items none are by day."""
        if scope.level is Level.OFFICER and not self._officer_days(scope):
            return NO_DAYS
        days = self.days(scope, edition, tallied)
        found = together(published for day, published in days.items() if first <= day <= last)
        return replace(found, left_out=frozenset(ITEMS))

    def as_of(
        self, scope: Scope, edition: str | None, day: date, accepted: Accepted, tallied: ByDay
    ) -> Published:
        """The sum of what can be shown of each unit as it stood then; of officers nothing."""
        if scope.level is Level.OFFICER:
            return NO_DAYS
        return together(
            each.as_of(unit, day, accepted.get(each.id, {}).get(unit, {}), tallied.get(each.id, {}))
            for each in self._asked(edition)
            for unit in self.units_in(scope)
            if unit in each.units
        )

    def days(self, scope: Scope, edition: str | None, tallied: ByDay) -> dict[date, Published]:
        """Answers by day, from those of the `day_scopes`: of a unit or what is above it; of an officer only
        for who sees everything."""
        found: dict[date, list[Published]] = defaultdict(list)
        for each in self._asked(edition):
            if self._officer_days(scope):
                for day, counts in tallied.get(each.id, {}).get(scope, {}).items():
                    found[day].append(Published(counts.live))
            for unit in self.units_in(scope):
                for day, published in each.days(unit, tallied.get(each.id, {})).items():
                    found[day].append(published)
        return {day: parts[0] if len(parts) == 1 else together(parts) for day, parts in found.items()}

    def days_as_of(
        self, scope: Scope, edition: str | None, day: date, accepted: Accepted, tallied: ByDay
    ) -> dict[date, Published]:
        """Answers by day of submission as they stood at the end of `day`; of officers nothing."""
        found: dict[date, list[Published]] = defaultdict(list)
        for each in self._asked(edition):
            for unit in self.units_in(scope):
                cells, days = accepted.get(each.id, {}).get(unit, {}), tallied.get(each.id, {})
                for when, published in each.days_as_of(unit, day, cells, days).items():
                    found[when].append(published)
        return {when: together(parts) for when, parts in found.items()}

    def scales(self, unit: str, edition: str | None, counted: Counted) -> list[Answered]:
        """Of each edition in which the unit was rated. Neither groups nor officers have any, and units that
        merged are not joined: nothing is public that could be set against these."""
        found = []
        for each in self._asked(edition):
            for scale in counted.asked.get(each.id, ()) if unit in each.units else ():
                said = {q: counted.choices.get((each.id, scale.id, q.id), {}) for q in scale.questions}
                seen = {q.id: choices for q, choices in said.items() if each.shows(unit, q, choices)}
                found.append(Answered(each.id, scale, seen))
        return found

    def unit_days(self, tallied: ByDay) -> Iterator[UnitDay]:
        """All that `days` adds up."""
        for each in self._editions.values():
            for unit, group in self.stored.units.items():
                for day, published in each.days(unit, tallied.get(each.id, {})).items():
                    yield UnitDay(each.id, group, unit, day, published)

    def day_scopes(self, scope: Scope) -> list[Scope]:
        """Whose days are the days of `scope`."""
        if self._officer_days(scope):
            return [scope]
        units = self.units_in(scope)
        sources = {each.source(unit) for each in self._editions.values() for unit in units}
        return sorted(sources)

    def mark(self, scope: Scope) -> Mark:
        """Moves only when something public may have: never with a rating that is not released."""
        if scope.level is Level.OFFICER:
            unit = self.stored.officers.get(scope.id)
            if self.everything and unit is not None:  # an officer's own mark moves with what is released
                return self._unit_mark(unit)
            return self._officer_mark(scope.id)
        if scope not in self._marks:
            self._marks[scope] = _latest(self._unit_mark(unit) for unit in self.units_in(scope))
        return self._marks[scope]

    def decided(self, scope: Scope) -> Mark:
        """The same of all that decides what `scope` may show: its siblings too."""
        if scope.level is not Level.OFFICER:
            return self.mark(CITY)
        unit = self.stored.officers.get(scope.id)
        siblings = [officer for officer, its in self.stored.officers.items() if its == unit]
        return _latest([self._officer_mark(officer) for officer in siblings])

    def morning(self) -> bool:
        """Whether some figures show more than any revision says, because a morning has come."""
        return any(each.by_time for each in self._editions.values())

    def _officer_days(self, scope: Scope) -> bool:
        return self.everything and scope.level is Level.OFFICER

    def _asked(self, edition: str | None) -> list["EditionView"]:
        return [each for name, each in self._editions.items() if edition in (None, name)]

    def units_in(self, scope: Scope) -> list[str]:
        """Whose figures those of `scope`, if it is no officer, are the sum of."""
        match scope.level:
            case Level.UNIT:
                units = (scope.id, *self._merged.get(scope.id, ()))
                return [unit for unit in units if unit in self.stored.units]
            case Level.GROUP:
                return [unit for unit, group in self.stored.units.items() if group == scope.id]
            case Level.CITY:
                return list(self.stored.units)
            case _:
                return []

    def _unit_mark(self, unit: str) -> Mark:
        held = [each.alone.get(unit) for each in self._editions.values() if unit in each.units]
        if any(officer is None for officer in held):
            return self.stored.marks.get(Scope(Level.UNIT, unit), NEVER)
        return _latest(self._officer_mark(officer) for officer in held if officer is not None)

    def _officer_mark(self, officer: str) -> Mark:
        stored = self.stored.marks.get(Scope(Level.OFFICER, officer), NEVER)
        mornings = [
            Mark(stored.revision, each.by_time[officer])
            for each in self._editions.values()
            if officer in each.by_time
        ]
        return _latest([stored, *mornings])


def _latest(marks: Iterable[Mark]) -> Mark:
    every = list(marks)
    moments = [mark.updated_at for mark in every if mark.updated_at is not None]
    return Mark(max((mark.revision for mark in every), default=0), max(moments, default=None))
