"""Whether the database is there, has all migrations, and lets a program do its work."""

import ssl
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from chassis.checking.findings import Finding, Probe
from chassis.postgres import COMMAND_SECONDS, CONNECT_SECONDS, pending

READ = ("SELECT",)
WRITE = ("SELECT", "INSERT", "UPDATE", "DELETE")
_LACKING = """
SELECT n.nspname || '.' || c.relname AS name,
    has_schema_privilege(n.oid, 'USAGE')
        AND (SELECT bool_and(has_table_privilege(c.oid, needed)) FROM unnest($2::text[]) AS needed) AS allowed
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY ($1::text[]) AND c.relkind IN ('r', 'p') AND c.relname <> 'schema_migrations'
ORDER BY 1
"""


def probe(
    url: str, *, service: str, migrations: Path, schemas: Sequence[str], privileges: Sequence[str]
) -> Probe:
    """`privileges`: on every table of the schemas."""
    setting = f"{service.upper()}_DATABASE_URL"

    async def find() -> AsyncIterator[Finding]:
        migrate = f"python -m services.{service} migrate"
        try:
            connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS, command_timeout=COMMAND_SECONDS)
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            yield Finding("postgres", False, _no_way_in(error, url, service, setting))
            return
        try:
            role = await connection.fetchval("SELECT current_user || ' in ' || current_database()")
            version = ".".join(map(str, connection.get_server_version()[:2]))
            yield Finding("postgres", True, f"{version}, as {role}")
            yield await _migrations(connection, migrations, migrate)
            tables = await connection.fetch(_LACKING, list(schemas), list(privileges))
            refused = [row["name"] for row in tables if not row["allowed"]]
            if refused:
                grant = f"apply deploy/security/postgres/{service}.sql (docs/transport-security.md)"
                text = f"no right to {', '.join(privileges)} on {', '.join(refused)}: {grant}"
                yield Finding("tables", False, text)
            elif not tables:
                yield Finding("tables", False, f"none in {', '.join(schemas)}: {migrate}")
            else:
                yield Finding("tables", True, f"may {', '.join(privileges)} on all {len(tables)}")
        finally:
            await connection.close(timeout=CONNECT_SECONDS)

    return Probe("postgres", find, setting)


def _no_way_in(error: Exception, url: str, service: str, setting: str) -> str:
    """In one line, and without the URL, which may hold a password."""
    said = str(error).partition("\n")[0] or type(error).__name__
    match error:
        case asyncpg.InvalidCatalogNameError():
            return f"{said}: make it, as deploy/security/postgres/{service}.sql says, or mend {setting}"
        case asyncpg.InsufficientPrivilegeError():
            return f"{said}: apply deploy/security/postgres/{service}.sql, or mend {setting}"
        case asyncpg.PostgresError():
            return f"{said}: mend the role or its password in {setting}, or pg_hba.conf"
        case _:
            parts = urlsplit(url)
            at = f"{parts.hostname or 'the socket'}:{parts.port or 5432}"
            if isinstance(error, ssl.SSLError) or "SSL" in said:
                return f"no TLS with {at} ({said}): mend sslmode or sslrootcert in {setting}"
            return f"{at} does not answer ({type(error).__name__}): start it, or mend {setting}"


async def _migrations(connection: asyncpg.Connection, folder: Path, migrate: str) -> Finding:
    try:
        left = await pending(connection, folder)
    except asyncpg.InsufficientPrivilegeError:
        return Finding("migrations", None, "this role may not see which there were; the owner's may")
    except asyncpg.UndefinedTableError:
        return Finding("migrations", False, f"none applied: {migrate}")
    except ValueError as error:
        return Finding("migrations", False, str(error))
    if left:
        names = ", ".join(name for name, _ in left)
        return Finding("migrations", False, f"not applied: {names}: {migrate}")
    return Finding("migrations", True, "all applied")
