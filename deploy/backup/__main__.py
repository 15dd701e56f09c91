"""Backup and restore of what cannot be made again: the topics, the databases and the keys.

OPERATOR_KAFKA_…, OPERATOR_VERIFICATION_DATABASE_URL, OPERATOR_AGGREGATION_DATABASE_URL and
OPERATOR_RECOVERY_PUBLIC_KEY say where all is. See docs/backup.md.
"""

import asyncio
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from chassis import kafka, logs, postgres
from chassis.settings import read
from deploy.backup import embedded, keys, running
from deploy.backup.files import Manifest, Unusable
from deploy.backup.running import Order, Part, Place, Restored
from deploy.backup.settings import Operator
from deploy.backup.topics import Told
from deploy.local.errors import StackError

T = TypeVar("T")
app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
Folder = Annotated[Path, typer.Argument(help="The backup's folder.")]
Programs = Annotated[Path | None, typer.Option(help="Where pg_dump and pg_restore are, if not on the PATH.")]
CATCH_UP = "python -m services.verification catch-up"


@app.command("recovery-key")
def recovery_key(
    file: Annotated[Path, typer.Argument(help="Where the private half is, or is to be.")],
) -> None:
    """Make the key that opens the keys of backups, unless it is there, and print its public half.

    Keep the file away from backups and services. Example: python -m deploy.backup recovery-key recovery.key
    """
    with _explained():
        typer.echo(keys.create_recovery_key(file))


@app.command()
def take(
    folder: Folder,
    keys_of: Annotated[
        list[Path], typer.Option("--keys", help="A service's folder of keys; once for each.")
    ] = [],  # noqa: B006  typer reads it and gives each call its own
    programs: Programs = None,
) -> None:
    """Take a backup while the services run. The folder has its name once it is whole.

    Example: python -m deploy.backup take /backups/monday --keys /keys/intake --keys /keys/verification
    """
    with _explained():
        operator = read(Operator)
        place = Place(operator.kafka, operator.database_urls(), programs)
        public_key = operator.recovery_public_key
        manifest = _run(running.take(folder, place, keys_of, public_key, _progress))
        _tell(folder, manifest)


@app.command()
def check(folder: Folder) -> None:
    """Whether every file of a backup is as it was written.

    Example: python -m deploy.backup check /backups/monday
    """
    with _explained():
        _tell(folder, running.check(folder, _progress))


@app.command()
def restore(
    folder: Folder,
    keys_to: Annotated[Path | None, typer.Option(help="Services' folders of keys are made in it.")] = None,
    recovery_key: Annotated[Path | None, typer.Option(help="The private half.")] = None,
    only: Annotated[list[Part], typer.Option(help="Only this part; may be given again.")] = [],  # noqa: B006
    programs: Programs = None,
) -> None:
    """Restore into empty topics and empty databases. Broken off, run it again.

    Then catch up, before any worker of verification starts: python -m services.verification catch-up
    Example: python -m deploy.backup restore /backups/monday --keys-to /keys --recovery-key /safe/recovery.key
    """
    with _explained():
        operator = read(Operator)
        parts = set(only or Part)
        urls = {} if parts == {Part.KEYS} else operator.database_urls()
        place = Place(operator.kafka, urls, programs)
        order = Order(parts, keys_to, recovery_key)
        done = _run(running.restore(folder, place, order, _progress))
        _tell_restored(done)
        if parts != {Part.KEYS}:
            typer.echo(f"Before workers of verification start: {CATCH_UP}")


@app.command("take-embedded", hidden=True)
def take_embedded(folder: Annotated[Path | None, typer.Argument()] = None) -> None:
    """`make backup`. Example: python -m deploy.backup take-embedded"""
    with _explained():
        where = folder or embedded.new_name()
        _tell(where, _run(embedded.take(where, _progress)))


@app.command("restore-embedded", hidden=True)
def restore_embedded(folder: Annotated[Path | None, typer.Argument()] = None) -> None:
    """`make restore`. Example: python -m deploy.backup restore-embedded"""
    with _explained():
        done, said = _run(embedded.restore(folder or embedded.latest(), _progress))
        _tell_restored(done)
        typer.echo(said)
        typer.echo("Start it with make run: figures are folded again from the log.")


def _tell(folder: Path, manifest: Manifest) -> None:
    for topic, partitions in manifest.topics.items():
        typer.echo(f"{sum(each.records for each in partitions):>10} records of {topic}")
    for name, file in manifest.databases.items():
        typer.echo(f"{file.size:>10} bytes of the database {name}")
    if manifest.keys is None:
        typer.echo("           no keys: back them up apart, or give --keys")
    else:
        typer.echo(
            f"{len(manifest.keys.names):>10} keys, sealed; {len(manifest.keys.destroyed)} destroyed ones"
        )
    typer.echo(f"{folder}: whole, taken at {manifest.taken_at.isoformat(timespec='seconds')}")


def _tell_restored(done: Restored) -> None:
    typer.echo(f"{done.records} records written, read back and compared; {len(done.keys)} keys restored")
    for name in done.not_restored:
        typer.echo(f"{name} was destroyed since, and stays so")


@contextmanager
def _progress(name: str, total: int) -> Iterator[Told]:
    """A bar on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<24}"), BarColumn(), TimeElapsedColumn())
    with Bars(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        bar = bars.add_task(name, total=total or None)
        yield lambda more: bars.advance(bar, more)


def _run(work: Coroutine[Any, Any, T]) -> T:
    logs.configure("backup", level="CRITICAL")  # what a client logs on its way is no answer
    return asyncio.run(work)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (Unusable, StackError) as error:
        _fail(str(error))
    except Exception as error:
        if not (kafka.is_outage(error) or postgres.is_outage(error)):
            raise
        _fail(f"No answer: {str(error) or type(error).__name__}")


def _fail(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
