"""`forms`: paper forms for the printer."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from chassis import logs
from portal.apis.office_forms import RunToPrint
from portal.i18n import load
from portal.poster_commands import fail
from portal.posters import forms as papers
from portal.posters.setting import NotDrawn, Setter


def forms(
    issued: Annotated[
        Path,
        typer.Argument(help="What `python -m services.intake office issue-forms` wrote; - reads it here."),
    ],
    to: Annotated[Path, typer.Option(help="The folder to write to; made where it is missing.")],
) -> None:
    """Write the paper forms that were issued, a page each, as PDFs of fifty.

    Each has its number, with a check digit, and a QR code of it. Print each once: a number counts once.

    Example: python -m services.intake office issue-forms so-y-te.le-thi-hoa --count 50 | python -m portal
    forms - --to forms
    """
    logs.configure("portal-forms", level="CRITICAL")  # one line of what went wrong is enough
    try:
        content = typer.get_binary_stream("stdin").read() if str(issued) == "-" else issued.read_bytes()
        run = RunToPrint.model_validate_json(content)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}")
    except ValidationError:
        fail(f"{issued} is not what `python -m services.intake office issue-forms` writes.")
    languages, setter = load(), Setter()
    columns = (TextColumn("forms"), BarColumn(), MofNCompleteColumn())
    try:
        to.mkdir(parents=True, exist_ok=True)
        with Progress(*columns, console=Console(stderr=True)) as progress:
            task = progress.add_task("forms", total=run.count)
            for numbers in papers.parts(run):
                made = setter.set(papers.sheet(run, numbers, languages=languages))
                (to / papers.file_name(run, numbers)).write_bytes(made)
                progress.advance(task, len(numbers))
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}")
    except NotDrawn as error:
        fail(f"The forms could not be set: {error}")
    typer.echo(f"{run.count} forms in {to}")
