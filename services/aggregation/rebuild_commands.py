"""`rebuild` and `verify`: the figures made from the log again, to replace what is there or to compare."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar

import typer

from chassis import kafka, postgres
from chassis.collecting import collect_seldom
from services.aggregation.bootstrap import rebuild_figures, verify_figures
from services.aggregation.domain import LogShortened
from services.aggregation.rebuilding import Busy
from services.aggregation.settings import Settings
from services.aggregation.terminal import fail, progress, quiet

T = TypeVar("T")
EXAMPLE = "AGGREGATION_DATABASE_URL=postgresql://localhost/figures python -m services.aggregation"


def add_to(cli: typer.Typer, settings: Callable[[], Settings]) -> None:
    """`settings` is called by each command, not before."""

    @cli.command(
        help="Make all figures from the log again, beside those that are read, and put them in their place at"
        " once. Readers notice nothing; workers pause for a moment. Run as the tables' owner. Broken off, it"
        f" goes on where it was. Example: {EXAMPLE} rebuild"
    )
    def rebuild(
        anew: Annotated[
            bool, typer.Option("--anew", help="Forget what a run that was broken off has folded.")
        ] = False,
    ) -> None:
        with progress("folding") as told:
            goes_on = _run(rebuild_figures(quiet(settings()), told, anew=anew))
        since = ", going on where an earlier run was broken off" if goes_on else ""
        typer.echo(f"The figures are those of the log{since}.")

    @cli.command(
        help="Fold the log again and compare every counter with the figures that are read; exit code 1 where"
        f" one differs. Changes nothing; workers pause while it compares. Example: {EXAMPLE} verify"
    )
    def verify(
        as_json: Annotated[bool, typer.Option("--json", help="A JSON object.")] = False,
    ) -> None:
        with progress("folding") as told:
            found = _run(verify_figures(quiet(settings()), told))
        if as_json:
            typer.echo(json.dumps({**found._asdict(), "first": [each._asdict() for each in found.first]}))
        else:
            for each in found.first:
                typer.echo(f"{each.what}: shown is {each.live}, the log says {each.log}")
            typer.echo(f"{found.rows} rows compared, {found.differing} differ")
        if found.differing:
            raise typer.Exit(1)


def _run(work: Coroutine[Any, Any, T]) -> T:
    collect_seldom()
    try:
        return asyncio.run(work)
    except LogShortened as error:
        fail(f"The log does not hold all that the figures are of: {error}.")
    except Busy:
        fail("Another rebuild or verification of this database is under way; wait for its end.")
    except Exception as error:
        if kafka.is_outage(error):
            fail(f"Kafka does not answer: {error!r}. Run it again when it does.")
        if postgres.is_outage(error):
            fail(f"PostgreSQL does not answer: {error!r}. Run it again when it does.")
        raise
