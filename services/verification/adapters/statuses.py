"""Reading decisions, and hearing of new ones, for the public API."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import asyncpg

from chassis.postgres import CONNECT_SECONDS, is_outage
from chassis.readiness import Check
from chassis.tasks import wait_out
from services.verification.adapters import rows
from services.verification.adapters.decisions import CHANNEL
from services.verification.domain.ratings import State

_STATUSES = """
    SELECT r.rating_id, r.status, r.reason, r.assurance, r.decided_at, c.expires_at, c.tries_left,
        r.withdrawal, r.withdrawal_reason, r.withdrawal_wave_id
    FROM ratings r LEFT JOIN phone_codes c USING (rating_id) WHERE r.rating_id = ANY ($1::uuid[])
"""
LOOK_SECONDS = 5.0


class PostgresStatuses:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def of(self, ids: Sequence[UUID]) -> Mapping[UUID, tuple[State, datetime]]:
        found = await self._pool.fetch(_STATUSES, ids)
        return {row["rating_id"]: (rows.state(row), row["decided_at"]) for row in found}


class PostgresNews:
    """Sets `event` whenever something was decided. One connection; found broken, it is made again."""

    def __init__(self, url: str, event: asyncio.Event, check: Check) -> None:
        self._url = url
        self._event = event
        self._check = check

    async def run(self) -> None:
        while True:
            connection = await wait_out(self._check, self._listen, outage=is_outage)
            self._event.set()  # news may have passed while nobody listened
            try:
                while not connection.is_closed():
                    await asyncio.sleep(LOOK_SECONDS)
                    await connection.execute("SELECT 1", timeout=CONNECT_SECONDS)
            except Exception as error:
                if not is_outage(error):
                    raise
                self._check.down(repr(error)[:200])
            finally:
                with suppress(TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await connection.close(timeout=CONNECT_SECONDS)

    async def _listen(self) -> asyncpg.Connection:
        connection: asyncpg.Connection = await asyncpg.connect(
            self._url, timeout=CONNECT_SECONDS, server_settings={"application_name": "verification-news"}
        )
        await connection.add_listener(CHANNEL, lambda *_: self._event.set())
        return connection
