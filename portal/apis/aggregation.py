"""Aggregation's public API: the figures."""

from datetime import date
from typing import Literal, TypeVar
from urllib.parse import quote

from pydantic import AwareDatetime, Field

from portal.apis.http import Api
from portal.apis.intake import Document, Localised

Level = Literal["city", "group", "unit", "officer"]
PATHS: dict[Level, str] = {"city": "city", "group": "groups", "unit": "units", "officer": "officers"}
STALE_SECONDS = 24 * 3600.0
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


class Figures(Share):
    scope: ScopePlace
    reasons: list[Count] = Field(default_factory=list)  # not given for children
    channels: list[Count] = Field(default_factory=list)
    left_out: list[str] = Field(default_factory=list)  # lists of which items of too few are missing
    updated_at: AwareDatetime | None = None
    revision: int = 0


class Day(Share):
    day: date


class History(Document):
    days: list[Day]


class Children(Document):
    children: list[Figures]


class Aggregation:
    """Every method raises Refused or Unavailable (see Api); with each document, whether it is an old copy."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def figures(self, level: Level, place: str, *, predecessors: bool = False) -> tuple[Figures, bool]:
        return await self._read(_path(level, place), Figures, predecessors=predecessors)

    async def history(self, level: Level, place: str, *, predecessors: bool = False) -> tuple[History, bool]:
        return await self._read(_path(level, place) + "/history", History, predecessors=predecessors)

    async def children(self, level: Level, place: str) -> tuple[Children, bool]:
        return await self._read(_path(level, place) + "/children", Children)

    async def _read(self, path: str, model: type[D], *, predecessors: bool = False) -> tuple[D, bool]:
        """`predecessors`: with what merged into the unit."""
        params = {"with": "predecessors"} if predecessors else None
        copy = await self._api.get(path, params=params, stale=STALE_SECONDS)
        return model.model_validate(copy.document), copy.stale


def _path(level: Level, place: str) -> str:
    below = "" if level == "city" else f"/{quote(place, safe='')}"
    return f"/v1/satisfaction/{PATHS[level]}{below}"
