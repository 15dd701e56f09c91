"""`report` and `open-data`: what is public, as files."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import typer

from chassis import postgres
from chassis.problems import Problem
from services.aggregation.adapters.files_handled import InvalidFiles
from services.aggregation.answers import looking_back, period_of, scopes_of
from services.aggregation.bootstrap import published_days, read_report
from services.aggregation.documents import Period
from services.aggregation.open_data import catalogue, lines
from services.aggregation.reports.files import written
from services.aggregation.reports.report import Format, Order
from services.aggregation.settings import Settings
from services.aggregation.terminal import fail, progress, quiet

EXAMPLE = "AGGREGATION_DATABASE_URL=postgresql://localhost/figures python -m services.aggregation"
First = Annotated[str | None, typer.Option("--from", help="First day, city time: 2017-11-23.")]
Last = Annotated[str | None, typer.Option("--to", help="Last day, inclusive.")]


def add_to(cli: typer.Typer, settings: Callable[[], Settings]) -> None:
    """`settings` is called by each command, not before."""

    @cli.command(
        help="Write the public figures of a place and a period to a file, as the API gives them."
        f" Example: {EXAMPLE} report --scope unit:so-tu-phap --from 2017-11-01 --to 2017-11-30"
        " --format pdf --language vi --out so-tu-phap.pdf"
    )
    def report(
        *,
        out: Annotated[Path, typer.Option(help="The file; an older one is replaced.")],
        scope: Annotated[str, typer.Option(help="city, group:ID, unit:ID or officer:ID.")] = "city",
        first: First = None,
        last: Last = None,
        edition: Annotated[str | None, typer.Option(help="An edition's id; all editions without.")] = None,
        kind: Annotated[Format, typer.Option("--format")] = Format.PDF,
        language: Annotated[Literal["vi", "en"], typer.Option(help="Of the file's texts.")] = "vi",
        as_of: Annotated[
            str | None, typer.Option(help="How it stood at the end of this day, city time.")
        ] = None,
        joined: Annotated[
            Literal["predecessors"] | None,
            typer.Option("--with", help="Of a unit: with what merged into it."),
        ] = None,
        bom: Annotated[bool, typer.Option("--bom", help="Begin CSV with a byte order mark.")] = False,
    ) -> None:
        with progress("reading") as told, _one_line():
            (place,), asked = scopes_of([scope]), period_of(edition, first, last)
            period = replace(looking_back(asked, as_of), predecessors=joined is not None)
            order = Order(place, period, kind, language, bom)
            found = asyncio.run(read_report(quiet(settings()), order, told))
            size = _write(out, written(found, kind, bom=bom))
        typer.echo(f"{out}: {size:,} bytes")

    @cli.command(
        "open-data",
        help="Write the published ratings of each day to a file of its own, as the API gives them."
        f" Example: {EXAMPLE} open-data --out open-data --from 2017-11-01 --to 2017-11-30",
    )
    def open_data(
        out: Annotated[Path, typer.Option(help="The folder; it is made where it is missing.")],
        first: First = None,
        last: Last = None,
    ) -> None:
        with progress("writing") as told, _one_line():
            period = period_of(None, first, last)
            found = asyncio.run(published_days(quiet(settings())))
            out.mkdir(parents=True, exist_ok=True)
            days = [day for day in catalogue(found).days if _within(day.day, period)]
            for done, each in enumerate(days, start=1):
                _write(out / f"{each.day}.jsonl", lines(each.day, found))
                told(done, len(days))
        typer.echo(f"{out}: {len(days)} days, {sum(each.ratings for each in days):,} ratings")


def _within(day: date, period: Period) -> bool:
    return (period.first or date.min) <= day <= (period.last or date.max)


def _write(file: Path, pieces: Iterable[bytes]) -> int:
    """The whole file or, where something is in the way, what was there. Returns its size."""
    beside = file.with_name(f".{file.name}.part")
    try:
        with beside.open("wb") as opened:
            size = sum(opened.write(piece) for piece in pieces)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
    return size


@contextmanager
def _one_line() -> Iterator[None]:
    """Whatever a caller can mend is said in one line."""
    try:
        yield
    except Problem as problem:
        found = [error.detail.say("en", error.values) for error in problem.errors]
        fail(" ".join(found or [problem.kind.detail.say("en", problem.values)]))
    except InvalidFiles as error:
        fail(f"AGGREGATION_FILES_HANDLED_FILE: {error}")
    except Exception as error:
        if isinstance(error, OSError) and error.filename is not None:
            fail(f"{error.filename}: {error.strerror}")
        if postgres.is_outage(error):
            fail(f"PostgreSQL does not answer: {error!r}. Run it again when it does.")
        raise
