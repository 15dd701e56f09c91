"""The embedded stack from the command line; the Makefile calls this."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated

import typer
from rich.console import Console

from deploy.local import clean as cleaning
from deploy.local import jars as kafka_jars
from deploy.local import lock
from deploy.local.errors import StackError
from deploy.local.layout import Layout
from deploy.local.ports import Ports
from deploy.local.progress import Report
from deploy.local.stack import Stack

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@contextmanager
def _explained() -> Iterator[None]:
    """A failure is one line, what to do, and exit code 1."""
    try:
        yield
    except StackError as error:
        Report(Console(stderr=True, highlight=False, soft_wrap=True)).failed(error)
        raise typer.Exit(1) from error


@app.command()
def run() -> None:
    """Start the whole stack and keep it up until Ctrl-C. Example: python -m deploy.local run"""
    with _explained():
        stack = Stack(Layout(), Ports.read(os.environ), Report())
        asyncio.run(stack.run())


@app.command()
def urls() -> None:
    """Print a name and an address a line for the running stack. Example: python -m deploy.local urls"""
    with _explained():
        for name, url in lock.running_urls(Layout()).items():
            print(f"{name} {url}")


@app.command()
def clean() -> None:
    """Remove data, keys, logs and the outbox. Example: python -m deploy.local clean"""
    with _explained():
        cleaning.clean(Layout())


@app.command()
def outbox() -> None:
    """Print the text messages it would have sent, oldest first. Example: python -m deploy.local outbox"""
    folder = Layout().outbox
    messages = sorted(folder.glob("*")) if folder.is_dir() else []
    for message in messages:
        print(message.read_text(encoding="utf-8").rstrip("\n"))
    if not messages:
        print("No messages yet.")


@app.command()
def status(
    once: Annotated[
        bool, typer.Option("--once", help="Print it and end; with 1 where all is not well.")
    ] = False,
    seconds: Annotated[float, typer.Option(min=0.5, help="Between two looks.")] = 2.0,
) -> None:
    """Show the running stack on one screen: its processes, rates, lag, dead letters and checkpoints. It only
    looks. Example: python -m deploy.local status --once
    """
    # What it asks with costs every other command memory.
    from deploy.local.status import watch  # noqa: PLC0415

    well = True
    with _explained(), suppress(KeyboardInterrupt):
        well = asyncio.run(watch(Layout(), once=once, seconds=seconds))
    raise typer.Exit(0 if well else 1)


@app.command(hidden=True)
def jars() -> None:
    """Download what is missing of Kafka's jars. Example: python -m deploy.local jars"""
    with _explained():
        listed = kafka_jars.read_list(kafka_jars.LIST.read_text())
        kafka_jars.download(listed, Layout().jars)


if __name__ == "__main__":
    app()
