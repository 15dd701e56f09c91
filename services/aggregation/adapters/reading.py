"""Figures out of PostgreSQL, for the query API and the live stream. Tables are found by the search_path."""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import asyncpg

from chassis import postgres
from contracts.events import Text
from services.aggregation.documents import Counts, Figures, Period, Snapshot
from services.aggregation.domain import ALL_DAYS, ALL_EDITIONS, CITY, Level, Measure, Scope

# One statement, so one snapshot: the figures and the newest revision in it, which comes even where no scope
# does. $5 NULL adds up all editions.
_FIGURES = """
SELECT newest.value AS newest, f.* FROM revision AS newest LEFT JOIN LATERAL (
    SELECT s.place, s.level, s.id, n.id IS NOT NULL OR c.id IS NOT NULL AS known, n.name,
           coalesce(n.parent_id, c.parent_id) AS parent_id, p.name AS parent_name,
           coalesce(c.revision, 0) AS revision, c.updated_at, t.counts
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS s (level, id, place)
    LEFT JOIN scope AS c ON c.level = s.level AND c.id = s.id
    LEFT JOIN name AS n ON n.level = s.level AND n.id = s.id
    LEFT JOIN name AS p ON p.id = coalesce(n.parent_id, c.parent_id)
        AND p.level = CASE s.level WHEN 'officer' THEN 'unit' WHEN 'unit' THEN 'group' END
    LEFT JOIN LATERAL (
        SELECT json_agg(json_build_array(measure, item, total)) AS counts FROM (
            SELECT measure, item, sum(count) AS total FROM tally
            WHERE level = s.level AND scope_id = s.id AND day BETWEEN $3 AND $4
              AND ($5::text IS NULL OR edition_id = $5)
            GROUP BY measure, item
        ) AS summed
    ) AS t ON true
    WHERE $6::bigint IS NULL OR c.revision > $6
) AS f ON true
ORDER BY f.place
"""
_DAYS = """
SELECT day, item, sum(count) AS total FROM tally
WHERE level = $1 AND scope_id = $2 AND day BETWEEN $3 AND $4 AND measure = 'answer'
  AND ($5::text IS NULL OR edition_id = $5)
GROUP BY day, item
"""
_LAST_DAY = """
SELECT day FROM tally
WHERE level = $1 AND scope_id = $2 AND day < 'infinity' AND measure = 'answer'
  AND ($3::text IS NULL OR edition_id = $3)
ORDER BY day DESC LIMIT 1
"""
# What the directory has; and what it has no more, where it was first rated.
_CHILDREN = """
SELECT id, position FROM name WHERE level = $1 AND parent_id = $2
UNION ALL
SELECT id, NULL FROM scope AS c WHERE level = $1 AND parent_id = $2
    AND NOT EXISTS (SELECT FROM name AS n WHERE n.level = c.level AND n.id = c.id)
ORDER BY position NULLS LAST, id
"""
_EARLIEST, _LATEST = date(1, 1, 2), ALL_DAYS - timedelta(days=1)


class PostgresReading:
    def __init__(self, pool: asyncpg.Pool, city_name: Text) -> None:
        self._pool = pool
        self._city_name = city_name

    def outage(self, error: BaseException) -> bool:
        return postgres.is_outage(error)

    async def figures(
        self, scopes: Sequence[Scope], period: Period, *, changed_since: int | None = None
    ) -> Snapshot:
        """The figures of the scopes, in their order; with `changed_since` only of those changed after it."""
        first, last, edition = _bounds(period)
        rows = await self._pool.fetch(
            _FIGURES,
            [scope.level for scope in scopes],
            [scope.id for scope in scopes],
            first,
            last,
            edition,
            changed_since,
        )
        return Snapshot(rows[0]["newest"], [self._figures(row) for row in rows if row["id"] is not None])

    async def days(self, scope: Scope, edition: str | None, first: date, last: date) -> dict[date, Counts]:
        """The answers of each day that has any."""
        rows = await self._pool.fetch(_DAYS, scope.level, scope.id, first, last, edition)
        found: dict[date, dict[tuple[Measure, str], int]] = defaultdict(dict)
        for row in rows:
            found[row["day"]][Measure.ANSWER, row["item"]] = int(row["total"])
        return dict(found)

    async def last_day(self, scope: Scope, edition: str | None) -> date | None:
        found: date | None = await self._pool.fetchval(_LAST_DAY, scope.level, scope.id, edition)
        return found

    async def children(self, scope: Scope) -> list[Scope]:
        level = scope.level.children
        if level is None:
            return []
        rows = await self._pool.fetch(_CHILDREN, level, scope.id)
        return [Scope(level, row["id"]) for row in rows]

    def _figures(self, row: asyncpg.Record) -> Figures:
        scope = Scope(Level(row["level"]), row["id"])
        parent = None if scope.level.parent is None else _parent(scope.level.parent, row["parent_id"])
        return Figures(
            scope=scope,
            known=row["known"] or scope == CITY,
            name=self._city_name if scope == CITY else _text(row["name"]),
            parent=parent,
            parent_name=self._city_name if parent == CITY else _text(row["parent_name"]),
            revision=row["revision"],
            updated_at=row["updated_at"],
            counts={
                (Measure(measure), item): int(total)
                for measure, item, total in json.loads(row["counts"] or "[]")
            },
        )


def _bounds(period: Period) -> tuple[date, date, str | None]:
    if period.first is None and period.last is None:
        return ALL_DAYS, ALL_DAYS, period.edition or ALL_EDITIONS
    return period.first or _EARLIEST, period.last or _LATEST, period.edition


def _parent(level: Level, parent_id: str | None) -> Scope | None:
    return None if parent_id is None else Scope(level, parent_id)


def _text(value: Any) -> Text | None:
    return None if value is None else Text.model_validate_json(value)
