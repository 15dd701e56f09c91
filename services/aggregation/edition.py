"""What the public sees of one edition: officers' figures a batch at a time, nothing of too few. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from contracts.events import Publication, ScaleQuestion
from services.aggregation.domain import ALL_DAYS, CITY, Level, Measure, Scope, weekday
from services.aggregation.looking_back import Cell, cuts
from services.aggregation.releasing import due
from services.aggregation.scales import Choices, shown
from services.aggregation.stored import Cells, Counts, Stored, Tallied, alone, items, total
from services.aggregation.suppression import hidden
from services.aggregation.tree import PARTITIONS, TREES, Tree, parts_shown

ITEMS = (*TREES, *PARTITIONS)
NONE = Cells()


@dataclass(frozen=True, slots=True)
class Published:
    """What is public of a scope. `suppressed`: there are ratings, too few to show; `partial`: some are left
    out; `left_out`: of which measures some items are."""

    counts: Counts = field(default_factory=dict)
    suppressed: bool = False
    partial: bool = False
    left_out: frozenset[Measure] = frozenset()


NOTHING = Published()
TOO_FEW = Published(suppressed=True, partial=True)
NO_DAYS = Published(suppressed=True, partial=True, left_out=frozenset(ITEMS))
"""Of an officer's days: they are of few, and those of all officers would add up to their unit's."""


class EditionView:
    def __init__(self, stored: Stored, edition: str, now: datetime, policy: Publication) -> None:
        self.id = edition
        self._below = policy.suppress_below
        standings = stored.standings.get(edition, {})
        self.by_time: dict[str, datetime] = {}
        for officer, standing in standings.items():
            morning = due(standing, policy.officer_batch, policy.officer_hour)
            if morning is not None and morning <= now:
                self.by_time[officer] = morning
        self._at_once = policy.officer_batch == 1
        self._of_one = alone(stored.officers, standings)
        self.alone = {} if self._at_once else self._of_one
        self._groups, self._unit_of = stored.units, stored.officers
        self._officers: dict[str, dict[Scope, Counts]] = defaultdict(dict)  # by unit
        self._desks: dict[str, Tree] = {}
        self._days: dict[str, tuple[object, dict[date, Published]]] = {}
        self.take(stored.of_officers.get(edition, {}))
        self.units: Mapping[str, Counts] = {
            unit: self._officers[unit].get(Scope(Level.OFFICER, self.alone[unit]), NONE)
            if unit in self.alone
            else counts
            for unit, counts in stored.of_units.get(edition, {}).items()
        }
        self._above = _tree(stored, self.units, self._below)

    def take(self, officers: Mapping[str, Tallied]) -> None:
        """Officers who are asked for: all of their unit, and as they were stored with the rest."""
        for officer, tallied in officers.items():
            scope, unit = Scope(Level.OFFICER, officer), self._unit_of[officer]
            self._officers[unit][scope] = self._visible(scope, tallied)
            self._desks.pop(unit, None)

    def of(self, scope: Scope) -> Published:
        tree = self._tree_of(scope)
        counts = tree.counts.get(scope, NONE)
        if scope not in tree.shown:
            return TOO_FEW if total(counts) else NOTHING
        found = {(Measure.ANSWER, answer): n for answer, n in items(counts, Measure.ANSWER).items()}
        found |= {
            (measure, item): count
            for (measure, item), count in counts.items()
            if scope in tree.shown_items.get((measure, item), ())
        }
        left_out = {key[0] for key, n in counts.items() if n and key[0] in TREES and found.get(key) != n}
        found |= self._parted[scope]
        left_out |= {each for each in PARTITIONS if sum(items(found, each).values()) != total(found)}
        return Published(found, left_out=frozenset(left_out))

    def shows(self, unit: str, question: ScaleQuestion, choices: Choices) -> bool:
        """Whether a further question is shown: of a unit in which one officer alone was rated none is."""
        if unit in self._of_one or Scope(Level.UNIT, unit) not in self._above.shown:
            return False
        return shown(question, choices, total(self.units[unit]), self._below)

    def full(self, scope: Scope) -> Published:
        """All there is, for those who may see it."""
        return Published(self._tree_of(scope).counts.get(scope, NONE))

    def _tree_of(self, scope: Scope) -> Tree:
        unit = self._unit_of.get(scope.id) if scope.level is Level.OFFICER else None
        if unit is None:
            return self._above
        if unit not in self._desks:
            above, theirs = Scope(Level.UNIT, unit), self._officers[unit]
            counts = {above: self._above.counts.get(above, NONE), **theirs}
            self._desks[unit] = Tree(above, {above: list(theirs)}, counts, self._below, self._above)
        return self._desks[unit]

    @cached_property
    def _parted(self) -> Mapping[Scope, Mapping[tuple[Measure, str], int]]:
        """Partitions add up to totals as well as to those above. So what units show is all that is shown:
        above them its sum, and of officers nothing. What was not counted from the beginning does not add up,
        and is not shown before the figures are made again."""
        found: dict[Scope, Counter[tuple[Measure, str]]] = defaultdict(Counter)
        for unit, counts in self.units.items():
            scope, group = Scope(Level.UNIT, unit), Scope(Level.GROUP, self._groups[unit])
            if scope in self._above.shown:
                parts = parts_shown(counts, self._below)
                for above in (scope, group, CITY):
                    found[above].update(parts)
        return found

    def source(self, unit: str) -> Scope:
        """Whose days are the unit's."""
        return Scope(Level.OFFICER, self.alone[unit]) if unit in self.alone else Scope(Level.UNIT, unit)

    def days(self, unit: str, tallied: Mapping[Scope, Mapping[date, Tallied]]) -> dict[date, Published]:
        """The unit's days, of which only some may be shown: none of an officer, whose batches end within
        days, so that a batch taken from a day would be a rating or two. Days add up to weekdays, and those
        to all ratings."""
        source = self.source(unit)
        its = tallied.get(source, {})
        known = self._days.get(unit)
        if known is None or known[0] is not its:
            known = self._days[unit] = its, self._days_of(unit, source, its)
        return known[1]

    def _days_of(self, unit: str, source: Scope, its: Mapping[date, Tallied]) -> dict[date, Published]:
        days = {day: self._visible(source, counts) for day, counts in its.items()}
        totals = {day: total(days[day]) for day in sorted(days) if total(days[day])}
        public: set[date] = set()
        if unit not in self.alone and Scope(Level.UNIT, unit) in self._above.shown:
            by_weekday: dict[str, dict[date, int]] = defaultdict(dict)
            for day, count in totals.items():
                by_weekday[weekday(day)][day] = count
            weekdays = {each: sum(its.values()) for each, its in by_weekday.items()}
            for each in weekdays.keys() - hidden(weekdays, self._below):
                public |= by_weekday[each].keys() - hidden(by_weekday[each], self._below)
        return {day: Published(days[day]) if day in public else TOO_FEW for day in totals}

    def as_of(
        self,
        unit: str,
        day: date,
        accepted: Mapping[Cell, Mapping[str, int]],
        tallied: Mapping[Scope, Mapping[date, Tallied]],
    ) -> Published:
        """Answers of the unit as they stood at the end of the day, or of the last one before it that can be
        looked back to."""
        totals = {cell: sum(answers.values()) for cell, answers in accepted.items()}
        counted = self._counted(unit, accepted)
        last = None
        if counted and unit not in self.alone and Scope(Level.UNIT, unit) in self._above.shown:
            secret = self._hidden_days(unit, tallied)
            last = max((cut for cut in cuts(totals, secret, self._below) if cut <= day), default=None)
        found: Counter[tuple[Measure, str]] = Counter()
        more = not counted
        for (_, came, went), answers in accepted.items():
            stood = last is not None and came <= last < went
            if stood:
                found.update({(Measure.ANSWER, answer): n for answer, n in answers.items()})
            more = more or stood is not (came <= day < went)
        return Published(
            found, suppressed=more and not found, partial=more, left_out=frozenset(ITEMS if found else ())
        )

    def days_as_of(
        self,
        unit: str,
        day: date,
        accepted: Mapping[Cell, Mapping[str, int]],
        tallied: Mapping[Scope, Mapping[date, Tallied]],
    ) -> dict[date, Published]:
        """The unit's days as they stood at the end of `day`. Where small figures are hidden, only those that
        nothing has changed since, which say what is public anyway: a change is of few nearly always."""
        every = self.days(unit, tallied)
        known = self._counted(unit, accepted)
        moved = {submitted for submitted, came, went in accepted if came > day or day < went < ALL_DAYS}
        stood: dict[date, Counter[tuple[Measure, str]]] = defaultdict(Counter)
        for (submitted, came, went), answers in accepted.items():
            if came <= day < went:
                stood[submitted].update({(Measure.ANSWER, answer): n for answer, n in answers.items()})
        if not known:
            return {each: TOO_FEW for each in every if each <= day}
        if self._below == 1 and unit not in self.alone:
            return {each: Published(counts) for each, counts in stood.items()}
        return {each: TOO_FEW if each in moved else every.get(each, TOO_FEW) for each in stood}

    def _counted(self, unit: str, accepted: Mapping[Cell, Mapping[str, int]]) -> bool:
        """Whether all that counts today is among them; else a rebuild has to fold the rest."""
        today = sum(sum(its.values()) for (*_, went), its in accepted.items() if went == ALL_DAYS)
        return today == total(self.units.get(unit, {}))

    def _hidden_days(self, unit: str, tallied: Mapping[Scope, Mapping[date, Tallied]]) -> dict[date, str]:
        """Of a unit of several officers, with the public sum each day is in: its weekday's, or where that is
        hidden too, that of all such."""
        live = tallied.get(Scope(Level.UNIT, unit), {})
        weekdays: Counter[str] = Counter()
        for day, counts in sorted(live.items()):
            weekdays[weekday(day)] += total(counts.live)
        secret = hidden(weekdays, self._below)
        return {
            day: "hidden" if weekday(day) in secret else weekday(day)
            for day, published in self.days(unit, tallied).items()
            if published.suppressed
        }

    def _visible(self, scope: Scope, tallied: Tallied) -> Counts:
        at_once = scope.level is not Level.OFFICER or self._at_once or scope.id in self.by_time
        return tallied.live if at_once else tallied.released


