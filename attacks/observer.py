"""Who reads all that is public after every rating, and knows who was rated when.

On that it runs this very code with an answer of its own for each rating, and so learns of which ratings each
figure is the sum: figures are chosen by how many ratings there are, never by how they were answered. What is
left are equations. The live stream and the HTTP API say nothing else.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

import asyncpg

from attacks.cells import cells
from attacks.equations import Equations
from attacks.watched_city import EDITIONS, FIRST_DAY, OFFICERS, REASONS, TAG, Rating
from contracts.city_time import CITY_TIME, city_day
from contracts.events import Publication, Text
from services.aggregation.adapters.ledger import PostgresLedger
from services.aggregation.adapters.reading import PostgresReading
from services.aggregation.documents import Figures, Period
from services.aggregation.domain import CITY, Level, Measure, Read, Scope
from services.aggregation.edition import Published

FEW = Publication().suppress_below
"""Nobody should see a cell of fewer, whatever an edition's policy says."""


@dataclass(slots=True)
class Sums:
    """Equations of answers and of each reason, from the figures of some scopes."""

    answers: Equations = field(default_factory=Equations)
    reasons: dict[str, Equations] = field(default_factory=lambda: defaultdict(Equations))

    def known(self) -> tuple[set[int], set[int]]:
        """The ratings whose answer is certain: by subtracting, and because all of a sum gave the same. Who
        has a reason was not satisfied."""
        solved, forced = set(self.answers.solved()), set(self.answers.forced())
        for each in self.reasons.values():
            solved |= {number for number, had in each.solved().items() if had}
            forced |= {number for number, had in each.forced().items() if had}
        return solved, (forced | solved) - solved


class Observer:
    """Takes in ratings one at a time and reads all there is after each."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._ledger = PostgresLedger(pool)
        self._reading = PostgresReading(pool, Text(vi="Thành phố", en="The city"), lambda: self._now)
        self._now = FIRST_DAY
        self._offset = 0
        self.ratings: dict[int, Rating] = {}
        self.of_officers, self.of_all = Sums(), Sums()
        self._moves: dict[Scope, object] = {}
        self.figures, self.tied, self.few = 0, 0, 0
        units = [Scope(Level.UNIT, unit) for unit in OFFICERS]
        groups = [Scope(Level.GROUP, group) for group in sorted({unit[0] for unit in OFFICERS})]
        self._above = [CITY, *groups, *units]
        self._officers = [
            Scope(Level.OFFICER, f"{unit}.{n}") for unit, count in OFFICERS.items() for n in range(count)
        ]

    async def take(self, rating: Rating) -> None:
        for night in self._nights(rating.at):
            await self._look(night)
        self.ratings[rating.number] = rating
        await self._ledger.count({0: [Read(self._offset, self._offset, rating.outcome())]})
        self._offset += 1
        moved = await self._look(rating.at)
        its = Scope(Level.UNIT, rating.unit)
        officers = moved & set(self._officers)
        several = OFFICERS[rating.unit] > 1
        self.tied += rating.accepted and several and its in moved and len(officers) == 1

    async def rest(self) -> None:
        """The morning after."""
        await self._look(self._now + timedelta(days=2))

    def _nights(self, until: datetime) -> Iterator[datetime]:
        """Just before and just after the hour of each morning that lies between."""
        if city_day(until) > city_day(self._now):
            morning = datetime.combine(city_day(until), time(7), CITY_TIME)
            yield from (morning - timedelta(seconds=1), morning)

    async def _look(self, now: datetime) -> set[Scope]:
        """Returns whose figures moved."""
        self._now, today = now, city_day(now)
        moved = set()
        found: dict[tuple[Scope, str | None], Published] = {}
        for edition in (None, *EDITIONS):
            snapshot = await self._reading.figures([*self._above, *self._officers], Period(edition))
            for figures in snapshot.figures:
                found[figures.scope, edition] = figures.published
                self._note(figures.scope, figures.published, edition)
                if edition is None and self._moved(figures):
                    moved.add(figures.scope)
        for period in (Period(None, today), Period(None, None, today - timedelta(days=1))):
            snapshot = await self._reading.figures([*self._above, *self._officers], period)
            for figures in snapshot.figures:
                self._note(figures.scope, figures.published, None)
        for scope in self._above:
            for edition in EDITIONS:
                days = await self._reading.days(scope, edition)
                for published in days.values():
                    self._note(scope, published, None)
                self._note_cells(scope, found[scope, edition], days)
        for officer in self._officers:
            for edition in EDITIONS:
                self._note_cells(officer, found[officer, edition], {})
        return moved

    def _note_cells(self, scope: Scope, shown: Published, days: Mapping[date, Published]) -> None:
        self.few += sum(0 < count < FEW for count in cells(scope.level, shown, days))

    def _moved(self, figures: Figures) -> bool:
        """Whether anything of a scope's figures did: counts, revision or time."""
        before = self._moves.get(figures.scope)
        self._moves[figures.scope] = (figures.mark, figures.published)
        return before != self._moves[figures.scope] and figures.mark.updated_at is not None

    def _note(self, scope: Scope, published: Published, edition: str | None) -> None:
        self.figures += 1
        counts = published.counts
        members = {
            int(item.removeprefix(TAG))
            for (measure, item), count in counts.items()
            if measure is Measure.ANSWER and count
        }
        if not members:
            return
        said = [self.ratings[number] for number in members]
        reasons = [] if edition is None else self._shown_reasons(published)
        for sums in (self.of_all, self.of_officers)[: 1 + (scope.level is Level.OFFICER)]:
            sums.answers.add(members, sum(rating.satisfied for rating in said))
            for reason in reasons:
                sums.reasons[reason].add(members, counts.get((Measure.REASON, reason), 0))

    def _shown_reasons(self, published: Published) -> list[str]:
        """Those of which the number is public: where none is left out, what is not listed is nothing."""
        if Measure.REASON not in published.left_out:
            return list(REASONS)
        return [reason for reason in REASONS if (Measure.REASON, reason) in published.counts]
