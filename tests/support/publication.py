"""Figures kept in memory as the ledger keeps them in PostgreSQL, and what the public sees of them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from contracts.events import Outcome, Publication
from services.aggregation.domain import (
    ALL_DAYS,
    ALL_EDITIONS,
    Level,
    Measure,
    Scope,
    Tally,
    fold,
    officers_fold,
    parents,
)
from services.aggregation.publication import View
from services.aggregation.releasing import Officer, Standing, moves
from services.aggregation.stored import ByDay, Counts, Mark, Stored, Tallied

LONG_AGO = datetime(1990, 1, 1, tzinfo=UTC)
_Cells = dict[tuple[Scope, str, date], dict[tuple[Measure, str], int]]


@dataclass
class Book:
    policy: Publication = field(default_factory=Publication)
    count: Counter[Tally] = field(default_factory=Counter)
    released: Counter[Tally] = field(default_factory=Counter)
    standings: dict[Officer, Standing] = field(default_factory=lambda: defaultdict(Standing))
    above: dict[Scope, str | None] = field(default_factory=dict)
    marks: dict[Scope, Mark] = field(default_factory=dict)
    revision: int = 0
    _index: tuple[int, Mapping[tuple[Scope, str, date], Tallied]] = field(default_factory=lambda: (-1, {}))

    def add(self, outcomes: Sequence[Outcome]) -> "Book":
        """One batch, as `PostgresLedger.count` counts it."""
        self.revision += 1
        batches: Mapping[str, int] = defaultdict(lambda: self.policy.officer_batch)
        due = moves(outcomes, self.standings, batches)
        for officer, since in due.earlier.items():
            for tally, count in self.count.items():
                theirs = tally.scope == Scope(Level.OFFICER, officer.officer_id)
                if theirs and tally.edition_id == officer.edition_id and tally.day >= since:
                    self.released[tally] = count
        self.count.update(fold(outcomes))  # adding would drop what adds up to nothing
        self.released.update(officers_fold(due.released))
        self.standings.update(due.standings)
        for scope, parent in parents(outcomes).items():
            self.above.setdefault(scope, parent)
            if scope.level is not Level.OFFICER or scope.id in due.moved:
                self.marks[scope] = Mark(self.revision, LONG_AGO)
        return self

    def view(
        self,
        now: datetime = LONG_AGO,
        *,
        everything: bool = False,
        merged: Mapping[str, Sequence[str]] | None = None,
    ) -> View:
        editions = {tally.edition_id for tally in self.count} - {ALL_EDITIONS}
        standings: dict[str, dict[str, Standing]] = defaultdict(dict)
        for officer, standing in self.standings.items():
            standings[officer.edition_id][officer.officer_id] = standing
        return View(
            Stored(
                self.revision,
                self._above(Level.UNIT),
                self._above(Level.OFFICER),
                self.marks,
                dict.fromkeys(editions, self.policy),
                {edition: self._units(edition) for edition in editions},
                {edition: self._officers(edition) for edition in editions},
                standings,
            ),
            now,
            everything=everything,
            merged=merged,
        )

    def by_day(self) -> ByDay:
        found: dict[str, dict[Scope, dict[date, Tallied]]] = defaultdict(lambda: defaultdict(dict))
        for tally in self.count:
            if tally.edition_id != ALL_EDITIONS and tally.day != ALL_DAYS:
                found[tally.edition_id][tally.scope][tally.day] = self.tallied(
                    tally.scope, tally.edition_id, tally.day
                )
        return found

    def scopes(self, level: Level) -> list[Scope]:
        return [scope for scope in self.above if scope.level is level]

    def _above(self, level: Level) -> dict[str, str]:
        return {scope.id: str(parent) for scope, parent in self.above.items() if scope.level is level}

    def _units(self, edition: str) -> dict[str, Counts]:
        found = {unit.id: self.tallied(unit, edition).live for unit in self.scopes(Level.UNIT)}
        return {unit: counts for unit, counts in found.items() if counts}

    def _officers(self, edition: str) -> dict[str, Tallied]:
        found = {scope.id: self.tallied(scope, edition) for scope in self.scopes(Level.OFFICER)}
        return {officer: tallied for officer, tallied in found.items() if tallied.live}

    def tallied(self, scope: Scope, edition: str, day: date = ALL_DAYS) -> Tallied:
        return self._indexed.get((scope, edition, day), Tallied())

    @property
    def _indexed(self) -> Mapping[tuple[Scope, str, date], Tallied]:
        if self._index[0] != self.revision:
            live: _Cells = defaultdict(dict)
            released: _Cells = defaultdict(dict)
            for tally, count in self.count.items():
                key = (tally.scope, tally.edition_id, tally.day)
                live[key][tally.measure, tally.item] = count
                released[key][tally.measure, tally.item] = self.released[tally]
            self._index = self.revision, {key: Tallied(live[key], released[key]) for key in live}
        return self._index[1]


def booked(batches: Iterable[Sequence[Outcome]], policy: Publication | None = None) -> Book:
    book = Book(policy or Publication())
    for batch in batches:
        book.add(batch)
    return book
