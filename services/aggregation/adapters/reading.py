"""Figures out of PostgreSQL, for the query API and the live stream. Tables are found by the
search_path.

What is read here is everything; `publication` says what of it is shown.
"""

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, Protocol

import asyncpg

from chassis import postgres
from contracts.city_time import city_day
from contracts.events import Publication, Text
from services.aggregation.adapters.mergers import mergers
from services.aggregation.documents import Figures, Merger, Period, Snapshot
from services.aggregation.domain import ALL_DAYS, CITY, Level, Measure, Scope
from services.aggregation.edition import Published
from services.aggregation.looking_back import Cell
from services.aggregation.publication import UnitDay, View
from services.aggregation.releasing import Standing
from services.aggregation.stored import Accepted, ByDay, Counts, Mark, Stored, Tallied, alone

_UNITS = """
SELECT c.id, c.parent_id, c.revision, c.updated_at, t.edition_id, t.counts
FROM scope AS c LEFT JOIN LATERAL (
    SELECT edition_id, json_agg(json_build_array(measure, item, count)) AS counts FROM tally
    WHERE level = 'unit' AND scope_id = c.id AND day = 'infinity' AND edition_id <> '*' GROUP BY edition_id
) AS t ON true WHERE c.level = 'unit'
"""
_STANDINGS = """
SELECT s.officer_id, s.edition_id, s.accepted, s.pending, s.since, s.last, c.parent_id, c.revision,
c.updated_at FROM standing AS s JOIN scope AS c ON c.level = 'officer' AND c.id = s.officer_id
"""
_OFFICERS = """
SELECT scope_id, edition_id, json_agg(json_build_array(measure, item, count, released)) AS counts FROM tally
WHERE level = 'officer' AND scope_id = ANY ($1::text[]) AND day = 'infinity' AND edition_id <> '*'
GROUP BY scope_id, edition_id
"""
_POLICIES = "SELECT edition_id, officer_batch, officer_hour, suppress_below FROM publication"
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
_DAYS = """
SELECT t.level, t.scope_id, t.edition_id, t.day, t.item, t.count, t.released
FROM unnest($1::text[], $2::text[]) AS s (level, id)
JOIN tally AS t ON t.level = s.level AND t.scope_id = s.id AND t.day < 'infinity' AND t.measure = 'answer'
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


class Connections(Protocol):
    """A pool, or what stands for one."""

    def acquire(self) -> AbstractAsyncContextManager["asyncpg.pool.PoolConnectionProxy"]: ...


class _Held(NamedTuple):
    connection: "asyncpg.pool.PoolConnectionProxy"

    def acquire(self) -> AbstractAsyncContextManager["asyncpg.pool.PoolConnectionProxy"]:
        return nullcontext(self.connection)


class PostgresReading:
    """What the public may see; with `everything`, all there is."""

    def __init__(
        self, pool: Connections, city_name: Text, now: Callable[[], datetime], *, everything: bool = False
    ) -> None:
        self._pool = pool
        self._everything = everything
        self._city_name = city_name
        self._now = now

    def outage(self, error: BaseException) -> bool:
        return postgres.is_outage(error)

    async def figures(self, scopes: Sequence[Scope], period: Period) -> Snapshot:
        """The figures of the scopes, in their order."""
        async with self._pool.acquire() as connection, _one_moment(connection):
            units = [scope.id for scope in scopes if scope.level is Level.UNIT]
            merged = await mergers(connection, units, city_day(self._now())) if units else {}
            stored = await _stored(connection, scopes)
            view = self._view(stored, _predecessors(merged) if period.predecessors else None)
            names = await connection.fetch(_NAMES, *_columns(scopes))
            found = await self._published(connection, view, scopes, period)
        return Snapshot(
            view.stored.revision,
            [self._figures(row, view, found[Scope(Level(row["level"]), row["id"])], merged) for row in names],
        )

    async def days(
        self, scope: Scope, edition: str | None, *, predecessors: bool = False, as_of: date | None = None
    ) -> dict[date, Published]:
        """Each day that has ratings."""
        async with self._pool.acquire() as connection, _one_moment(connection):
            today = city_day(self._now())
            merged = await mergers(connection, [scope.id], today) if predecessors else {}
            view = self._view(await _stored(connection, [scope]), _predecessors(merged))
            tallied = await _days(connection, view.day_scopes(scope))
            if as_of is None:
                return view.days(scope, edition, tallied)
            accepted = await _accepted(connection, view.units_in(scope))
            return view.days_as_of(scope, edition, as_of, accepted, tallied)

    async def children(self, scope: Scope) -> list[Scope]:
        level = scope.level.children
        if level is None:
            return []
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(_CHILDREN, level, scope.id)
        return [Scope(level, row["id"]) for row in rows]

    async def unit_days(self) -> list[UnitDay]:
        """What is public of each day of each unit."""
        async with self._pool.acquire() as connection, _one_moment(connection):
            view = self._view(await _stored(connection, [CITY]))
            return list(view.unit_days(await _days(connection, view.day_scopes(CITY))))

    def _view(self, stored: Stored, merged: Mapping[str, Sequence[str]] | None = None) -> View:
        return View(stored, self._now(), everything=self._everything, merged=merged)

    @asynccontextmanager
    async def at_one_moment(self) -> AsyncIterator["PostgresReading"]:
        """All that is read through it is of one moment."""
        now = self._now()
        async with self._pool.acquire() as connection, _one_moment(connection):
            yield PostgresReading(
                _Held(connection), self._city_name, lambda: now, everything=self._everything
            )

    async def _published(
        self,
        connection: "asyncpg.pool.PoolConnectionProxy",
        view: View,
        scopes: Sequence[Scope],
        period: Period,
    ) -> dict[Scope, Published]:
        if (period.as_of, period.first, period.last) == (None, None, None):
            return {scope: view.of(scope, period.edition) for scope in scopes}
        by_day = await _days(
            connection, sorted({each for scope in scopes for each in view.day_scopes(scope)})
        )
        if period.as_of is not None:
            units = sorted({unit for scope in scopes for unit in view.units_in(scope)})
            accepted = await _accepted(connection, units)
            return {
                scope: view.as_of(scope, period.edition, period.as_of, accepted, by_day) for scope in scopes
            }
        first, last = period.first or _EARLIEST, period.last or _LATEST
        return {scope: view.between(scope, period.edition, first, last, by_day) for scope in scopes}

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


def _one_moment(connection: "asyncpg.pool.PoolConnectionProxy") -> AbstractAsyncContextManager[Any]:
    """All statements see the same: figures of one moment, and the newest revision in them."""
    return connection.transaction(isolation="repeatable_read", readonly=True)


async def _stored(connection: "asyncpg.pool.PoolConnectionProxy", scopes: Sequence[Scope]) -> Stored:
    """With the officers of every unit that is asked for or of which an officer is."""
    units, officers, marks = {}, {}, {}
    of_units: dict[str, dict[str, Counts]] = defaultdict(dict)
    standings: dict[str, dict[str, Standing]] = defaultdict(dict)
    for row in await connection.fetch(_UNITS):
        units[row["id"]] = row["parent_id"]
        marks[Scope(Level.UNIT, row["id"])] = Mark(row["revision"], row["updated_at"])
        if row["edition_id"] is not None:
            of_units[row["edition_id"]][row["id"]] = _counts(row["counts"], 2)
    for row in await connection.fetch(_STANDINGS):
        officers[row["officer_id"]] = row["parent_id"]
        marks[Scope(Level.OFFICER, row["officer_id"])] = Mark(row["revision"], row["updated_at"])
        standings[row["edition_id"]][row["officer_id"]] = Standing(
            row["accepted"], row["pending"], row["since"], row["last"]
        )
    policies = {
        row["edition_id"]: Publication(
            officer_batch=row["officer_batch"],
            officer_hour=row["officer_hour"],
            suppress_below=row["suppress_below"],
        )
        for row in await connection.fetch(_POLICIES)
    }
    asked = {scope.id for scope in scopes if scope.level is Level.UNIT}
    asked |= {officers[scope.id] for scope in scopes if scope.level is Level.OFFICER and scope.id in officers}
    wanted = {officer for officer, unit in officers.items() if unit in asked}
    wanted |= {officer for theirs in standings.values() for officer in alone(officers, theirs).values()}
    return Stored(
        await connection.fetchval("SELECT value FROM revision"),
        units,
        officers,
        marks,
        policies,
        of_units,
        await _of_officers(connection, wanted),
        standings,
    )


async def _of_officers(
    connection: "asyncpg.pool.PoolConnectionProxy", officers: Collection[str]
) -> Mapping[str, Mapping[str, Tallied]]:
    found: dict[str, dict[str, Tallied]] = defaultdict(dict)
    for row in await connection.fetch(_OFFICERS, sorted(officers)):
        tallied = Tallied(_counts(row["counts"], 2), _counts(row["counts"], 3))
        found[row["edition_id"]][row["scope_id"]] = tallied
    return found


async def _days(connection: "asyncpg.pool.PoolConnectionProxy", scopes: Sequence[Scope]) -> ByDay:
    found: dict[str, dict[Scope, dict[date, tuple[dict[Any, int], dict[Any, int]]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(lambda: ({}, {})))
    )
    for row in await connection.fetch(_DAYS, *_columns(scopes)):
        scope, item = Scope(Level(row["level"]), row["scope_id"]), (Measure.ANSWER, row["item"])
        live, released = found[row["edition_id"]][scope][row["day"]]
        live[item], released[item] = row["count"], row["released"]
    return {
        edition: {
            scope: {day: Tallied(live, released) for day, (live, released) in days.items()}
            for scope, days in of_scopes.items()
        }
        for edition, of_scopes in found.items()
    }


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


def _counts(rows: str, column: int) -> Counts:
    return {(Measure(row[0]), row[1]): row[column] for row in json.loads(rows) if row[column]}


def _parent(level: Level, parent_id: str | None) -> Scope | None:
    return None if parent_id is None else Scope(level, parent_id)


def _text(value: Any) -> Text | None:
    return None if value is None else Text.model_validate_json(value)
