"""`check`, the same for every program."""

import asyncio
import sys
from collections.abc import Callable, Collection, Iterable
from typing import Annotated, TypeVar

import typer

from chassis import logs
from chassis.checking.findings import Finding, Probe, lines, look
from chassis.settings import FromEnvironment, read, unknown

S = TypeVar("S", bound=FromEnvironment)


def add_to(
    cli: typer.Typer,
    kind: type[S],
    probes: Callable[[S, Collection[str]], Iterable[Probe]],
    *,
    program: str,
    processes: tuple[str, ...],
) -> None:
    """`probes` are those of the processes named."""
    named = " or ".join(processes)

    @cli.command(
        help="See whether everything is there that a process needs; say what is missing and how to get it."
        " Nothing is written anywhere. Exits with 1 where something is missing, within half a minute."
        f" Example: {program} check {processes[-1]}"
    )
    def check(
        process: Annotated[str, typer.Argument(help=f"{named}; without it, whatever any needs.")] = "",
    ) -> None:
        if process and process not in processes:
            sys.stderr.write(f"There is no process {process}: {named}.\n")
            raise typer.Exit(2)
        settings = read(kind)
        logs.configure(program, level="CRITICAL")  # what a client logs on its way is no answer
        strange = [Finding(name, False, text) for name, text in unknown(kind).items()]
        asked = (process,) if process else processes
        found = [*strange, *asyncio.run(look(probes(settings, asked)))]
        for line in lines(found):
            typer.echo(line)
        missing = sum(each.ok is False for each in found)
        typer.echo(f"{missing} missing" if missing else "all there")
        raise typer.Exit(1 if missing else 0)
