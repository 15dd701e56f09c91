"""SMS still to be sent, in PostgreSQL; several senders share the work."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from contracts.events import Sealed
from services.verification.ports import HashedCode, Waiting

_LEASE = """
    UPDATE sms_queue q SET attempts = attempts + 1, next_attempt_at = now() + make_interval(secs => $2)
    FROM phone_codes c
    WHERE c.rating_id = q.rating_id AND q.rating_id IN (
        SELECT rating_id FROM sms_queue WHERE next_attempt_at <= now()
        ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED
    )
    RETURNING q.*, c.edition_id, c.pseudonym, c.expires_at, c.code_salt
"""
_KEEP = """
    UPDATE phone_codes SET code_salt = $2, code_digest = $3, code_expires_at = $4,
        earlier_digest = code_digest, earlier_expires_at = code_expires_at
    WHERE rating_id = $1 AND awaiting RETURNING rating_id
"""


class PostgresSmsQueue:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def lease(self, *, most: int, seconds: float) -> Sequence[Waiting]:
        found = await self._pool.fetch(_LEASE, most, seconds)
        return [
            Waiting(
                rating_id=row["rating_id"],
                phone=Sealed(key_id=row["key_id"], box=row["box"]),
                edition_id=row["edition_id"],
                pseudonym=row["pseudonym"].hex(),
                origin=row["origin"],
                language=row["language"],
                attempt=row["attempts"],
                awaited_until=row["expires_at"],
                salt=row["code_salt"],
            )
            for row in found
        ]

    async def keep(self, rating_id: UUID, salt: bytes, code: HashedCode) -> bool:
        kept = await self._pool.fetchval(_KEEP, rating_id, salt, code.digest, code.expires_at)
        return kept is not None

    async def again(self, rating_id: UUID) -> None:
        await self._pool.execute(
            "UPDATE sms_queue SET next_attempt_at = now() WHERE rating_id = $1", rating_id
        )

    async def done(self, rating_id: UUID) -> None:
        await self._pool.execute("DELETE FROM sms_queue WHERE rating_id = $1", rating_id)
