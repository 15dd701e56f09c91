"""`office issue-forms`, `import-forms`, `forms`: paper forms from the command line, on Kafka itself."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from contracts.city_time import city_day
from services.intake.access import Caller, Role
from services.intake.adapters.key_files import FileKeys
from services.intake.adapters.tables import FORMS_TABLE, read_table
from services.intake.bootstrap import directory_of, paper_of, utc_now
from services.intake.command_line import By, fail, operator, read_settings
from services.intake.domain import form_numbers, paper_table
from services.intake.domain.changes import Impossible
from services.intake.domain.directory import Directory
from services.intake.domain.paper import MOST_ISSUED
from services.intake.domain.paper_table import Plan
from services.intake.domain.table import Row
from services.intake.office import Actor
from services.intake.office_command_line import PROGRAM, explained, progress, run
from services.intake.office_reading import OfficeReading
from services.intake.paper import Imported, Paper
from services.intake.paper_documents import Forms, RunToPrint
from services.intake.paper_reading import PaperReading
from services.intake.ports import Advance, FormsView, KeysMissing, Taken

EVERYTHING = Caller("", Role.AUDITOR)


def add_to(office: typer.Typer) -> None:
    office.command(
        "issue-forms",
        help="Issue numbers for paper forms of an officer, and write what `python -m portal forms` prints."
        f" Example: {PROGRAM} issue-forms so-y-te.le-thi-hoa --count 50 > forms.json",
    )(issue)
    office.command(
        "import-forms",
        help="Count filled-in forms from a CSV or XLSX file with the columns number, given_on, answer and"
        " reasons: shows what is wrong with which row, asks, and counts each form once. Broken off, the same"
        f" command goes on. Example: {PROGRAM} import-forms filled.csv",
    )(import_)
    office.command(
        "forms", help=f"Which paper forms were issued, and how they stand. Example: {PROGRAM} forms"
    )(list_)


def issue(
    officer: Annotated[str, typer.Argument(help="The officer's whole id.")],
    count: Annotated[int, typer.Option(min=1, max=MOST_ISSUED, help="How many forms.")],
    by: By = "",
) -> None:
    with explained(), _secret_there():
        typer.echo(run(_issued(operator(by), officer, count)).model_dump_json(indent=2))


def import_(
    file: Annotated[Path, typer.Argument(help="The file, up to 5,000 rows.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would count, and count none.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; for scripts.")] = False,
    by: By = "",
) -> None:
    with explained(), _secret_there():
        try:
            rows = read_table(file.read_bytes(), FORMS_TABLE)
        except OSError as error:
            fail(f"{file} cannot be read: {error}")
        plan = run(_planned(rows))
        if plan.flaws:
            raise Impossible(*plan.flaws)
        typer.echo(f"{len(plan.new)} forms would count, {plan.there} count already")
        if dry_run or not plan.new:
            return
        if not yes:
            typer.confirm(f"Count these {len(plan.new)} forms?", abort=True)
        with progress() as advance:
            done = run(_imported(operator(by), rows, advance))
    typer.echo(f"{done.counted} forms were sent")


def list_() -> None:
    with explained(), _secret_there():
        found = run(_listed())
    table = Table("numbers", "officer", "edition", "forms", "entered once", "differ", "counted", box=None)
    for each in found.runs:
        stand = each.standings
        counts = (str(stand[name]) for name in ("entered", "differs", "counted"))
        table.add_row(
            f"{each.first} – {each.last}", each.officer.id, each.edition_id, str(each.count), *counts
        )
    Console(highlight=False, width=None if Console().is_terminal else 160).print(table)


async def _issued(actor: Actor, officer: str, count: int) -> RunToPrint:
    async with _office() as (paper, reading):
        issued = await paper.issue(actor, officer, count)
        await reading.caught_up()
        found = reading.run(EVERYTHING, form_numbers.written(issued.first))
    assert found is not None  # noqa: S101 - it was just issued
    return found


async def _planned(rows: list[Row]) -> Plan:
    settings = read_settings()
    there = await directory_of(settings)
    async with paper_of(settings) as (_, forms):
        return paper_table.plan(rows, forms.forms, there, city_day(utc_now()))


async def _imported(actor: Actor, rows: list[Row], advance: Advance) -> Imported:
    async with _office() as (paper, _):
        return await paper.import_rows(actor, rows, most=len(rows), advance=advance)


async def _listed() -> Forms:
    async with _office() as (_, reading):
        return reading.forms(EVERYTHING)


@asynccontextmanager
async def _office() -> AsyncIterator[tuple[Paper, PaperReading]]:
    settings = read_settings()
    there = _There(await directory_of(settings))
    async with paper_of(settings) as (paper, forms):
        yield paper, _reading(there, forms, FileKeys(settings.keys_dir))


def _reading(there: "_There", forms: FormsView, keys: FileKeys) -> PaperReading:
    return PaperReading(OfficeReading(there, _NoTrail(), keys, utc_now), forms)


class _There:
    def __init__(self, directory: Directory) -> None:
        self.current = directory


class _NoTrail:
    current: tuple[Taken, ...] = ()


@contextmanager
def _secret_there() -> Iterator[None]:
    try:
        yield
    except KeysMissing as error:
        fail(f"{error}: run this where intake's keys are (INTAKE_KEYS_DIR).")
