"""What the office's commands share: how an action is taken, told and explained."""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from contracts.events import DirectoryChange
from services.intake import office_faults
from services.intake.adapters.retention import KeptTooLong
from services.intake.bootstrap import KafkaAway, kafka_answering, office_of
from services.intake.command_line import fail, operator, read_settings
from services.intake.domain.changes import Flaw, Impossible
from services.intake.office import Decide, Done, Moved
from services.intake.ports import Advance

PROGRAM = "python -m services.intake office"
T = TypeVar("T")


def act(by: str, action: str, target: str, decide: Decide) -> None:
    done = run(office_of(read_settings()).act(operator(by), action, target, decide))
    show([change.told for change in done.changes])
    told(done)


def told(done: Done) -> None:
    typer.echo("nothing to change" if done.action_id is None else f"done: action {done.action_id}")


def show(changes: Sequence[DirectoryChange]) -> None:
    marks = {"added": "+", "moved": ">", "closed": "x", "removed": "-"}
    for change in changes:
        fields = "; ".join(f"{f.name}: {f.before or '–'} → {f.after or '–'}" for f in change.fields)
        typer.echo(f"{marks.get(change.change, '~')} {change.key}{f'  {fields}' if fields else ''}")


@contextmanager
def progress() -> Iterator[Advance]:
    columns = (TextColumn("writing"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("writing", total=None)
        yield lambda done, of: shown.update(task, completed=done, total=of)


@contextmanager
def explained() -> Iterator[None]:
    """What cannot be done is a line each, and exit code 1."""
    try:
        yield
    except Impossible as error:
        fail("\n".join(_line(flaw) for flaw in error.flaws))
    except Moved:
        fail("The directory, the day or the file is not what was previewed. Nothing was written; look again.")
    except KeptTooLong as error:
        fail(str(error))
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        fail("\n".join(wrong), code=2)


def _line(flaw: Flaw) -> str:
    row = f"row {flaw.row}: " if flaw.row else ""
    return f"{row}{f'{flaw.field}: ' if flaw.field else ''}{office_faults.say(flaw, 'en')}"


def run(work: Coroutine[Any, Any, T]) -> T:
    async def answered() -> T:
        async with kafka_answering():
            return await work

    try:
        return asyncio.run(answered())
    except KafkaAway as error:
        fail(
            f"Kafka did not answer or confirm ({error}). Once it is there, look at `{PROGRAM} actions`, then"
            " run the same command again: what is there already is not written twice."
        )
