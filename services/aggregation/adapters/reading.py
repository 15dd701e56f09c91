"""Figures out of PostgreSQL, for the query API and the live stream. Tables are found by the
search_path.

What is read here is everything; `publication` says what of it is shown.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from copy import copy
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import asyncpg

from chassis import postgres
from contracts.city_time import city_day
from contracts.events import Text
from services.aggregation.adapters.city import Cities, City, Version, version_of
from services.aggregation.adapters.mergers import mergers
from services.aggregation.adapters.scales import counted
from services.aggregation.documents import Figures, Merger, Period, Snapshot
from services.aggregation.domain import ALL_DAYS, CITY, Level, Scope
from services.aggregation.edition import Published
from services.aggregation.looking_back import Cell
from services.aggregation.publication import UnitDay, View
from services.aggregation.scales import Answered
from services.aggregation.stored import Accepted

_NAMES = """
SELECT s.level, s.id, n.id IS NOT NULL OR c.id IS NOT NULL AS known, n.name,
       coalesce(n.parent_id, c.parent_id) AS parent_id, p.name AS parent_name
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS s (level, id, place)
LEFT JOIN scope AS c ON c.level = s.level AND c.id = s.id
LEFT JOIN name AS n ON n.level = s.level AND n.id = s.id
LEFT JOIN name AS p ON p.id = coalesce(n.parent_id, c.parent_id)
    AND p.level = CASE s.level WHEN 'officer' THEN 'unit' WHEN 'unit' THEN 'group' END
ORDER BY s.place
"""
# What the directory has; and what it has no more, where it was first rated.
_CHILDREN = """
SELECT id, position FROM name WHERE level = $1 AND parent_id = $2
UNION ALL
SELECT id, NULL FROM scope AS c WHERE level = $1 AND parent_id = $2
    AND NOT EXISTS (SELECT FROM name AS n WHERE n.level = c.level AND n.id = c.id)
