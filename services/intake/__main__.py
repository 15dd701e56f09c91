"""Intake's commands."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from chassis import http, logs, traces
from chassis.checking import command as checking
from contracts.events import SealingKey
from services.intake import checks, paper_commands
from services.intake.adapters.files import FileInvalid, read_files
from services.intake.adapters.key_files import KeyDestroyed, create_keys, destroy_keys
from services.intake.adapters.retention import KeptTooLong
from services.intake.bootstrap import KafkaAway, create, publish_all
from services.intake.client_commands import app as clients
from services.intake.command_line import By, fail, operator, read_settings
from services.intake.office_commands import app as office
from services.intake.ports import KeysMissing
from services.intake.publishing import Plan
from services.intake.settings import Settings
from services.intake.void_commands import app as voiding

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
keys = typer.Typer(no_args_is_help=True, help="Secrets of this service.")
app.add_typer(keys, name="keys")
app.add_typer(clients, name="clients")
app.add_typer(voiding, name="void")
paper_commands.add_to(office)
app.add_typer(office, name="office")
checking.add_to(app, Settings, checks.probes, program="python -m services.intake", processes=checks.PROCESSES)


@app.command()
def serve() -> None:
    """Take ratings in over HTTP. Example: INTAKE_PORT=8001 python -m services.intake serve"""
    settings = read_settings()
    logs.configure("intake", level=settings.log_level)
    traces.start("intake", settings.traces)
    try:
        application = create(settings)
    except KeysMissing as error:
        fail(
            f"No key in {settings.keys_dir}: {error}."
            " Make it with: python -m services.intake keys create --edition EDITION"
        )
    except OSError as error:
        fail(f"INTAKE_KEYS_DIR cannot be used: {error}")
    http.serve(
        application,
        public=http.Address(settings.host, settings.port),
        operations=http.Address(settings.operations_host, settings.operations_port),
    )


@app.command()
def publish(  # noqa: PLR0917 - options, all by name
    files: Annotated[list[Path], typer.Argument(help="Directory and edition files (YAML).")],
    sealing_key: Annotated[
        str, typer.Option(help="For editions: what `services.verification keys create` printed.")
    ] = "",
    prune: Annotated[bool, typer.Option(help="Remove what is on the log and in none of the files.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Say what would change, and change nothing.")] = False,
    set_retention: Annotated[
        bool, typer.Option(help="Let Kafka keep submissions as long as the strictest edition allows.")
    ] = False,
    by: By = "",
) -> None:
    """Publish directory and edition files: what has changed, once all files are found valid.

    Example: python -m services.intake publish data/directory-2017.yaml --dry-run
    """
    settings = read_settings()
    logs.configure(
        "intake-publish", level="CRITICAL"
    )  # the result, or one line of what went wrong, is enough
    try:
        key = SealingKey.model_validate_json(sealing_key) if sealing_key else None
    except ValidationError:
        fail('--sealing-key must be a line of JSON such as {"key_id": "2017-1", "public_key": "…"}')
    try:
        wanted = read_files(files, key)
        plan = asyncio.run(
            publish_all(
                settings,
                wanted,
                operator(by),
                action="files_published",
                prune=prune,
                dry_run=dry_run,
                set_retention=set_retention,
            )
        )
    except (FileInvalid, KeptTooLong) as error:
        fail(str(error))
    except KafkaAway as error:
        fail(
            f"Kafka at {settings.kafka.bootstrap} did not confirm ({error})."
            " Once it is there, run the same command again: it sends what is not there yet."
        )
    _show(plan, prune=prune)


@keys.command("create")
def create_(edition: Annotated[str, typer.Option(help="The edition's id.")]) -> None:
    """Make the keys that are missing; never overwrites one.

    Example: python -m services.intake keys create --edition 2017
    """
    try:
        print(json.dumps({"created": create_keys(read_settings().keys_dir, edition)}))
    except KeyDestroyed:
        fail(f"The key of edition {edition} was destroyed, for good. A new edition needs an id of its own.")


@keys.command("destroy")
def destroy(
    edition: Annotated[str, typer.Option(help="The edition's id.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; for scripts.")] = False,
) -> None:
    """Destroy an edition's pseudonym key, for good: no number can be linked to a rating any more.

    The edition takes no ratings afterwards. Example: python -m services.intake keys destroy --edition 2017
    """
    if not yes:
        typer.confirm(
            f"Destroy the pseudonym key of edition {edition}? It takes no ratings afterwards, and"
            " nothing brings the key back.",
            abort=True,
        )
    there = destroy_keys(read_settings().keys_dir, edition)
    print(json.dumps({"edition": edition, "destroyed": there}))


def _show(plan: Plan, *, prune: bool) -> None:
    for mark, found in (("+", plan.added), ("~", plan.changed), ("-" if prune else "?", plan.absent)):
        for key in found:
            print(f"{mark} {key}")
    left = "removed" if prune else "on the log and in no file (--prune removes them)"
    print(
        f"{len(plan.added)} added, {len(plan.changed)} changed, {len(plan.unchanged)} unchanged,"
        f" {len(plan.absent)} {left}"
    )


if __name__ == "__main__":
    app()
