"""Read models beside the live ones: the same tables in a sibling schema."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from chassis import postgres
from contracts.topics import RATING_OUTCOMES
from services.aggregation.adapters.ledger import CHANNEL, Connection, PostgresLedger
from services.aggregation.adapters.loading import LISTED, LOADED, SUMMED, LoadingLedger, Repeated, complete
from services.aggregation.rebuilding import Busy, Comparison, Difference, Offsets

LIVE, BEFORE = "read_models", "read_models_before"
SHOWN = 20
# Longer than any reader's transaction lasts, and short for those who wait behind it.
LOCK_SECONDS = 10
COMPARE_SECONDS = 600.0
_ONE_AT_A_TIME = 0x5245  # any constant; one for all generations of a database

_TABLES = """
SELECT relname, coalesce(reloptions, '{}') AS options FROM pg_class
WHERE relnamespace = $1::regnamespace AND relkind = 'r' ORDER BY relname
"""
_LAYOUT = """
SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
WHERE table_schema = $1 ORDER BY 1, 2
"""
_CHECKPOINTS = "SELECT partition, next_offset FROM read_models.checkpoint WHERE topic = $1"
# Every revision that was told stays behind; times stay those of the ratings.
_REVISION = """
UPDATE {0}.revision SET value = 1 + (SELECT value FROM read_models.revision);
UPDATE {0}.scope SET revision = (SELECT value FROM {0}.revision) WHERE revision > 0;
UPDATE {0}.scope AS n SET updated_at = o.updated_at FROM read_models.scope AS o
WHERE n.level = o.level AND n.id = o.id AND n.updated_at IS NOT NULL AND o.updated_at IS NOT NULL
"""
_SWAP = """
LOCK TABLE read_models.tally, read_models.acceptance, read_models.scale_tally, read_models.scope,
    read_models.standing, read_models.revision;
