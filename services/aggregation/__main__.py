"""python -m services.aggregation"""

import asyncio

import typer

from chassis import http, logs, postgres, traces
from chassis.checking import command as checking
from chassis.collecting import collect_seldom
from chassis.dead_letters.commands import commands as dead_letter_commands
from chassis.settings import read
from contracts.topics import RATING_OUTCOMES
from services.aggregation import checks, rebuild_commands, report_commands
from services.aggregation.adapters.files_handled import InvalidFiles
from services.aggregation.bootstrap import api_app, worker_app
from services.aggregation.settings import Settings

cli = typer.Typer(
    help="Folds outcomes of ratings into figures, and answers with them.",
    no_args_is_help=True,
    add_completion=False,
)
cli.add_typer(
    dead_letter_commands(
        RATING_OUTCOMES,
        program="python -m services.aggregation",
        client=lambda: read(Settings).kafka,
    ),
    name="dead-letters",
)
checking.add_to(
    cli, Settings, checks.probes, program="python -m services.aggregation", processes=checks.PROCESSES
)

rebuild_commands.add_to(cli, lambda: read(Settings))
report_commands.add_to(cli, lambda: read(Settings))


@cli.command()
def migrate() -> None:
    """Bring the database's tables up to date.

    Example: AGGREGATION_DATABASE_URL=postgresql://localhost/figures python -m services.aggregation migrate
    """
    settings = _settings()
    for name in asyncio.run(postgres.migrate(settings.database_url, checks.MIGRATIONS)):
        print(name)


@cli.command()
def worker() -> None:
    """Fold outcomes from Kafka into figures.

    Example: AGGREGATION_WORKER_OPERATIONS_PORT=8013 python -m services.aggregation worker
    """
    settings = _settings()
    traces.start("aggregation-worker", settings.traces)
    operations = http.Address(settings.operations_host, settings.worker_operations_port)
    collect_seldom()
    http.serve(worker_app(settings), operations=operations)


@cli.command()
def serve() -> None:
    """Answer queries and send live figures over HTTP.

    Example: AGGREGATION_PORT=8003 python -m services.aggregation serve
    """
    settings = _settings()
    traces.start("aggregation", settings.traces)
    try:
        app = api_app(settings)
    except InvalidFiles as error:
        typer.echo(f"AGGREGATION_FILES_HANDLED_FILE: {error}", err=True)
        raise typer.Exit(1) from None
    http.serve(
        app,
        public=http.Address(settings.host, settings.port),
        operations=http.Address(settings.operations_host, settings.operations_port),
        # Later than a stream gives up by itself, which is counted.
        stalled_seconds=2 * settings.live_slow_seconds,
    )


def _settings() -> Settings:
    settings = read(Settings)
    logs.configure("aggregation", level=settings.log_level)
    return settings


if __name__ == "__main__":
    cli()
