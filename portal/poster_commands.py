"""`posters` and `poster-keys rotate|retire`: sheets for the printer, and the keys behind their codes."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NoReturn

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from chassis import logs
from chassis.key_files import KeyMissing
from chassis.readiness import Check
from chassis.settings import read
from portal.apis.http import Api, Refused, Unavailable
from portal.apis.intake import Intake, Register
from portal.apis.key import IntakeKey
from portal.i18n import load
from portal.posters import codes, sheets
from portal.posters.codes import Codes, Target
from portal.posters.setting import Setter
from portal.posters.sheets import FORMATS, PAPERS, Subject
from portal.settings import Settings

keys = typer.Typer(no_args_is_help=True, help="The keys that make posters genuine.")


def posters(
    to: Annotated[Path, typer.Option(help="The folder to write to; made where it is missing.")],
    unit: Annotated[
        list[str] | None, typer.Option(help="This unit alone, by its id; may be repeated. Else all.")
    ] = None,
) -> None:
    """Write the posters and desk cards of all officers who take ratings, and their units' posters.

    As PDF and SVG, in a folder a unit.

    Example: python -m portal posters --unit so-noi-vu --to posters
    """
    settings = read(Settings)
    logs.configure("portal-posters", level="CRITICAL")  # one line of what went wrong is enough
    if settings.public_url is None:
        fail("PORTAL_PUBLIC_URL is not set: the codes need the address that citizens' phones reach.")
    try:
        register = asyncio.run(_register(str(settings.intake_url)))
        codes.ensure_key(settings.keys_dir)
        written = _write(to, Codes(settings.keys_dir), list(_subjects(register, unit)), settings)
    except (Unavailable, Refused) as error:
        fail(
            f"Intake at {settings.intake_url} gave no directory ({error}). Once it is there, run this again."
        )
    except KeyMissing:
        fail("Every key was retired. Make one with: python -m portal poster-keys rotate")
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}")
    typer.echo(f"{written} sheets in {to}")


@keys.command("rotate")
def rotate() -> None:
    """Make another key for sheets that are made from now on; those that hang go on.

    Example: python -m portal poster-keys rotate
    """
    try:
        number = codes.rotate(read(Settings).keys_dir)
    except codes.NoMoreKeys:
        fail(f"All {codes.MOST} keys were made already.")
    typer.echo(f"{codes.file_name(number)} made: codes made from now on begin with {codes.ALPHABET[number]}")


@keys.command("retire")
def retire(
    number: Annotated[int, typer.Argument(min=1, max=codes.MOST, help="The number in the key's file name.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; for scripts.")] = False,
) -> None:
    """Destroy a key, for good: whoever scans a sheet that was made with it is told that it is not ours.

    Example: python -m portal poster-keys retire 1
    """
    if not yes:
        mark = codes.ALPHABET[number]
        typer.confirm(f"Sheets whose codes begin with {mark} will lead nowhere. Go on?", abort=True)
    there = codes.retire(read(Settings).keys_dir, number)
    typer.echo(f"{codes.file_name(number)} {'destroyed' if there else 'was not there'}")


def fail(text: str) -> NoReturn:
    sys.stderr.write(text + "\n")
    raise typer.Exit(1)


async def _register(url: str) -> Register:
    async with httpx.AsyncClient(base_url=url) as client:
        return await Intake(Api(client, Check("intake")), IntakeKey(None)).register()


def _subjects(register: Register, wanted: list[str] | None) -> Iterator[tuple[str, Subject]]:
    """The unit's id beside each."""
    unknown = sorted(set(wanted or ()) - {unit.id for unit in register.units})
    if unknown:
        fail(f"There is no unit {', '.join(unknown)}.")
    for unit in register.units:
        officers = [each for each in register.officers if each.active and each.unit.id == unit.id]
        if not officers or (wanted and unit.id not in wanted):
            continue
        yield unit.id, Subject(Target("unit", unit.id), unit.name)
        for each in officers:
            target = Target("officer", each.id)
            yield unit.id, Subject(target, unit.name, each.name, each.title, each.sample)


def _write(to: Path, made: Codes, subjects: list[tuple[str, Subject]], settings: Settings) -> int:
    site, languages, setter = str(settings.public_url).rstrip("/"), load(), Setter()
    every = [
        (unit, subject, paper, format)
        for unit, subject in subjects
        for paper in PAPERS[subject.target.kind]
        for format in FORMATS
    ]
    columns = (TextColumn("sheets"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        for unit, subject, paper, format in progress.track(every):
            sheet = sheets.sheet(
                subject, made.code(subject.target), site=site, paper=paper, format=format, languages=languages
            )
            file = to / unit / sheets.file_name(subject, paper, format)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(setter.set(sheet))
    return len(every)
