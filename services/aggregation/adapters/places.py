"""What belongs to what, out of PostgreSQL: as the directory has it, else as it was rated."""

import asyncpg

from services.aggregation.domain import CITY, Scope

_ABOVE = """
SELECT coalesce(n.parent_id, c.parent_id) AS parent_id
FROM (VALUES ($1::text, $2::text)) AS s (level, id)
LEFT JOIN scope AS c USING (level, id) LEFT JOIN name AS n USING (level, id)
WHERE n.id IS NOT NULL OR c.id IS NOT NULL
"""


class PostgresPlaces:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def path(self, scope: Scope) -> list[Scope]:
        """The place and what is above it, without the city; empty for a place that nobody knows."""
        found: list[Scope] = []
        while scope != CITY:
            row = await self._pool.fetchrow(_ABOVE, scope.level, scope.id)
            if row is None:
                return []
            found.append(scope)
            parent = scope.level.parent
            if parent is None or row["parent_id"] is None:
                break
            scope = CITY if parent is CITY.level else Scope(parent, row["parent_id"])
        return found
