"""What a dashboard is of: a place, days and an edition; and everything that the APIs tell of it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from portal.apis.aggregation import MOST_DAYS, AnsweredScale, Change, Figures, Level, Rank, Stretch
from portal.apis.http import Refused, Unavailable
from portal.apis.intake import Edition
from portal.grouping import Unit, grouped, unit_of
from portal.i18n import N_
from portal.pages.context import Context
from portal.pages.period import Period

SPARK_SECONDS = 60.0
CHILDREN: dict[Level, str] = {
    "city": N_("Các nhóm đơn vị"),
    "group": N_("Các đơn vị"),
    "unit": N_("Công chức một cửa"),
}
KINDS: dict[str, Level] = {"nhom": "group", "don-vi": "unit", "cong-chuc": "officer"}
PATHS = {level: kind for kind, level in KINDS.items()}


def is_joined(level: Level, query: Mapping[str, str]) -> bool:
    return level == "unit" and query.get("with") == "predecessors"


def path_of(level: Level, place: str | None) -> str:
    return "/ket-qua" if level == "city" else f"/ket-qua/{PATHS[level]}/{place}"


@dataclass(frozen=True, slots=True)
class Place:
    """Reads what the API tells of a place in a period. Raises Refused where nobody knows it, Unavailable."""

    site: Context
    level: Level
    id: str
    period: Period
    today: date
    joined: bool = False  # with the units that merged into it

    @property
    def path(self) -> str:
        return path_of(self.level, self.id)

    @property
    def asked(self) -> dict[str, str]:
        return self.period.asked | ({"with": "predecessors"} if self.joined else {})

    async def figures(self) -> tuple[Figures, bool]:
        return await self.site.aggregation.figures(self.level, self.id, self.asked)

    async def history(self) -> "History":
        """An officer has no days."""
        if self.level == "officer":
            return History()
        days = await self.site.aggregation.history(
            self.level, self.id, self.asked, self.period.span(self.today)
        )
        return History(len(days), unit_of(len(days)), grouped(days))

    async def children(self) -> list[Figures]:
        if self.level == "officer":
            return []
        return await self.site.aggregation.children(self.level, self.id, self.period.asked)

    async def change(self) -> Change | None:
        if self.level == "officer" or self.joined:
            return None
        try:
            return await self.site.aggregation.change(self.level, self.id, self.period.asked)
        except Unavailable:
            return None

    async def sparks(self, children: list[Figures]) -> list[list[Stretch]]:
        """The children's histories in little; they may be a minute old, and missing."""
        return await asyncio.gather(*(self._spark(child) for child in children))

    async def _spark(self, child: Figures) -> list[Stretch]:
        span = self.period.span(self.today)
        if child.scope.level == "officer" or not child.total:
            return []
        if span is not None and (span[1] - span[0]).days >= MOST_DAYS:
            return []
        try:
            days = await self.site.aggregation.history(
                child.scope.level, child.scope.id or "", self.period.asked, span, fresh=SPARK_SECONDS
            )
        except (Refused, Unavailable):
            return []
        return grouped(days)

    async def rank(self, figures: Figures) -> Rank | None:
        """The place's among its siblings."""
        above = figures.scope.parent
        if above is None or self.joined:
            return None
        try:
            siblings = await self.site.aggregation.children(above.level, above.id or "", self.period.asked)
        except (Refused, Unavailable):
            return None
        return next((each.rank for each in siblings if each.scope.id == figures.scope.id), None)

    async def scales(self) -> list[AnsweredScale]:
        """Of units alone, and of all days alone: figures are shown without them too."""
        if self.level != "unit" or self.joined or not self.period.of_all_days:
            return []
        try:
            found = await self.site.aggregation.scales(self.id, self.period.edition)
        except (Refused, Unavailable):
            return []
        return [each for each in found if each.says_something]

    async def words(self) -> "Words":
        """The figures are shown without them too."""
        try:
            edition = await self.site.intake.edition()
            if self.level == "unit":
                officers = (await self.site.intake.unit(self.id)).officers
                return Words(edition, {each.id for each in officers if each.sample})
            if self.level == "officer":
                sample = (await self.site.intake.officer(self.id)).sample
                return Words(edition, {self.id} if sample else set())
        except (Refused, Unavailable):
            return Words()
        return Words(edition)


@dataclass(frozen=True, slots=True)
class History:
    days: int = 0
    unit: Unit = "day"
    stretches: list[Stretch] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Words:
    """The edition (its reasons' texts) and who is a sample."""

    edition: Edition | None = None
    samples: set[str] = field(default_factory=set)

    @property
    def batch(self) -> int:
        return self.edition.policy.publication.officer_batch if self.edition else 1

    @property
    def reasons(self) -> dict[str, dict[str, str]]:
        return {each.id: each.text for each in self.edition.instrument.reasons} if self.edition else {}


@dataclass(frozen=True, slots=True)
class Dashboard:
    """All of it, as one page shows it."""

    figures: Figures
    stale: bool
    history: History
    children: list[Figures]
    sparks: list[list[Stretch]]
    change: Change | None
    rank: Rank | None
    scales: list[AnsweredScale]


async def load(place: Place) -> Dashboard:
    (figures, stale), history, children, change, scales = await asyncio.gather(
        place.figures(), place.history(), place.children(), place.change(), place.scales()
    )
    rank, sparks = await asyncio.gather(place.rank(figures), place.sparks(children))
    return Dashboard(figures, stale, history, children, sparks, change, rank, scales)