DELETE FROM read_models.checkpoint;
ALTER SCHEMA read_models RENAME TO read_models_before;
ALTER SCHEMA {0} RENAME TO read_models;
SELECT pg_notify('{1}', value::text) FROM read_models.revision
"""
_HAS_KEY = """
SELECT EXISTS (SELECT FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'p')
"""
_COUNT = "SELECT count(*) FROM read_models.{0}"
_COMPARED = {
    **SUMMED,
    "standing": (("officer_id", "edition_id"), ("accepted", "pending", "since", "last")),
    **dict.fromkeys(LISTED, (("submission_id",), ())),
    "scope": (("level", "id"), ()),
}


class PostgresGeneration:
    """`ledger` loads until the generation is complete, and then counts as the live one does."""

    ledger: PostgresLedger

    def __init__(self, pool: asyncpg.Pool, schema: str) -> None:
        self._pool = pool
        self._schema = schema
        self._counting()

    async def open(self, *, anew: bool) -> bool:
        """Make the tables, or go on with those of a run that was broken off, unless `anew`. Returns whether
        it goes on."""
        async with self._pool.acquire() as connection, connection.transaction():
            layouts = [await connection.fetch(_LAYOUT, schema) for schema in (self._schema, LIVE)]
            goes_on = not anew and layouts[0] == layouts[1]
            if not goes_on:
                await self._make(connection, loading=True)
            if not await connection.fetchval(_HAS_KEY, f"{self._schema}.{LISTED[0]}"):
                self.ledger = LoadingLedger(self._pool, channel=self._schema)
        return goes_on

    async def complete(self) -> bool:
        """Returns False where the log holds an outcome twice: then the generation is empty again, and looks
        each submission up."""
        async with self._pool.acquire() as connection:
            if not isinstance(self.ledger, LoadingLedger):
                return True
            self._counting()
            try:
                await complete(connection, self._schema, LIVE, await _storage(connection))
            except Repeated:
                async with connection.transaction():
                    await self._make(connection, loading=False)
                return False
        return True

    def _counting(self) -> None:
        self.ledger = PostgresLedger(self._pool, channel=self._schema)  # where nobody listens

    async def _make(self, connection: Connection, *, loading: bool) -> None:
        await connection.execute(f"DROP SCHEMA IF EXISTS {self._schema} CASCADE")
        await connection.execute(f"CREATE SCHEMA {self._schema}")
        for name, storage in (await _storage(connection)).items():
            keys = " EXCLUDING INDEXES" if loading and name in LOADED else ""
            await connection.execute(
                f"CREATE TABLE {self._schema}.{name} (LIKE {LIVE}.{name} INCLUDING ALL{keys}) {storage}"
            )
        await connection.execute(f"INSERT INTO {self._schema}.revision (value) VALUES (0)")  # noqa: S608

    async def drop(self) -> None:
        await self._pool.execute(f"DROP SCHEMA IF EXISTS {self._schema} CASCADE")

    async def live(self) -> Offsets:
        return await _checkpoints(self._pool)

    @asynccontextmanager
    async def standing_still(self) -> AsyncIterator["_StandingStill"]:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
            await connection.execute(f"SELECT FROM {LIVE}.checkpoint FOR UPDATE")
            yield _StandingStill(self._pool, connection, self._schema, await _checkpoints(connection))


@dataclass(frozen=True, slots=True)
class _StandingStill:
    """`held` is the connection whose transaction holds the live checkpoints."""

    pool: asyncpg.Pool
    held: Connection
    schema: str
    checkpoints: Offsets

    async def compare(self) -> Comparison:
        rows, differing, first = 0, 0, list[Difference]()
        async with self.pool.acquire() as connection:
            for table, (keys, values) in _COMPARED.items():
                rows += await connection.fetchval(_COUNT.format(table), timeout=COMPARE_SECONDS)
                query = _differences(self.schema, table, keys, values)
                for row in await connection.fetch(query, timeout=COMPARE_SECONDS):
                    differing += 1
                    if len(first) < SHOWN:
                        first.append(Difference(f"{table} {row['what']}", row["live"], row["log"]))
        return Comparison(rows, differing, first)

    async def give_way(self) -> None:
        await self.pool.execute(_REVISION.format(self.schema))
        # Readers that began before finish with the old tables; those who come wait here, and find the new.
        # The checkpoints are not locked but emptied: a worker that waits for one begins its transaction anew.
        await self.held.execute(_SWAP.format(self.schema, CHANNEL))


@asynccontextmanager
async def generation(database_url: str, schema: str) -> AsyncIterator[PostgresGeneration]:
    """Raises outages, and Busy while another rebuild or verification of this database is under way."""
    pool = await postgres.create_pool(
        database_url, name="aggregation-rebuild", most=4, search_path=f"{schema}, directory"
    )
    try:
        async with pool.acquire() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _ONE_AT_A_TIME):
                raise Busy
            await connection.execute(f"DROP SCHEMA IF EXISTS {BEFORE} CASCADE")
            yield PostgresGeneration(pool, schema)
            await connection.execute(f"DROP SCHEMA IF EXISTS {BEFORE} CASCADE")
    finally:
        pool.terminate()


async def _storage(connection: Connection) -> dict[str, str]:
    """How each of the live tables is kept."""
    rows = await connection.fetch(_TABLES, LIVE)
    return {name: f"WITH ({', '.join(options)})" if options else "" for name, options in rows}


async def _checkpoints(connection: "asyncpg.Pool | Connection") -> Offsets:
    rows = await connection.fetch(_CHECKPOINTS, RATING_OUTCOMES.name)
    return {row["partition"]: row["next_offset"] for row in rows}


def _differences(schema: str, table: str, keys: tuple[str, ...], values: tuple[str, ...]) -> str:
    """Rows of one that the other has not, or has with other values; a count of nothing is no row."""

    def shown(side: str) -> str:
        listed = ", ".join(f"'{each}', {side}.{each}" for each in values)
        there = f"concat_ws(' ', {listed})" if values else "'there'"
        return f"CASE WHEN {side}.{keys[0]} IS NULL THEN 'nothing' ELSE {there} END"

    def compared(side: str) -> str:
        return ", ".join([f"{side}.{keys[0]} IS NULL", *(f"{side}.{each}" for each in values)])

    return (
        f"SELECT concat_ws(' ', {', '.join(keys)}) AS what, {shown('l')} AS live, {shown('n')} AS log"  # noqa: S608
        f" FROM {LIVE}.{table} AS l FULL JOIN {schema}.{table} AS n USING ({', '.join(keys)})"
        f" WHERE ({compared('l')}) IS DISTINCT FROM ({compared('n')}) ORDER BY 1"
    )
