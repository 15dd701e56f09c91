"""Answers to scales out of PostgreSQL. Tables are found by the search_path."""

from collections import defaultdict

import asyncpg
from pydantic import TypeAdapter

from contracts.events import Scale
from services.aggregation.scales import Counted

_ASKED = "SELECT edition_id, scales FROM scale WHERE $1::text IS NULL OR edition_id = $1"
_CHOSEN = """
SELECT edition_id, scale, question, choice, count FROM scale_tally
WHERE unit_id = $1 AND ($2::text IS NULL OR edition_id = $2) AND count <> 0
"""
_SCALES = TypeAdapter(tuple[Scale, ...])


async def counted(connection: "asyncpg.pool.PoolConnectionProxy", unit: str, edition: str | None) -> Counted:
    """Of one edition, or of all."""
    asked = await connection.fetch(_ASKED, edition)
    choices: dict[tuple[str, str, str], dict[str, int]] = defaultdict(dict)
    for edition_id, scale, question, choice, count in await connection.fetch(_CHOSEN, unit, edition):
        choices[edition_id, scale, question][choice] = count
    return Counted({row["edition_id"]: _SCALES.validate_json(row["scales"]) for row in asked}, choices)
