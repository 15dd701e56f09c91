"""What the database forgets: a bounded batch a transaction, beside workers that go on deciding."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

BATCH = 500
# Rows that another transaction works on are left to the next round.
_DELETE = """
    DELETE FROM {table} WHERE ctid = ANY (ARRAY (
        SELECT ctid FROM {table} WHERE {which} LIMIT $1 FOR UPDATE SKIP LOCKED
    ))
"""
_OLD_TOKENS = _DELETE.format(table="idempotency_tokens", which="claimed_at < $2")
_OLD_CHALLENGES = _DELETE.format(table="used_challenges", which="claimed_at < $2")
_OLD_TEXTS = _DELETE.format(table="sms_queue", which="created_at < $2")
_PAST_SLOTS = _DELETE.format(table="slots", which="edition_id = $2 AND window_number < $3")
_OLD_SLOTS = _DELETE.format(table="slots", which="edition_id = $2 AND claimed_at < $3")
_SLOTS_OF = _DELETE.format(table="slots", which="edition_id = $2")
_OF_EDITION = "regexp_replace(key_id, '-[0-9]+$', '') = $2"
_TEXTS_OF = _DELETE.format(table="sms_queue", which=_OF_EDITION)
_COUNTS_OF = _DELETE.format(
    table="sms_spent",
    which="scope = 'phone' AND starts_with(key, $2 || ':')",
)
_PSEUDONYMS_OF = """
    UPDATE phone_codes SET pseudonym = '' WHERE rating_id IN (
        SELECT rating_id FROM phone_codes WHERE edition_id = $2 AND pseudonym <> '' LIMIT $1 FOR UPDATE
    )
"""
_OLD_RATINGS = """
    SELECT rating_id FROM ratings WHERE status <> 'phone_code_needed' AND decided_at < $2
    ORDER BY decided_at LIMIT $1 FOR UPDATE SKIP LOCKED
"""
# An index skips from one edition to the next, however many slots each has.
_EDITIONS = """
    WITH RECURSIVE found AS (
        SELECT min(edition_id) AS id FROM slots
        UNION ALL
        SELECT (SELECT min(edition_id) FROM slots WHERE edition_id > found.id) FROM found
        WHERE found.id IS NOT NULL
    )
    SELECT id FROM found WHERE id IS NOT NULL
"""


class PostgresRetention:
    """Each call is one batch, and returns how many rows it was; 0 once there are no more."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def ratings(self, before: datetime) -> int:
        """Decided ratings, with what belongs to them. One that awaits its code is never old enough."""
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(_OLD_RATINGS, BATCH, before)
            ids = [row["rating_id"] for row in rows]
            for table in ("phone_code_tries", "sms_queue", "phone_codes", "ratings"):
                await connection.execute(f"DELETE FROM {table} WHERE rating_id = ANY ($1::uuid[])", ids)  # noqa: S608
        return len(ids)

    async def tokens(self, before: datetime) -> int:
        return await self._change(_OLD_TOKENS, before)

    async def challenges(self, before: datetime) -> int:
        return await self._change(_OLD_CHALLENGES, before)

    async def texts(self, before: datetime) -> int:
        """SMS that were never sent; their ratings expire."""
        return await self._change(_OLD_TEXTS, before)

    async def editions_with_slots(self) -> Sequence[str]:
        return [row["id"] for row in await self._pool.fetch(_EDITIONS)]

    async def slots_of_windows(self, edition_id: str, before: int) -> int:
        return await self._change(_PAST_SLOTS, edition_id, before)

    async def slots_claimed(self, edition_id: str, before: datetime) -> int:
        return await self._change(_OLD_SLOTS, edition_id, before)

    # --- of an edition whose keys are destroyed ---------------------------------------------------------

    async def slots_of(self, edition_id: str) -> int:
        return await self._change(_SLOTS_OF, edition_id)

    async def texts_of(self, edition_id: str) -> int:
        return await self._change(_TEXTS_OF, edition_id)

    async def counts_of(self, edition_id: str) -> int:
        return await self._change(_COUNTS_OF, edition_id)

    async def pseudonyms_of(self, edition_id: str) -> int:
        """Of ratings that await a code: they end as expired, which needs no pseudonym."""
        return await self._change(_PSEUDONYMS_OF, edition_id)

    async def texts_sealed_for(self, key_id: str) -> int:
        """How many SMS to be sent need the key."""
        return int(await self._pool.fetchval("SELECT count(*) FROM sms_queue WHERE key_id = $1", key_id))

    async def _change(self, statement: str, *arguments: object) -> int:
        done: str = await self._pool.execute(statement, BATCH, *arguments)
        return int(done.rpartition(" ")[2])
