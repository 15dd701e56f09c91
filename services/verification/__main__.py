"""Verification's commands."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from chassis.checking import command as checking
from chassis.dead_letters.commands import commands as dead_letter_commands
from chassis.http import Address
from chassis.http import serve as serve_app
from chassis.logs import configure
from chassis.postgres import migrate as apply_migrations
from chassis.settings import read
from contracts.topics import RATING_SUBMISSIONS
from services.verification import checks
from services.verification.adapters.key_files import KeyMissing
from services.verification.bootstrap import api_app, worker_app
from services.verification.key_commands import app as keys
from services.verification.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
app.add_typer(keys, name="keys")
app.add_typer(
    dead_letter_commands(
        RATING_SUBMISSIONS, program="python -m services.verification", client=lambda: read(Settings).kafka
    ),
    name="dead-letters",
)
checking.add_to(
    app, Settings, checks.probes, program="python -m services.verification", processes=checks.PROCESSES
)


@app.command()
def migrate() -> None:
    """Bring the database up to date. Example: python -m services.verification migrate"""
    settings = read(Settings)
    configure("verification", level=settings.log_level)
    applied = asyncio.run(apply_migrations(settings.database_url, checks.MIGRATIONS))
    print(f"applied {len(applied)} migrations")


@app.command()
def worker() -> None:
    """Decide submissions, send phone codes. Example: python -m services.verification worker"""
    settings = read(Settings)
    configure("verification-worker", level=settings.log_level)
    with _keys_there(settings):
        application = worker_app(settings)
    serve_app(application, operations=Address(settings.operations_host, settings.worker_operations_port))


@app.command()
def serve() -> None:
    """Serve challenges and outcomes over HTTP. Example: python -m services.verification serve"""
    settings = read(Settings)
    configure("verification", level=settings.log_level)
    with _keys_there(settings):
        application = api_app(settings)
    serve_app(
        application,
        public=Address(settings.host, settings.port),
        operations=Address(settings.operations_host, settings.operations_port),
    )


@contextmanager
def _keys_there(settings: Settings) -> Iterator[None]:
    try:
        yield
    except KeyMissing as error:
        sys.stderr.write(
            f"{settings.keys_dir}: {error} is missing; make it with: keys create --edition EDITION\n"
        )
        raise typer.Exit(1) from error


if __name__ == "__main__":
    app()
