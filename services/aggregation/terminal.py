"""How commands speak: progress on a terminal alone, and one line where something is in the way."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from chassis import logs
from services.aggregation.settings import Settings


def quiet(settings: Settings) -> Settings:
    logs.configure("aggregation", level="CRITICAL")  # what a client logs on its way is no answer
    return settings


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Yields what to tell: how much is done, of how much."""
    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("")
        yield lambda done, total: bar.update(task, completed=done, total=total)


def fail(text: str) -> NoReturn:
    sys.stderr.write(text + "\n")
    raise typer.Exit(2)
