"""`keys create|rotate|rotate-challenge|retire|destroy`."""

import asyncio
import json
import sys
from collections.abc import Coroutine
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from chassis import kafka, postgres
from chassis.logs import configure
from chassis.settings import read
from services.verification.adapters.key_files import (
    CHALLENGE_KEY,
    KeyDestroyed,
    KeyMissing,
    TooSoon,
    create_keys,
    destroy_edition,
    retire_key,
    rotate_edition,
    rotate_key,
)
from services.verification.bootstrap import key_checks
from services.verification.keys import StillNeeded, check_destroyed, check_retired, forget_edition
from services.verification.settings import Settings

T = TypeVar("T")
app = typer.Typer(no_args_is_help=True, help="Secrets of this service.")
Edition = Annotated[str, typer.Option(help="The edition's id.")]


@app.command()
def create(edition: Edition) -> None:
    """Make the keys that are missing, and print the edition's newest public key.

    Never overwrites one. Example: python -m services.verification keys create --edition 2017
    """
    try:
        typer.echo(create_keys(read(Settings).keys_dir, edition).model_dump_json())
    except KeyDestroyed as error:
        _fail(_gone(error, edition))


@app.command()
def rotate(edition: Edition) -> None:
    """Make an edition's next sealing key, and print its public half: publish the edition with it.

    Those before it are kept, and still open what was sealed for them.
    Example: python -m services.verification keys rotate --edition 2017
    """
    try:
        typer.echo(rotate_edition(read(Settings).keys_dir, edition).model_dump_json())
    except KeyDestroyed as error:
        _fail(_gone(error, edition))
    except KeyMissing as error:
        _fail(f"There is no {error} to follow on: make it with keys create --edition {edition}")


@app.command("rotate-challenge")
def rotate_challenge(
    force: Annotated[bool, typer.Option(help="Even a moment after the last time.")] = False,
) -> None:
    """Make a new key for challenges. Those made before still count, processes go on.

    Example: python -m services.verification keys rotate-challenge
    """
    try:
        rotate_key(read(Settings).keys_dir, CHALLENGE_KEY, at_once=force)
    except TooSoon:
        _fail(
            "It was rotated less than a day ago, and challenges made before that may wait for their outcome."
            " --force rotates all the same, and has them rejected."
        )
    except KeyMissing as error:
        _fail(f"There is no {error} to follow on: make it with keys create --edition EDITION")
    typer.echo(json.dumps({"rotated": CHALLENGE_KEY}))


@app.command()
def retire(
    key_id: Annotated[str, typer.Option(help="As in what create and rotate printed.")],
    force: Annotated[
        bool, typer.Option(help="Though something may need it, or nobody can be asked.")
    ] = False,
) -> None:
    """Destroy an edition's earlier sealing key, once nothing that is kept can need it.

    Reads all of rating-submissions. Example: python -m services.verification keys retire --key-id 2017-1
    """
    settings = read(Settings)
    if not force:
        _asked(_check_retired(settings, key_id), what=f"{key_id} is kept")
    typer.echo(json.dumps({"key_id": key_id, "retired": retire_key(settings.keys_dir, key_id)}))


@app.command()
def destroy(
    edition: Edition,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; for scripts.")] = False,
    force: Annotated[
        bool, typer.Option(help="Though submissions wait for their outcome, or nobody can be asked.")
    ] = False,
) -> None:
    """Destroy all sealing keys of an edition, for good, and forget the pseudonyms of its ratings.

    No number of the edition can be read any more. Figures stay as they are. Do it after the same in intake.
    Example: python -m services.verification keys destroy --edition 2017
    """
    settings = read(Settings)
    if not force:
        _asked(_check_destroyed(settings, edition), what=f"The keys of edition {edition} are kept")
    if not yes:
        typer.confirm(
            f"Destroy the keys of edition {edition}? Nothing brings them back, and nobody reads its"
            " numbers any more.",
            abort=True,
        )
    destroyed = destroy_edition(settings.keys_dir, edition)
    forgotten = _asked(
        _forget(settings, edition), what="The keys are destroyed; run it again for the database"
    )
    typer.echo(json.dumps({"edition": edition, "destroyed": destroyed, "forgotten": forgotten}))


async def _check_retired(settings: Settings, key_id: str) -> None:
    async with key_checks(settings) as (kept, store):
        await check_retired(kept, store, key_id)


async def _check_destroyed(settings: Settings, edition: str) -> None:
    async with key_checks(settings) as (kept, _):
        await check_destroyed(kept, edition)


async def _forget(settings: Settings, edition: str) -> dict[str, int]:
    async with key_checks(settings) as (_, store):
        return dict(await forget_edition(store, edition))


def _asked(work: Coroutine[Any, Any, T], *, what: str) -> T:
    """The answer of Kafka and the database; without one, or a wrong one, say what is so and end."""
    configure("verification-keys", level="CRITICAL")  # what a client logs on its way is no answer
    try:
        return asyncio.run(work)
    except StillNeeded as error:
        _fail(f"{what}:\n{error}\n--force does it all the same; what needs it is then unreadable for good.")
    except Exception as error:
        if not (kafka.is_outage(error) or postgres.is_outage(error)):
            raise
        _fail(f"{what}: no answer ({str(error) or type(error).__name__})")


def _gone(error: KeyDestroyed, edition: str) -> str:
    if str(error) == edition:
        return (
            f"The keys of edition {edition} were destroyed, for good. A new edition needs an id of its own."
        )
    return f"{error} was retired and is the newest: make the next with keys rotate --edition {edition}"


def _fail(text: str) -> NoReturn:
    sys.stderr.write(text + "\n")
    raise typer.Exit(1)
