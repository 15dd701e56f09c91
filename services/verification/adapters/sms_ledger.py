"""How many SMS have gone out and been withheld, in PostgreSQL: for all replicas, and over restarts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import cast

import asyncpg

from contracts.city_time import CITY_TIME, city_day
from services.verification.domain.sending import Spent, Totals
from services.verification.ports import Waiting

_LOCK = 0x536D73  # any constant; one for all spending from a database
_SPENT = """
    SELECT scope, number, last_at FROM sms_spent WHERE day = $1
        AND (scope, key) IN (('all', ''), ('origin', $2), ('phone', $3))
"""
_COUNT = """
    INSERT INTO sms_spent (day, scope, key, number, last_at)
    SELECT $1, wanted.scope, wanted.key, 1, $4 FROM unnest($2::text[], $3::text[]) AS wanted (scope, key)
    ON CONFLICT (day, scope, key) DO UPDATE SET number = sms_spent.number + 1, last_at = excluded.last_at
"""
_TOTALS = """
    SELECT coalesce(sum(number) FILTER (WHERE scope = 'all'), 0) AS sent,
        coalesce(sum(number) FILTER (WHERE scope = 'withheld'), 0) AS withheld
    FROM sms_spent WHERE day = $1 AND (scope, key) IN (('all', ''), ('withheld', $2))
"""


class PostgresSmsLedger:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def spending(self, sms: Waiting, now: datetime) -> AsyncIterator["PostgresSpending"]:
        day, origin = city_day(now), sms.origin or ""
        async with self._pool.acquire() as connection, connection.transaction():
            # One at a time: what is left of a budget is known only while nobody else spends it.
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            found = await connection.fetch(_SPENT, day, origin, _phone(sms))
            by = {row["scope"]: row for row in found}
            if "all" not in by:  # the day's first
                await connection.execute("DELETE FROM sms_spent WHERE day < $1", day - timedelta(days=1))
            spent = Spent(
                in_all=by["all"]["number"] if "all" in by else 0,
                for_origin=by["origin"]["number"] if "origin" in by else 0,
                to_phone=by["phone"]["number"] if "phone" in by else 0,
                last_to_phone=by["phone"]["last_at"] if "phone" in by else None,
            )
            yield PostgresSpending(cast("asyncpg.Connection", connection), spent, sms, day, now)

    async def totals(self, now: datetime) -> Totals:
        [row] = await self._pool.fetch(_TOTALS, city_day(now), _hour(now))
        return Totals(row["sent"], row["withheld"])


class PostgresSpending:
    def __init__(
        self, connection: asyncpg.Connection, spent: Spent, sms: Waiting, day: date, now: datetime
    ) -> None:
        self.spent = spent
        self._connection = connection
        self._sms = sms
        self._day = day
        self._now = now

    async def spend(self) -> None:
        await self._count(("all", ""), ("origin", self._sms.origin or ""), ("phone", _phone(self._sms)))

    async def postpone(self, until: datetime) -> None:
        await self._connection.execute(
            "UPDATE sms_queue SET next_attempt_at = now() + $2::interval WHERE rating_id = $1",
            self._sms.rating_id,
            until - self._now,
        )

    async def withhold(self) -> None:
        await self._count(("withheld", _hour(self._now)))
        await self._connection.execute("DELETE FROM sms_queue WHERE rating_id = $1", self._sms.rating_id)

    async def _count(self, *scopes: tuple[str, str]) -> None:
        names, keys = zip(*scopes, strict=True)
        await self._connection.execute(_COUNT, self._day, names, keys, self._now)


def _phone(sms: Waiting) -> str:
    """A pseudonym is an edition's, and is forgotten with it."""
    return f"{sms.edition_id}:{sms.pseudonym}"


def _hour(moment: datetime) -> str:
    return f"{moment.astimezone(CITY_TIME):%H}"
