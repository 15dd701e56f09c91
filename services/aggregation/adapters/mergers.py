"""Which units closed and merged, out of PostgreSQL. Tables are found by the search_path."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from contracts.events import Text
from services.aggregation.documents import Merger, NamedUnit

if TYPE_CHECKING:
    import asyncpg

_CLOSED = """
SELECT u.id, u.closed_on, CASE WHEN u.closed_on <= $2 THEN u.merged_into END AS heir, heir.name AS heir_name
FROM unit AS u LEFT JOIN unit AS heir ON heir.id = u.merged_into WHERE u.id = ANY ($1::text[])
"""
# UNION drops what was found before, so mergers that lead round in a circle end too.
_PREDECESSORS = """
WITH RECURSIVE past (heir, id, name) AS (
    SELECT merged_into, id, name FROM unit WHERE merged_into = ANY ($1::text[]) AND closed_on <= $2
    UNION
    SELECT past.heir, u.id, u.name FROM past JOIN unit AS u ON u.merged_into = past.id AND u.closed_on <= $2
)
SELECT heir, id, name FROM past WHERE id <> heir ORDER BY heir, id
"""


async def mergers(
    connection: "asyncpg.pool.PoolConnectionProxy", units: Collection[str], day: date
) -> Mapping[str, Merger]:
    """What is to be said of each of the units that the directory has, on `day`."""
    predecessors: dict[str, list[NamedUnit]] = defaultdict(list)
    for row in await connection.fetch(_PREDECESSORS, units, day):
        predecessors[row["heir"]].append(_named(row["id"], row["name"]))
    return {
        row["id"]: Merger(
            closed_on=row["closed_on"],
            merged_into=_named(row["heir"], row["heir_name"]) if row["heir"] else None,
            predecessors=predecessors[row["id"]],
        )
        for row in await connection.fetch(_CLOSED, units, day)
    }


def _named(unit_id: str, name: Any) -> NamedUnit:
    return NamedUnit(id=unit_id, name=None if name is None else Text.model_validate_json(name))