ORDER BY position NULLS LAST, id
"""
_ACCEPTED = """
SELECT edition_id, unit_id, day, accepted_day, withdrawn_day, answer, count FROM acceptance
WHERE unit_id = ANY ($1::text[]) AND count > 0
"""
_EARLIEST, _LATEST = date(1, 1, 2), ALL_DAYS - timedelta(days=1)


class _Moment(NamedTuple):
    """A transaction, all of whose statements see the same, and the city as it sees it."""

    connection: "asyncpg.pool.PoolConnectionProxy"
    city: City


class PostgresReading:
    """What the public may see; with `everything`, all there is."""

    def __init__(
        self, pool: asyncpg.Pool, city_name: Text, now: Callable[[], datetime], *, everything: bool = False
    ) -> None:
        self._pool = pool
        self._city_name = city_name
        self.now = now
        self._cities = Cities(everything=everything)
        self._held: _Moment | None = None

    def outage(self, error: BaseException) -> bool:
        return postgres.is_outage(error)

    async def version(self) -> Version:
        """As long as it stays the same, all that is read does."""
        if self._held is not None:
            return self._held.city.version
        return await version_of(self._pool, self.now())

    async def figures(self, scopes: Sequence[Scope], period: Period) -> Snapshot:
        """The figures of the scopes, in their order."""
        async with self._moment() as (connection, city):
            await city.take_officers(connection, scopes)
            merged = await self._mergers(connection, city, scopes)
            names = await _names(connection, city, scopes)
            view = city.view.joined(_predecessors(merged)) if period.predecessors else city.view
            found = await _published(connection, city, view, scopes, period)
        return Snapshot(
            city.version.revision,
            [self._figures(names[scope], view, found[scope], merged) for scope in scopes],
        )

    async def days(
        self, scope: Scope, edition: str | None, *, predecessors: bool = False, as_of: date | None = None
    ) -> dict[date, Published]:
        """Each day that has ratings."""
        async with self._moment() as (connection, city):
            view = city.view
            if predecessors:
                view = view.joined(_predecessors(await self._mergers(connection, city, [scope])))
            tallied = await city.days(connection, view.day_scopes(scope))
            if as_of is None:
                return view.days(scope, edition, tallied)
            accepted = await _accepted(connection, view.units_in(scope))
            return view.days_as_of(scope, edition, as_of, accepted, tallied)

    async def children(self, scope: Scope) -> list[Scope]:
        level = scope.level.children
        if level is None:
            return []
        async with self._moment() as (connection, _):
            rows = await connection.fetch(_CHILDREN, level, scope.id)
        return [Scope(level, row["id"]) for row in rows]

    async def scales(self, unit: str, edition: str | None) -> list[Answered]:
        """Answers to what editions ask further."""
        async with self._moment() as (connection, city):
            return city.view.scales(unit, edition, await counted(connection, unit, edition))

    async def unit_days(self) -> list[UnitDay]:
        """What is public of each day of each unit."""
        async with self._moment() as (connection, city):
            return list(city.view.unit_days(await city.days(connection, city.view.day_scopes(CITY))))

    @asynccontextmanager
    async def at_one_moment(self) -> AsyncIterator["PostgresReading"]:
        """All that is read through it is of one moment, its `now`."""
        now = self.now()
        async with self._moment(now) as moment:
            found = copy(self)
            found.now, found._held = lambda: now, moment
            yield found

    @asynccontextmanager
    async def _moment(self, now: datetime | None = None) -> AsyncIterator[_Moment]:
        if self._held is not None:
            yield self._held
            return
        async with self._pool.acquire() as connection, _one_moment(connection):
            yield _Moment(connection, await self._cities.at(connection, now or self.now()))

    async def _mergers(
        self, connection: "asyncpg.pool.PoolConnectionProxy", city: City, scopes: Sequence[Scope]
    ) -> Mapping[str, Merger]:
        units = {scope.id for scope in scopes if scope.level is Level.UNIT}
        missing = units - city.mergers.keys()
        if missing:
            city.mergers |= await mergers(connection, sorted(missing), city_day(city.version.hour))
        return {unit: city.mergers[unit] for unit in units if unit in city.mergers}

    def _figures(
        self, row: asyncpg.Record, view: View, published: Published, merged: Mapping[str, Merger]
    ) -> Figures:
        scope = Scope(Level(row["level"]), row["id"])
        parent = None if scope.level.parent is None else _parent(scope.level.parent, row["parent_id"])
        return Figures(
            scope=scope,
            known=row["known"] or scope == CITY,
            name=self._city_name if scope == CITY else _text(row["name"]),
            parent=parent,
            parent_name=self._city_name if parent == CITY else _text(row["parent_name"]),
            mark=view.mark(scope),
            decided=view.decided(scope).revision,
            morning=view.morning(),
            published=published,
            merger=merged.get(scope.id, Merger()) if scope.level is Level.UNIT else Merger(),
            full=view.everything,
        )


async def _names(
    connection: "asyncpg.pool.PoolConnectionProxy", city: City, scopes: Sequence[Scope]
) -> Mapping[Scope, asyncpg.Record]:
    """What nobody knows is not kept: anybody may ask for it."""
    missing = [scope for scope in scopes if scope not in city.names]
    rows = await connection.fetch(_NAMES, *_columns(missing)) if missing else []
    found = dict(zip(missing, rows, strict=True))
    city.names |= {scope: row for scope, row in found.items() if row["known"]}
    return {**{scope: city.names[scope] for scope in scopes if scope in city.names}, **found}


async def _published(
    connection: "asyncpg.pool.PoolConnectionProxy",
    city: City,
    view: View,
    scopes: Sequence[Scope],
    period: Period,
) -> dict[Scope, Published]:
    if (period.as_of, period.first, period.last) == (None, None, None):
        return {scope: view.of(scope, period.edition) for scope in scopes}
    by_day = await city.days(connection, {each for scope in scopes for each in view.day_scopes(scope)})
    if period.as_of is not None:
        units = sorted({unit for scope in scopes for unit in view.units_in(scope)})
        accepted = await _accepted(connection, units)
        return {scope: view.as_of(scope, period.edition, period.as_of, accepted, by_day) for scope in scopes}
    first, last = period.first or _EARLIEST, period.last or _LATEST
    return {scope: view.between(scope, period.edition, first, last, by_day) for scope in scopes}


def _one_moment(connection: "asyncpg.pool.PoolConnectionProxy") -> AbstractAsyncContextManager[Any]:
    """All statements see the same: figures of one moment, and the newest revision in them."""
    return connection.transaction(isolation="repeatable_read", readonly=True)


async def _accepted(connection: "asyncpg.pool.PoolConnectionProxy", units: Sequence[str]) -> Accepted:
    found: dict[str, dict[str, dict[Cell, dict[str, int]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(dict))
    )
    for row in await connection.fetch(_ACCEPTED, units):
        cells = found[row["edition_id"]][row["unit_id"]]
        cells[row["day"], row["accepted_day"], row["withdrawn_day"]][row["answer"]] = row["count"]
    return found


def _predecessors(merged: Mapping[str, Merger]) -> dict[str, list[str]]:
    return {unit: [each.id for each in merger.predecessors] for unit, merger in merged.items()}


def _columns(scopes: Sequence[Scope]) -> tuple[list[str], list[str]]:
    return [scope.level for scope in scopes], [scope.id for scope in scopes]


def _parent(level: Level, parent_id: str | None) -> Scope | None:
    return None if parent_id is None else Scope(level, parent_id)


def _text(value: Any) -> Text | None:
    return None if value is None else Text.model_validate_json(value)