def _tree(stored: Stored, units: Mapping[str, Counts], below: int) -> Tree:
    """Units, and above them groups and the city as sums of their units'."""
    counts: dict[Scope, Counts] = {}
    sums: dict[Scope, Counter[tuple[Measure, str]]] = defaultdict(Counter)
    children: dict[Scope, list[Scope]] = defaultdict(list)
    for unit, its in units.items():
        scope, group = Scope(Level.UNIT, unit), Scope(Level.GROUP, stored.units[unit])
        counts[scope] = its
        if group not in sums:
            children[CITY].append(group)
        children[group].append(scope)
        sums[group].update(its)
        sums[CITY].update(its)
    above = {scope: Cells(its) for scope, its in sums.items()}
    return Tree(CITY, children, {CITY: NONE, **counts, **above}, below)


def together(parts: Iterable[Published]) -> Published:
    """The sum of what is public of several."""
    every: Sequence[Published] = list(parts)
    if len(every) == 1:
        return every[0]
    counts: Counter[tuple[Measure, str]] = Counter()
    for each in every:
        counts.update(each.counts)
    hidden = [each for each in every if each.partial]
    return Published(
        counts,
        suppressed=bool(hidden) and not total(counts),
        partial=bool(hidden),
        left_out=frozenset(measure for each in every for measure in each.left_out),
    )
