"""`webhooks add|rotate|remove|list|aside|send-again`: portals that are told of outcomes."""

import asyncio
import secrets
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, NoReturn, TypeVar
from urllib.parse import urlsplit

import typer

from chassis import postgres
from chassis.logs import configure
from chassis.settings import read
from services.verification.adapters.key_files import WebhookSecrets
from services.verification.adapters.webhook_outbox import PostgresWebhooks
from services.verification.bootstrap import webhook_endpoints
from services.verification.domain.webhooks import OVERLAP, SALT_BYTES, Endpoint, shown
from services.verification.ports import NotTaken
from services.verification.settings import Settings

PROGRAM = "python -m services.verification webhooks"
T = TypeVar("T")
app = typer.Typer(
    no_args_is_help=True, help="Portals that are told what became of the ratings that they posted."
)
ClientId = Annotated[str, typer.Argument(help="The client's id, as intake's `clients list` shows it.")]


@app.command(
    help="Tell a client the outcomes of what it posts from now on, at an address of its own. Prints the"
    f" secret that it checks signatures with, this once. Example: {PROGRAM} add portal https://portal.example/outcomes"
)
def add(client_id: ClientId, url: Annotated[str, typer.Argument(help="https://…")]) -> None:
    private = read(Settings).webhooks_private
    _check(url, private=private)
    salt = secrets.token_bytes(SALT_BYTES)

    async def work(store: PostgresWebhooks, keys: WebhookSecrets) -> str:
        text = _secret(keys, client_id, url, salt)
        if not await store.add(client_id, url, salt):
            _fail(f"{client_id} is told already. {PROGRAM} remove {client_id} ends that.")
        return text

    _hand_over(client_id, _run(work))


@app.command(
    help="Give a client another secret. For a while both count, so that it can change over."
    f" Example: {PROGRAM} rotate portal --overlap-days 7"
)
def rotate(
    client_id: ClientId,
    overlap_days: Annotated[int, typer.Option(min=0, help="How long the one before counts.")] = OVERLAP.days,
) -> None:
    salt = secrets.token_bytes(SALT_BYTES)

    async def work(store: PostgresWebhooks, keys: WebhookSecrets) -> str:
        text = _secret(keys, client_id, "", salt)
        if not await store.rotate(client_id, salt, timedelta(days=overlap_days)):
            _unknown(client_id)
        return text

    _hand_over(client_id, _run(work))


@app.command(help=f"Tell a client nothing any more, not what waits either. Example: {PROGRAM} remove portal")
def remove(client_id: ClientId) -> None:
    if not _run(lambda store, _: store.remove(client_id)):
        _unknown(client_id)
    typer.echo(f"{client_id}: told nothing any more")


@app.command("list", help=f"Who is told, where, and how much waits. Example: {PROGRAM} list")
def list_() -> None:
    for client, url, added, waiting, aside in _run(lambda store, _: store.listed()):
        typer.echo(f"{client} {url} since {added:%Y-%m-%d}: {waiting} waiting, {aside} set aside")


@app.command(
    help="Outcomes that a client did not take for a day, and what the last try met with."
    f" Example: {PROGRAM} aside portal"
)
def aside(client_id: ClientId) -> None:
    for each in _run(lambda store, _: store.aside(client_id)):
        typer.echo(f"{each.rating_id} {each.set_aside_at:%Y-%m-%d %H:%M} {each.attempts} {each.last_failure}")


@app.command(
    "send-again",
    help=f"Try for another day what was set aside, under the same ids. Example: {PROGRAM} send-again portal",
)
def send_again(client_id: ClientId) -> None:
    typer.echo(f"{client_id}: {_run(lambda store, _: store.send_again(client_id))} outcomes wait again")


def _secret(keys: WebhookSecrets, client_id: str, url: str, salt: bytes) -> str:
    try:
        [newest] = keys.of(Endpoint(client_id, url, (salt,)))
    except NotTaken as error:
        _fail(f"{error}: make it with python -m services.verification keys create --edition EDITION")
    return shown(newest)


def _hand_over(client_id: str, secret: str) -> None:
    typer.echo(f"{client_id}: secret, shown this once and kept nowhere:")
    typer.echo(secret)


def _check(url: str, *, private: bool) -> None:
    parts = urlsplit(url)
    if not parts.hostname or parts.username or parts.fragment:
        _fail("The address must be https://HOST/PATH, without a user or a fragment.")
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        _fail("The address must be https://…: what it says is between the two of us.")


def _run(work: Callable[[PostgresWebhooks, WebhookSecrets], Awaitable[T]]) -> T:
    settings = read(Settings)
    configure("verification-webhooks", level="CRITICAL")  # one line of what went wrong is enough

    async def done() -> T:
        async with webhook_endpoints(settings) as (store, keys):
            return await work(store, keys)

    try:
        return asyncio.run(done())
    except Exception as error:
        if not postgres.is_outage(error):
            raise
        _fail(f"The database did not answer ({str(error) or type(error).__name__}). Nothing was changed.")


def _unknown(client_id: str) -> NoReturn:
    _fail(f"{client_id} is not told of outcomes. {PROGRAM} list names who is.")


def _fail(text: str) -> NoReturn:
    sys.stderr.write(text + "\n")
    raise typer.Exit(1)
