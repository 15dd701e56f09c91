"""Verification's commands."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from chassis import kafka, postgres, traces
from chassis.checking import command as checking
from chassis.collecting import collect_seldom
from chassis.dead_letters.commands import commands as dead_letter_commands
from chassis.http import Address
from chassis.http import serve as serve_app
from chassis.logs import configure
from chassis.postgres import migrate as apply_migrations
from chassis.settings import read
from contracts.topics import RATING_SUBMISSIONS
from services.verification import checks
from services.verification.adapters.key_files import KeyMissing
from services.verification.bootstrap import api_app, catch_up_with_log, worker_app
from services.verification.catching_up import WorkersRun
from services.verification.key_commands import app as keys
from services.verification.settings import Settings
from services.verification.webhook_commands import app as webhooks

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
app.add_typer(keys, name="keys")
app.add_typer(webhooks, name="webhooks")
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
    traces.start("verification-worker", settings.traces)
    with _keys_there(settings):
        application = worker_app(settings)
    collect_seldom()
    serve_app(application, operations=Address(settings.operations_host, settings.worker_operations_port))


@app.command()
def serve() -> None:
    """Serve challenges and outcomes over HTTP. Example: python -m services.verification serve"""
    settings = read(Settings)
    configure("verification", level=settings.log_level)
    traces.start("verification", settings.traces)
    with _keys_there(settings):
        application = api_app(settings)
    serve_app(
        application,
        public=Address(settings.host, settings.port),
        operations=Address(settings.operations_host, settings.operations_port),
    )


@app.command("catch-up")
def catch_up() -> None:
    """Make the database agree with the log, after one of them was restored. All workers have to be stopped.

    Decisions that the log tells are taken over, others forgotten; what is undecided is read again. Run it as
    the tables' owner. Example: python -m services.verification catch-up
    """
    settings = read(Settings)
    configure("verification-catch-up", level="CRITICAL")  # what a client logs on its way is no answer
    try:
        with _keys_there(settings), _progress() as told:
            done = asyncio.run(catch_up_with_log(settings, told))
    except WorkersRun:
        _fail("Workers of verification are running: stop them all. Nothing was changed.")
    except Exception as error:
        if not (kafka.is_outage(error) or postgres.is_outage(error)):
            raise
        _fail(f"No answer ({str(error) or type(error).__name__}). Nothing was changed.")
    print(
        f"{done.read} messages read; {done.taken_over} decisions taken over from the log,"
        f" {done.forgotten} forgotten that it does not tell"
    )
    for partition, offsets in sorted(done.went_back.items()):
        print(f"partition {partition} goes back by {offsets}, to {done.positions[partition].next_offset}")


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("reading the log"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("")
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _fail(text: str) -> NoReturn:
    sys.stderr.write(text + "\n")
    raise typer.Exit(1)


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
