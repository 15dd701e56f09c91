"""PostgreSQL: the pool, what counts as an outage, and migrations."""

import asyncio
import hashlib
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

import asyncpg
from prometheus_client import Gauge
from pydantic import AfterValidator, Field

from chassis.logs import logger
from chassis.settings import Secret

log = logger(__name__)
COMMAND_SECONDS = 10.0
CONNECT_SECONDS = 5.0
LOCK_SECONDS = 300.0  # as long as another process may take with its migrations

CONNECTIONS = Gauge(
    "postgres_pool_connections", "Connections of a pool, by what they do: used, idle.", ["pool", "state"]
)
MOST_CONNECTIONS = Gauge("postgres_pool_connections_max", "So many a pool may have.", ["pool"])
_MIGRATION_LOCK = 0x4861694C  # any constant; one for all migrations of a database

_OUTAGES: tuple[type[BaseException], ...] = (
    OSError,
    TimeoutError,
    asyncio.TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    # Not let in: the server may be the one to be mended, or the password is just being changed.
    asyncpg.InvalidAuthorizationSpecificationError,
)
_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile")


def is_outage(error: BaseException) -> bool:
    """Whether to wait and try again: the server is away, starting or stopping, or the connection broke.

    Anything else is a bug or bad data.
    """
    # A connection lost between two statements shows as a bare InterfaceError, whose subclasses mean misuse.
    lost = type(error) is asyncpg.InterfaceError and "closed" in str(error)
    # A connection that the server is just ending, asked before the client has taken notice.
    ending = isinstance(error, asyncpg.InternalClientError) and "cannot switch to state" in str(error)
    return lost or ending or isinstance(error, _OUTAGES)


def _checked(url: str) -> str:
    """Raises ValueError for parameters that promise less than they seem to, and files that cannot be read."""
    try:
        parts = urlsplit(url)
    except ValueError:  # whose text would show a part of it
        parts = urlsplit("")
    if parts.scheme not in ("postgresql", "postgres"):
        raise ValueError("no address of a database; write postgresql://ROLE@HOST:5432/DATABASE")
    given = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    mode = given.get("sslmode", "")
    if mode not in ("", "disable", "verify-full"):
        raise ValueError(f"sslmode={mode} does not say who the server is; use verify-full, or disable")
    if mode == "verify-full" and "sslrootcert" not in given:
        raise ValueError("with sslmode=verify-full say whom to trust: sslrootcert=FILE")
    if mode != "verify-full" and any(name.startswith("ssl") for name in given if name != "sslmode"):
        raise ValueError("with certificates set sslmode=verify-full")
    for name in _FILES:
        path = Path(given.get(name, "/"))
        try:
            if name in given:
                path.read_bytes()
        except OSError as error:
            raise ValueError(f"{name}={path} cannot be read: {error.strerror}") from error
    passfile = given.get("passfile")
    if passfile is not None and Path(passfile).stat().st_mode & 0o077:
        raise ValueError(f"passfile={passfile} is open to others; its mode must be 0600 or less")
    return url


# As libpq understands it: sslmode, sslrootcert, sslcert, sslkey, passfile and the rest as parameters.
DatabaseUrl = Annotated[str, AfterValidator(_checked), Field(repr=False), Secret()]


async def create_pool(
    url: str, *, name: str, least: int = 1, most: int = 4, tidied: bool = True, **settings: str
) -> asyncpg.Pool:
    """A pool whose connections time out; `name` shows in pg_stat_activity, `settings` are the server's for
    each session (search_path, for example). Not `tidied`, for who changes nothing in a session: a connection
    goes back without a query that would undo it, but never within a transaction. Raises what `is_outage`
    knows.
    """
    pool = await asyncpg.create_pool(
        url,
        min_size=least,
        max_size=most,
        timeout=CONNECT_SECONDS,
        command_timeout=COMMAND_SECONDS,
        reset=None if tidied else _as_it_is,
        server_settings={"application_name": name, **settings},
    )
    CONNECTIONS.labels(name, "used").set_function(lambda: pool.get_size() - pool.get_idle_size())
    CONNECTIONS.labels(name, "idle").set_function(pool.get_idle_size)
    MOST_CONNECTIONS.labels(name).set(most)
    return pool


async def _as_it_is(connection: asyncpg.Connection) -> None:
    """asyncpg itself rolls back what is open."""
    del connection


async def migrate(url: str, folder: Path) -> list[str]:
    """Apply the folder's `NNNN_name.sql` files that the database has not had yet, each in a transaction.

    Returns the names applied. Several processes may call this at once. Raises ValueError where a file that
    was applied has changed since: write a new one in its place.
    """
    connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _MIGRATION_LOCK, timeout=LOCK_SECONDS)
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations"
            " (name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        applied = []
        for name, script in await pending(connection, folder):
            digest = hashlib.sha256(script.encode()).hexdigest()
            async with connection.transaction():
                await connection.execute(script)
                await connection.execute("INSERT INTO schema_migrations VALUES ($1, $2)", name, digest)
            applied.append(name)
            log.info("migration applied", migration=name)
        return applied
    finally:
        await connection.close(timeout=CONNECT_SECONDS)


async def pending(connection: asyncpg.Connection, folder: Path) -> list[tuple[str, str]]:
    """The names and texts of the migrations that the database has not had yet, in their order.

    Raises ValueError where one that it had has changed since, and asyncpg's errors.
    """
    rows = await connection.fetch("SELECT name, sha256 FROM public.schema_migrations")
    had = {row["name"]: row["sha256"] for row in rows}
    left = []
    for path in await asyncio.to_thread(lambda: sorted(folder.glob("[0-9]*.sql"))):
        script = await asyncio.to_thread(path.read_text)
        if path.name not in had:
            left.append((path.name, script))
        elif had[path.name] != hashlib.sha256(script.encode()).hexdigest():
            raise ValueError(f"{path.name} was applied and has changed since; add a new migration")
    return left
