"""`dead-letters list|show|redrive`, the same for every service that has them."""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from chassis.dead_letters.redriving import Overtaken, Selection, Wanted, redrive, select
from chassis.dead_letters.showing import document, table, whole
from chassis.dead_letters.topic import DeadLetterTopic, Entry, Unanswered
from chassis.kafka import KafkaClient
from chassis.logs import configure
from contracts.topics import Topic

T = TypeVar("T")
MANY = 100
_PIPED_WIDTH = 180  # a table that nobody looks at yet is not folded


def commands(source: Topic, *, program: str, client: Callable[[], KafkaClient]) -> typer.Typer:
    """The commands for the dead letters of `source`. `client` is called by each, not before."""
    app = typer.Typer(
        no_args_is_help=True,
        help=f"Messages of {source.name} that could not be read, in {source.dead_letters}.",
    )
    example = f"{program} dead-letters"

    def topic() -> DeadLetterTopic:
        configure(program, level="CRITICAL")  # what a client logs on its way is no answer
        return DeadLetterTopic(client(), source)

    @app.command(
        "list", help=f"The dead letters there are now, oldest first. Example: {example} list --limit 20"
    )
    def list_(
        reason: Annotated[str | None, typer.Option(help="Only those with this reason.")] = None,
        limit: Annotated[int, typer.Option(min=0, help="The newest so many; 0 is all.")] = 50,
        as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line.")] = False,
    ) -> None:
        entries = [e for e in _run(topic().entries()) if reason is None or _reason(e) == reason]
        shown = entries[-limit:] if limit else entries
        if as_json:
            for entry in shown:
                typer.echo(json.dumps(document(entry), ensure_ascii=False))
            return
        if shown:
            _console().print(table(shown))
        waiting = sum(entry.redriven_at is None for entry in entries)
        typer.echo(f"{len(shown)} of {len(entries)} shown, {waiting} not redriven")

    @app.command(
        help=f"One dead letter: its headers, why, and the original bytes. Example: {example} show 42"
    )
    def show(
        offset: Annotated[int, typer.Argument(min=0, help="Its offset in the dead-letter topic.")],
        most: Annotated[int, typer.Option("--bytes", min=0, help="So much of the value, at most.")] = 4096,
    ) -> None:
        record = _run(topic().record(offset))
        if record is None:
            _fail(f"There is nothing at offset {offset} of {source.dead_letters}.")
        typer.echo(whole(record, most=most))

    @app.command(
        "redrive",
        help="Send dead letters to their topic again, as they were; each once, unless --again insists."
        " One that still cannot be read becomes a dead letter again."
        f" Example: {example} redrive --reason unknown_type --dry-run",
    )
    def redrive_(
        offset: Annotated[list[int] | None, typer.Option(help="This one; may be repeated.")] = None,
        reason: Annotated[str | None, typer.Option(help="All with this reason.")] = None,
        everything: Annotated[bool, typer.Option("--all", help="All.")] = False,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent.")] = False,
        again: Annotated[bool, typer.Option("--again", help="Even what was redriven before.")] = False,
    ) -> None:
        if sum((bool(offset), reason is not None, everything)) != 1:
            _fail("Say which: --offset N (once or more), --reason R, or --all.", code=2)
        wanted = Wanted(tuple(offset or ()), reason, again)
        if dry_run:
            _say(select(_run(topic().entries()), wanted, source), "would be redriven")
            return
        _say(_run(_redrive(topic(), wanted)), "redriven")

    return app


async def _redrive(topic: DeadLetterTopic, wanted: Wanted) -> Selection:
    console = Console(stderr=True)
    columns = (TextColumn("redriving"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", visible=False)
        return await redrive(
            topic,
            wanted,
            advance=lambda done, of: bar.update(task, completed=done, total=of, visible=of > MANY),
        )


def _say(selection: Selection, done: str) -> None:
    for entry, why in selection.left:
        typer.echo(f"{entry.offset} {why}")
    if selection.absent:
        absent = ", ".join(map(str, selection.absent))
        _fail(f"Nothing is redriven: there is no dead letter at {absent}.")
    for entry in selection.chosen:
        if entry.letter is not None:
            origin = entry.letter.origin
            typer.echo(f"{entry.offset} {done} to {origin.topic}, partition {origin.partition}")
    typer.echo(f"{len(selection.chosen)} {done}, {len(selection.left)} left out")


def _reason(entry: Entry) -> str | None:
    return None if entry.letter is None else entry.letter.reason


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except (Unanswered, Overtaken) as error:
        _fail(str(error))


def _fail(text: str, *, code: int = 1) -> NoReturn:
    sys.stderr.write(text + "\n")
    raise typer.Exit(code)


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PIPED_WIDTH)
