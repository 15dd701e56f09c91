"""`clients add|rotate|revoke|list`: who may post on citizens' behalf."""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from chassis import logs
from contracts.city_time import city_day
from contracts.events import ApiClientPublished
from services.intake.adapters import client_key_files
from services.intake.bootstrap import KafkaAway, api_clients, publish_all
from services.intake.command_line import fail, operator, read_settings
from services.intake.domain import clients
from services.intake.domain.clients import CHANNELS, SCREEN, Made

PROGRAM = "python -m services.intake clients"
OVERLAP_DAYS = 7
T = TypeVar("T")
_DAY = ["%Y-%m-%d"]
_PIPED_WIDTH = 160  # a table that nobody looks at yet is not folded

ClientId = Annotated[str, typer.Argument(help="The client's id, such as `portal`.")]
Expires = Annotated[
    datetime | None, typer.Option(formats=_DAY, help="First day on which the key is refused.")
]
KeyFile = Annotated[
    Path | None, typer.Option(help="Write the key here, for its owner alone, instead of printing it.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")]

app = typer.Typer(
    no_args_is_help=True,
    help="API clients that post ratings on citizens' behalf, and their keys. In force within a second.",
)


@app.command(
    help="Let a client in, with a first key. With --key-file, it may be run again at each start: where the"
    " file holds a key in force, nothing is done; else the client gets another one."
    f" Example: {PROGRAM} add portal --name 'City portal' --channel portal --channel qr --key-file portal.key"
)
def add(  # noqa: PLR0917 - options, all by name
    client_id: ClientId,
    channel: Annotated[list[str], typer.Option(help="A channel that it may post through; may be repeated.")],
    name: Annotated[str, typer.Option(help="Who it is, in words.")] = "",
    vouches: Annotated[
        bool, typer.Option("--vouches", help="It is a screen of ours, which stands for its ratings.")
    ] = False,
    expires: Expires = None,
    key_file: KeyFile = None,
    dry_run: DryRun = False,
) -> None:
    unknown = sorted(set(channel) - set(CHANNELS))
    if unknown:
        fail(f"There is no channel {', '.join(unknown)}; there are {', '.join(CHANNELS)}.", code=2)
    if vouches and SCREEN not in channel:
        fail(f"Only a screen vouches: add --channel {SCREEN}.", code=2)
    client = _there().get(client_id)
    if client is None:
        try:
            made = clients.added(client_id, name or client_id, channel, _day(expires), vouches=vouches)
        except ValidationError as error:
            fail(f"{client_id}: {error.errors()[0]['msg']}", code=2)
    elif key_file is None:
        fail(f"There is a client {client_id} already. {PROGRAM} rotate {client_id} gives it another key.")
    elif clients.holder(client_key_files.read(key_file), {client_id: client}, _today()):
        typer.echo(f"{client_id}: the key in {key_file} is in force")
        return
    else:
        made = clients.rotated(client, expires_on=_day(expires))
    _hand_over(made, key_file, dry_run=dry_run)


@app.command(
    help="Give a client another key; those that it has go on for a while, so that it can change over."
    f" Example: {PROGRAM} rotate portal --overlap-days 7"
)
def rotate(
    client_id: ClientId,
    overlap_days: Annotated[int, typer.Option(min=0, help="How long the others go on.")] = OVERLAP_DAYS,
    expires: Expires = None,
    key_file: KeyFile = None,
    dry_run: DryRun = False,
) -> None:
    ends = _today() + timedelta(days=overlap_days)
    made = clients.rotated(_known(client_id), old_expire_on=ends, expires_on=_day(expires))
    _hand_over(made, key_file, dry_run=dry_run)


@app.command(
    help="Take a key away, or all of them: then the client is shut out, and stays listed."
    f" Example: {PROGRAM} revoke portal --key 3f9a01bc"
)
def revoke(
    client_id: ClientId,
    key: Annotated[str | None, typer.Option(help="This key alone, by its id.")] = None,
    dry_run: DryRun = False,
) -> None:
    client = _known(client_id)
    left = clients.revoked(client, key)
    gone = len(client.keys) - len(left.keys)
    if key is not None and not gone:
        fail(f"{client_id} has no key {key}. {PROGRAM} list names them.")
    if not dry_run:
        _publish(left)
    typer.echo(f"{client_id}: {gone} of {len(client.keys)} keys {'would be ' if dry_run else ''}revoked")


@app.command(
    help="Say whether a screen stands for its ratings in place of phone and code. In force within a second,"
    f" where the edition lets devices vouch. Example: {PROGRAM} vouch quay-1 --no"
)
def vouch(
    client_id: ClientId,
    yes: Annotated[bool, typer.Option("--yes/--no", help="Whether it does.")] = True,
    dry_run: DryRun = False,
) -> None:
    client = _known(client_id)
    if yes and SCREEN not in client.channels:
        fail(f"{client_id} has not the channel {SCREEN}: only a screen vouches.", code=2)
    if not dry_run and client.vouches != yes:
        _publish(client.model_copy(update={"vouches": yes}))
    would = "would vouch" if dry_run else "vouches"
    typer.echo(f"{client_id}: {would} for its ratings" if yes else f"{client_id}: vouches for none")


@app.command("list", help=f"The clients, and their keys by id. Example: {PROGRAM} list")
def list_() -> None:
    table = Table("client", "name", "channels", "vouches", "key", "refused from", box=None)
    for _, client in sorted(_there().items()):
        vouches = "yes" if client.vouches else ""
        row = (client.client_id, client.name, ", ".join(client.channels), vouches)
        for key in client.keys:
            over = "" if clients.in_force(key, _today()) else " (over)"
            table.add_row(*row, key.key_id, f"{key.expires_on or ''}{over}")
        if not client.keys:
            table.add_row(*row, "none: shut out", "")
    console = Console(highlight=False)
    (console if console.is_terminal else Console(highlight=False, width=_PIPED_WIDTH)).print(table)


def _hand_over(made: Made, key_file: Path | None, *, dry_run: bool) -> None:
    """Publish the client, then give its newest key to whoever asked: this once."""
    client_id, key_id = made.client.client_id, made.client.keys[-1].key_id
    if dry_run:
        typer.echo(f"{client_id}: a key would be added")
        return
    _publish(made.client)
    if key_file is None:
        typer.echo(f"{client_id}: key {key_id}, shown this once and kept nowhere:")
        typer.echo(made.key)
        return
    try:
        client_key_files.write(key_file, made.key)
    except OSError as error:
        fail(f"The key cannot be written: {error}. It is lost; {PROGRAM} rotate {client_id} gives another.")
    typer.echo(f"{client_id}: key {key_id} written to {key_file}")


def _known(client_id: str) -> ApiClientPublished:
    found = _there().get(client_id)
    if found is None:
        fail(f"There is no client {client_id}. {PROGRAM} list names them.")
    return found


def _there() -> dict[str, ApiClientPublished]:
    logs.configure("intake-clients", level="CRITICAL")  # one line of what went wrong is enough
    return _run(api_clients(read_settings()))


def _publish(client: ApiClientPublished) -> None:
    wanted = {f"client:{client.client_id}": client}
    [target] = wanted
    _run(
        publish_all(
            read_settings(),
            wanted,
            operator(),
            action="client_published",
            target=target,
            prune=False,
            dry_run=False,
        )
    )


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except KafkaAway as error:
        fail(f"Kafka did not answer or confirm ({error}). Once it is there, run the same command again.")


def _today() -> date:
    return city_day(datetime.now(UTC))


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()
