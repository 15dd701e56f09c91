"""Portals' endpoints, and outcomes still to be told to them, in PostgreSQL; workers share the work."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from services.verification.domain.webhooks import Endpoint, News
from services.verification.ports import SetAside, Untold

_SALTS = "salt, CASE WHEN previous_until > now() THEN previous_salt END AS previous"
_DUE = f"""
    SELECT client_id, url, {_SALTS} FROM webhook_endpoints AS e WHERE EXISTS (
        SELECT FROM webhook_outbox AS o
        WHERE o.client_id = e.client_id AND o.set_aside_at IS NULL AND o.next_attempt_at <= now()
    )
"""  # noqa: S608 - ours
_LEASE = """
    UPDATE webhook_outbox SET attempts = attempts + 1, next_attempt_at = now() + make_interval(secs => $3)
    WHERE rating_id IN (
        SELECT rating_id FROM webhook_outbox
        WHERE client_id = $1 AND set_aside_at IS NULL AND next_attempt_at <= now()
        ORDER BY next_attempt_at LIMIT $2 FOR UPDATE SKIP LOCKED
    )
    RETURNING rating_id, status, reason, decided_at, attempts, since
"""
_AGAIN = "UPDATE webhook_outbox SET next_attempt_at = now() + $2, last_failure = $3 WHERE rating_id = $1"
_ASIDE = "UPDATE webhook_outbox SET set_aside_at = now(), last_failure = $2 WHERE rating_id = $1"
_COUNTS = """
    SELECT count(*) FILTER (WHERE set_aside_at IS NULL) AS waiting, count(set_aside_at) AS set_aside
    FROM webhook_outbox
"""
_SEND_AGAIN = """
    UPDATE webhook_outbox SET set_aside_at = NULL, attempts = 0, since = now(), next_attempt_at = now()
    WHERE client_id = $1 AND set_aside_at IS NOT NULL
"""
_LISTED = """
    SELECT e.client_id, e.url, e.added_at,
        count(o.rating_id) FILTER (WHERE o.set_aside_at IS NULL) AS waiting,
        count(o.set_aside_at) AS set_aside
    FROM webhook_endpoints AS e LEFT JOIN webhook_outbox AS o USING (client_id)
    GROUP BY e.client_id ORDER BY e.client_id
"""
_ROTATE = """
    UPDATE webhook_endpoints SET previous_salt = salt, previous_until = now() + $3, salt = $2
    WHERE client_id = $1 RETURNING client_id
"""


class PostgresWebhooks:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    # --- telling ---------------------------------------------------------------------------------------

    async def due(self) -> Sequence[Endpoint]:
        return [_endpoint(row) for row in await self._pool.fetch(_DUE)]

    async def lease(self, client_id: str, *, most: int, seconds: float) -> Sequence[Untold]:
        found = await self._pool.fetch(_LEASE, client_id, most, seconds)
        return [
            Untold(
                News(row["rating_id"], row["status"], row["reason"], row["decided_at"]),
                row["attempts"],
                row["since"],
            )
            for row in found
        ]

    async def told(self, rating_id: UUID) -> None:
        await self._pool.execute("DELETE FROM webhook_outbox WHERE rating_id = $1", rating_id)

    async def again(self, rating_id: UUID, pause: timedelta, failure: str) -> None:
        await self._pool.execute(_AGAIN, rating_id, pause, failure)

    async def set_aside(self, rating_id: UUID, failure: str) -> None:
        await self._pool.execute(_ASIDE, rating_id, failure)

    async def counts(self) -> tuple[int, int]:
        [row] = await self._pool.fetch(_COUNTS)
        return row["waiting"], row["set_aside"]

    # --- for operators ---------------------------------------------------------------------------------

    async def add(self, client_id: str, url: str, salt: bytes) -> bool:
        """Whether it was not there."""
        done: str = await self._pool.execute(
            "INSERT INTO webhook_endpoints (client_id, url, salt) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            client_id,
            url,
            salt,
        )
        return done.endswith(" 1")

    async def rotate(self, client_id: str, salt: bytes, overlap: timedelta) -> bool:
        """Whether it is there."""
        return await self._pool.fetchval(_ROTATE, client_id, salt, overlap) is not None

    async def remove(self, client_id: str) -> bool:
        """Whether it was there. What it was still to be told goes with it."""
        async with self._pool.acquire() as connection, connection.transaction():
            done: str = await connection.execute(
                "DELETE FROM webhook_endpoints WHERE client_id = $1", client_id
            )
            await connection.execute("DELETE FROM webhook_outbox WHERE client_id = $1", client_id)
        return done.endswith(" 1")

    async def listed(self) -> Sequence[tuple[str, str, datetime, int, int]]:
        """Client, address, since when, outcomes waiting, outcomes set aside."""
        return [tuple(row) for row in await self._pool.fetch(_LISTED)]

    async def aside(self, client_id: str) -> Sequence[SetAside]:
        found = await self._pool.fetch(
            "SELECT rating_id, attempts, set_aside_at, last_failure FROM webhook_outbox"
            " WHERE client_id = $1 AND set_aside_at IS NOT NULL ORDER BY set_aside_at",
            client_id,
        )
        return [SetAside(*row) for row in found]

    async def send_again(self, client_id: str) -> int:
        done: str = await self._pool.execute(_SEND_AGAIN, client_id)
        return int(done.rpartition(" ")[2])


def _endpoint(row: asyncpg.Record) -> Endpoint:
    salts = (row["salt"], row["previous"])
    return Endpoint(row["client_id"], row["url"], tuple(salt for salt in salts if salt is not None))
