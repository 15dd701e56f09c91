"""PostgreSQL's notifications, on one connection of their own."""

import asyncio

import asyncpg

from chassis.postgres import COMMAND_SECONDS, CONNECT_SECONDS
from services.aggregation.adapters.ledger import CHANNEL

QUIET_SECONDS = 10.0


class PostgresNotifications:
    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: asyncpg.Connection | None = None
        self._notified = asyncio.Event()

    async def wait(self) -> None:
        """Returns after a notification; after the connection was lost and made again, for some may have been
        missed; and every so often, having seen that the connection still answers."""
        if self._connection is None or self._connection.is_closed():
            await self._connect()
            return
        try:
            async with asyncio.timeout(QUIET_SECONDS):
                await self._notified.wait()
        except TimeoutError:
            try:
                await self._connection.fetchval("SELECT 1")
            except BaseException:
                self._connection.terminate()
                raise
        self._notified.clear()

    async def _connect(self) -> None:
        connection = await asyncpg.connect(
            self._url,
            timeout=CONNECT_SECONDS,
            command_timeout=COMMAND_SECONDS,
            server_settings={"application_name": "aggregation-live"},
        )
        connection.add_termination_listener(lambda _: self._notified.set())
        await connection.add_listener(CHANNEL, lambda *_: self._notified.set())
        self._connection = connection

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
