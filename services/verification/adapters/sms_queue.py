"""SMS still to be sent, in PostgreSQL; several senders share the work."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from contracts.events import Sealed
from services.verification.adapters.decisions import CHANNEL
from services.verification.ports import Waiting

_LEASE = """
    UPDATE sms_queue SET attempts = attempts + 1, next_attempt_at = now() + make_interval(secs => $2)
    WHERE rating_id IN (
        SELECT rating_id FROM sms_queue WHERE next_attempt_at <= now()
        ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED
    )
    RETURNING rating_id, key_id, box, language, attempts, created_at
"""


class PostgresSmsQueue:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def lease(self, *, most: int, seconds: float) -> Sequence[Waiting]:
        found = await self._pool.fetch(_LEASE, most, seconds)
        return [
            Waiting(
                row["rating_id"],
                Sealed(key_id=row["key_id"], box=row["box"]),
                row["language"],
                row["attempts"],
                row["created_at"],
            )
            for row in found
        ]

    async def sent(self, rating_id: UUID, *, code_expires_at: datetime) -> None:
        await self._end(rating_id, code_expires_at)

    async def again(self, rating_id: UUID, *, seconds: float) -> None:
        await self._pool.execute(
            "UPDATE sms_queue SET next_attempt_at = now() + make_interval(secs => $2) WHERE rating_id = $1",
            rating_id,
            seconds,
        )

    async def give_up(self, rating_id: UUID, *, at: datetime) -> None:
        await self._end(rating_id, at)

    async def _end(self, rating_id: UUID, code_expires_at: datetime) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("DELETE FROM sms_queue WHERE rating_id = $1", rating_id)
            await connection.execute(
                "UPDATE phone_codes SET expires_at = $2 WHERE rating_id = $1 AND awaiting",
                rating_id,
                code_expires_at,
            )
            await connection.execute("SELECT pg_notify($1, '')", CHANNEL)
