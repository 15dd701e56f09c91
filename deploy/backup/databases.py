"""Databases to files and back, by PostgreSQL's own pg_dump and pg_restore."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import asyncpg

from chassis.postgres import CONNECT_SECONDS
from deploy.backup.files import File, Unusable, described, private

AGGREGATION = "aggregation"
DATABASES = ("verification", AGGREGATION)
# Read models that a rebuild or a verification was folding into: their checkpoints mean nothing afterwards.
_LEFT_OUT = ("read_models_next", "read_models_check", "read_models_before")
_TABLES = """
SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
"""
# Figures are folded again, from the beginning of a log whose offsets are others. Revisions go on, so that no
# open dashboard takes new figures for old ones, and this is one: whoever keeps figures by it lets them go.
_EMPTY_READ_MODELS = """
DO $$
DECLARE tables text;
BEGIN
    SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') INTO tables
    FROM pg_catalog.pg_tables WHERE schemaname = 'read_models' AND tablename <> 'revision';
    IF tables IS NOT NULL THEN
        EXECUTE 'TRUNCATE ' || tables;
        UPDATE read_models.revision SET value = value + 1;
    END IF;
END $$
"""


async def take(folder: Path, name: str, url: str, programs: Path | None) -> File:
    """The database at one moment, in pg_dump's custom format. Raises Unusable."""
    path = folder / "databases" / f"{name}.dump"
    left_out = [f"--exclude-schema={schema}" for schema in _LEFT_OUT]
    with private(path) as file:
        await _run(programs, "pg_dump", url, *left_out, "--format=custom", stdout=file.fileno())
    return described(folder, path)


async def put_back(path: Path, name: str, url: str, programs: Path | None) -> None:
    """Into an empty database, all of it or nothing. Raises Unusable, and outages of the database."""
    connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
    try:
        if await connection.fetchval(_TABLES):
            raise Unusable(f"The database {name} is not empty: restore into a new one.")
        # Whoever restores owns what is made; deploy/security/postgres grants the rest.
        plain = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
        await _run(programs, "pg_restore", url, *plain, str(path))
    finally:
        await connection.close(timeout=CONNECT_SECONDS)


async def empty_read_models(url: str) -> None:
    """Of aggregation's database, whose checkpoints mean nothing in a log that was restored."""
    connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
    try:
        await connection.execute(_EMPTY_READ_MODELS)
    finally:
        await connection.close(timeout=CONNECT_SECONDS)


async def _run(
    programs: Path | None, program: str, url: str, *arguments: str, stdout: int = subprocess.DEVNULL
) -> None:
    found = shutil.which(program, path=None if programs is None else str(programs))
    if found is None:
        raise Unusable(f"{program} is not there: install PostgreSQL's client programs, or give --programs.")
    address, secret = _without_password(url)
    process = await asyncio.create_subprocess_exec(
        found,
        f"--dbname={address}",
        *arguments,
        env={**os.environ, **secret},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
    )
    _, errors = await process.communicate()
    if process.returncode:
        said = errors.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise Unusable(f"{program} failed: {said[0]}")


def _without_password(url: str) -> tuple[str, Mapping[str, str]]:
    """The address that anyone may see among the machine's processes, and what nobody shall."""
    parts = urlsplit(url)
    if parts.password is None:
        return url, {}
    where = parts.netloc.rpartition("@")[2]
    user = parts.netloc.partition(":")[0]
    return urlunsplit(parts._replace(netloc=f"{user}@{where}")), {"PGPASSWORD": unquote(parts.password)}
