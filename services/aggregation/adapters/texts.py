"""What editions say, out of PostgreSQL. Tables are found by the search_path."""

import asyncpg

from contracts.events import Text
from services.aggregation.reports.report import Kind, Said

_ONE = "SELECT kind, item, text FROM edition_text WHERE edition_id = $1 ORDER BY position"
# An edition's title and question are its own; of what several call differently the newest is believed.
_ALL = """
SELECT DISTINCT ON (kind, item) kind, item, text FROM edition_text WHERE kind IN ('answer', 'reason')
ORDER BY kind, item, edition_id DESC
"""


class PostgresTexts:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def said(self, edition: str | None) -> Said:
        rows = await (self._pool.fetch(_ALL) if edition is None else self._pool.fetch(_ONE, edition))
        return {(Kind(row["kind"]), row["item"]): Text.model_validate_json(row["text"]) for row in rows}
