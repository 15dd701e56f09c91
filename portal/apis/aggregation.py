"""Aggregation's public API: the figures. What it may not give yet is None here."""

import asyncio
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Literal, TypeVar
from urllib.parse import quote, urlencode

from pydantic import AwareDatetime, Field

from portal.apis.http import Api, Refused
from portal.apis.intake import Document, Localised

Level = Literal["city", "group", "unit", "officer"]
PATHS: dict[Level, str] = {"city": "city", "group": "groups", "unit": "units", "officer": "officers"}
STALE_SECONDS = 24 * 3600.0
MOST_DAYS = 400
D = TypeVar("D", bound=Document)


class Named(Document):
    id: str
    name: Localised | None = None


class Place(Document):
    level: Level
    id: str | None = None
    name: Localised | None = None


class ScopePlace(Place):
    """`merged_into`: who took over on `closed_on`; `predecessors`: the units that merged into this one."""

    parent: Place | None = None
    closed_on: date | None = None
    merged_into: Named | None = None
    predecessors: list[Named] = Field(default_factory=list)


class Interval(Document):
    low: float
    high: float


class Count(Document):
    id: str
    count: int


class Share(Document):
    """`suppressed`: there are ratings, too few to show, and all figures are None; `partial`: some are left
    out."""

    suppressed: bool = False
    partial: bool = False
    total: int | None
    satisfied: int | None
    not_satisfied: int | None
    rate: float | None
    interval: Interval | None


class Rejection(Document):
    reason: str
    count: int


class Funnel(Document):
    """Of the ratings that were sent, how many count. Not `complete`: some are left out."""

    decided: int | None
    accepted: int | None
    rejected: int | None
    complete: bool


class Response(Document):
    """How many of a year's files were rated, and how many had to be."""

    year: int
    files: int
    ratings: int | None
    rate: float | None
    required: int
    reached: bool | None


class Rank(Document):
    """The places among its siblings that 95% intervals allow."""

    best: int
    worst: int
    of: int

    @property
    def says_something(self) -> bool:
        return (self.best, self.worst) != (1, self.of)


class Figures(Share):
    scope: ScopePlace
    reasons: list[Count] = Field(default_factory=list)  # not given for children
    channels: list[Count] = Field(default_factory=list)
    hours: list[Count] | None = None
    weekdays: list[Count] | None = None
    assurances: list[Count] | None = None
    rejected: list[Rejection] = Field(default_factory=list)
    funnel: Funnel | None = None
    response: Response | None = None
    rank: Rank | None = None
    left_out: list[str] = Field(default_factory=list)  # lists of which items of too few are missing
    updated_at: AwareDatetime | None = None
    revision: int = 0


class Day(Share):
    day: date


class History(Document):
    days: list[Day]


class Children(Document):
    children: list[Figures]


class Stretch(Share):
    """Of the days from `first` to `last`."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")


class Change(Document):
    now: Stretch
    before: Stretch
    difference: float | None
    interval: Interval | None
    more_than_noise: bool | None


class AnsweredChoice(Document):
    id: str
    text: Localised
    count: int
    share: float | None


class AnsweredQuestion(Document):
    """`suppressed`: of too few, and all figures are None; `mean`: of points, where they are summed."""

    id: str
    text: Localised
    suppressed: bool
    answered: int | None
    mean: float | None
    most: int
    choices: list[AnsweredChoice]


class Points(Document):
    sum: float
    most: int


class AnsweredScale(Document):
    """How the further questions of an edition were answered."""

    edition: str
    id: str
    title: Localised
    kind: Literal["points", "levels"]
    questions: list[AnsweredQuestion]
    points: Points | None

    @property
    def says_something(self) -> bool:
        return any(question.answered for question in self.questions)


class Scales(Document):
    scales: list[AnsweredScale]


class Aggregation:
    """Every method raises Refused or Unavailable (see Api). `asked`: what a query asks for."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def figures(self, level: Level, place: str, asked: Mapping[str, str]) -> tuple[Figures, bool]:
        """The figures, and whether they are an old copy."""
        copy = await self._api.get(_path(level, place), params=asked, stale=STALE_SECONDS)
        return Figures.model_validate(copy.document), copy.stale

    async def history(
        self,
        level: Level,
        place: str,
        asked: Mapping[str, str],
        span: tuple[date, date] | None,
        fresh: float = 0.0,
    ) -> list[Day]:
        """The days of `span`, in as many calls as it takes; of None, those that the API chooses."""
        parts = [asked] if span is None else [{**asked, **part} for part in _slices(*span)]
        path = _path(level, place) + "/history"
        documents = await asyncio.gather(*(self._read(path, part, History, fresh) for part in parts))
        return [day for document in documents for day in document.days]

    async def children(self, level: Level, place: str, asked: Mapping[str, str]) -> list[Figures]:
        return (await self._read(_path(level, place) + "/children", asked, Children)).children

    async def change(self, level: Level, place: str, asked: Mapping[str, str]) -> Change | None:
        """Against the days before; None where the API does not say."""
        try:
            return await self._read(_path(level, place) + "/change", asked, Change)
        except Refused:
            return None

    async def scales(self, unit: str, edition: str | None) -> list[AnsweredScale]:
        asked = {"edition": edition} if edition else {}
        return (await self._read(_path("unit", unit) + "/scales", asked, Scales)).scales

    async def _read(self, path: str, asked: Mapping[str, str], model: type[D], fresh: float = 0.0) -> D:
        copy = await self._api.get(path, params=asked, fresh=fresh, stale=STALE_SECONDS)
        return model.model_validate(copy.document)


def _slices(first: date, last: date) -> list[dict[str, str]]:
    found = []
    while first <= last:
        end = min(last, first + timedelta(days=MOST_DAYS - 1))
        found.append({"from": first.isoformat(), "to": end.isoformat()})
        first = end + timedelta(days=1)
    return found


def _path(level: Level, place: str) -> str:
    return f"/v1/{place_path(level, place)}"


def place_path(level: Level, place: str) -> str:
    """Where a place's figures are, below what says whether they are the public ones."""
    below = "" if level == "city" else f"/{quote(place, safe='')}"
    return f"satisfaction/{PATHS[level]}{below}"


def report(level: Level, place: str, kind: str, asked: Mapping[str, str], language: str) -> str:
    """The address, below the API's, of a report of the kind csv, xlsx or pdf."""
    return f"{_path(level, place)}/report.{kind}?{urlencode({**asked, 'lang': language})}"
