"""A city whose figures are kept in memory, read as the API reads them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime

from contracts.events import Text
from services.aggregation.documents import Figures, Merger, NamedUnit, Period, Snapshot
from services.aggregation.domain import CITY, Level, Measure, Scope
from services.aggregation.edition import Published
from services.aggregation.publication import UnitDay
from services.aggregation.reports.report import Kind, Said
from services.aggregation.scales import Answered
from services.aggregation.stored import ByDay, Counts, Tallied
from tests.support.publication import LONG_AGO, Book


@dataclass
class Kept:
    """Reading and Texts. `names` are in both languages; a place without one is known by its id alone.
    `merged`: units, and what merged into them."""

    book: Book
    names: dict[str, Text] = field(default_factory=dict)
    texts: dict[tuple[Kind, str], Text] = field(default_factory=dict)
    now: datetime = LONG_AGO
    merged: Mapping[str, Sequence[str]] = field(default_factory=dict)
    away: bool = False

    async def figures(self, scopes: Sequence[Scope], period: Period) -> Snapshot:
        if self.away:
            raise ConnectionError
        return Snapshot(self.book.revision, [self._figures(scope, period) for scope in scopes])

    async def days(
        self, scope: Scope, edition: str | None, *, predecessors: bool = False, as_of: date | None = None
    ) -> dict[date, Published]:
        view = self.book.view(self.now, merged=self.merged if predecessors else None)
        days = view.days(scope, edition, self._by_day())
        return {day: published for day, published in days.items() if as_of is None or day <= as_of}

    async def children(self, scope: Scope) -> list[Scope]:
        level = scope.level.children
        return [] if level is None else [s for s in self.book.scopes(level) if self.book.above[s] == scope.id]

    async def scales(self, unit: str, edition: str | None) -> list[Answered]:
        raise AssertionError(f"{unit} {edition}: reports say nothing of them")

    async def unit_days(self) -> list[UnitDay]:
        if self.away:
            raise ConnectionError
        return list(self.book.view(self.now).unit_days(self._by_day()))

    @asynccontextmanager
    async def at_one_moment(self) -> AsyncIterator["Kept"]:
        yield self

    async def said(self, edition: str | None) -> Said:
        del edition
        return self.texts

    def outage(self, error: BaseException) -> bool:
        return isinstance(error, ConnectionError)

    def _by_day(self) -> ByDay:
        """Answers alone, as PostgreSQL is asked for."""
        return {
            edition: {
                scope: {
                    day: Tallied(_answers(tallied.live), _answers(tallied.released))
                    for day, tallied in days.items()
                }
                for scope, days in scopes.items()
            }
            for edition, scopes in self.book.by_day().items()
        }

    def _figures(self, scope: Scope, period: Period) -> Figures:
        view = self.book.view(self.now, merged=self.merged if period.predecessors else None)
        above = scope.level.parent
        published = view.of(scope, period.edition)
        if period.first is not None or period.last is not None:
            published = view.between(
                scope, period.edition, period.first or date.min, period.last or date.max, self._by_day()
            )
        past = self.merged.get(scope.id, ())
        parent = None if above is None else Scope(Level(above), self.book.above.get(scope) or "")
        return Figures(
            scope=scope,
            known=scope == CITY or scope in self.book.above,
            name=self.names.get(scope.id),
            parent=parent,
            parent_name=None if parent is None else self.names.get(parent.id),
            published=published,
            merger=Merger(predecessors=[NamedUnit(id=each, name=self.names.get(each)) for each in past]),
        )


def _answers(counts: Counts) -> Counts:
    return {key: count for key, count in counts.items() if key[0] is Measure.ANSWER}
