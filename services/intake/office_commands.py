"""`office …`: the office console's actions from the command line, on Kafka itself."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from chassis import logs
from contracts.city_time import city_day
from contracts.events import Text
from services.intake.access import Caller, Role
from services.intake.adapters.key_files import FileKeys
from services.intake.adapters.tables import directory_table, read_table
from services.intake.bootstrap import directory_of, office_of, trail_of, utc_now
from services.intake.command_line import By, fail, operator, read_settings
from services.intake.domain import editions, importing, units
from services.intake.domain.changes import Impossible
from services.intake.domain.directory import Directory
from services.intake.office import Moved
from services.intake.office_api import trail_table
from services.intake.office_command_line import PROGRAM, act, explained, progress, run, show, told
from services.intake.office_reading import OfficeReading, Wanted
from services.intake.ports import Taken

_DAY = ["%Y-%m-%d"]

UnitId = Annotated[str, typer.Argument(help="The unit's id, such as so-y-te.")]
On = Annotated[datetime, typer.Option(formats=_DAY, help="The first day on which it is so.")]
Vi = Annotated[str, typer.Option(help="The name in Vietnamese.")]
En = Annotated[str, typer.Option(help="The name in English.")]

app = typer.Typer(
    no_args_is_help=True,
    help="The survey office: import the directory, open, rename, close, merge and reopen units, move"
    " officers, close editions, and read who did what. Editions are published with `publish`.",
)


@app.callback()
def _quiet() -> None:
    logs.configure("intake-office", level="CRITICAL")  # the result, or what is wrong, is enough


@app.command(
    "import",
    help="Import units and officers from a CSV or XLSX file: shows what it changes, asks, and applies exactly"
    f" that. Example: {PROGRAM} import units.csv --dry-run",
)
def import_(  # noqa: PLR0917 - options, all by name
    file: Annotated[Path, typer.Argument(help="The file; `export` shows the columns.")],
    complete: Annotated[
        bool, typer.Option("--complete", help="It is the whole directory: who is not in it is closed today.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show it and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; for scripts.")] = False,
    expect: Annotated[str, typer.Option(help="Apply only if the preview has this digest.")] = "",
    by: By = "",
) -> None:
    with explained():
        try:
            rows = read_table(file.read_bytes())
        except OSError as error:
            fail(f"{file} cannot be read: {error}")
        settings = read_settings()
        there = run(directory_of(settings))
        plan = importing.plan(rows, there, city_day(utc_now()), complete=complete)
        if plan.flaws:
            raise Impossible(*plan.flaws)
        show([change.told for change in plan.changes])
        absent = f", {len(plan.absent)} on the log and in no row" if plan.absent and not complete else ""
        typer.echo(f"{len(plan.changes)} change, {plan.unchanged} stay as they are{absent}")
        typer.echo(f"digest {plan.digest}")
        if dry_run or not plan.changes:
            return
        if expect not in ("", plan.digest):
            raise Moved
        if not (yes or expect):
            typer.confirm("Apply this?", abort=True)
        with progress() as advance:
            done = run(
                office_of(settings).import_table(
                    operator(by), rows, complete=complete, digest=plan.digest, advance=advance
                )
            )
    told(done)


@app.command(
    help=f"Write the directory as CSV: what `import` takes. Example: {PROGRAM} export > directory.csv"
)
def export() -> None:
    there = run(directory_of(read_settings()))
    typer.echo(directory_table(there).decode("utf-8"), nl=False)


@app.command(
    "open-unit",
    help="Open a unit, at the end of its group. A new group needs names."
    f" Example: {PROGRAM} open-unit so-moi --group so-ban-nganh --vi 'Sở mới' --en 'New department'",
)
def open_unit(  # noqa: PLR0917 - options, all by name
    unit_id: UnitId,
    group: Annotated[str, typer.Option(help="The id of its group.")],
    vi: Vi,
    en: En,
    group_vi: Annotated[str, typer.Option(help="A new group's name in Vietnamese.")] = "",
    group_en: Annotated[str, typer.Option(help="The same in English.")] = "",
    on: Annotated[datetime | None, typer.Option(formats=_DAY, help="Its first day.")] = None,
    by: By = "",
) -> None:
    with explained():
        name = Text(vi=vi, en=en)
        group_name = Text(vi=group_vi, en=group_en) if group_vi or group_en else None
        first = on.date() if on else None
        act(
            by,
            "unit_opened",
            f"unit:{unit_id}",
            lambda d, _: units.opened(
                d, unit_id=unit_id, name=name, group_id=group, group_name=group_name, opened_on=first
            ),
        )


@app.command(
    "rename-unit",
    help="Give a unit another name; its id is for ever."
    f" Example: {PROGRAM} rename-unit so-y-te --vi 'Sở Y tế' --en 'Department of Health'",
)
def rename_unit(unit_id: UnitId, vi: Vi, en: En, by: By = "") -> None:
    with explained():
        name = Text(vi=vi, en=en)
        act(by, "unit_renamed", f"unit:{unit_id}", lambda d, _: units.renamed(d, unit_id, name))


@app.command("close-unit", help=f"Close a unit. Example: {PROGRAM} close-unit so-y-te --on 2026-12-31")
def close_unit(unit_id: UnitId, on: On, by: By = "") -> None:
    with explained():
        act(by, "unit_closed", f"unit:{unit_id}", lambda d, _: units.closed(d, unit_id, on.date()))


@app.command(
    "reopen-unit",
    help="Let a unit that closed or merged, or was to, take ratings again. Officers who moved stay where they"
    f" are. Example: {PROGRAM} reopen-unit so-y-te",
)
def reopen_unit(unit_id: UnitId, by: By = "") -> None:
    with explained():
        act(by, "unit_reopened", f"unit:{unit_id}", lambda d, _: units.reopened(d, unit_id))


@app.command(
    "merge-unit",
    help="Close a unit and let another take over, with its officers."
    f" Example: {PROGRAM} merge-unit so-y-te --into so-noi-vu --on 2026-12-31",
)
def merge_unit(
    unit_id: UnitId,
    into: Annotated[str, typer.Option(help="The id of the unit that takes over.")],
    on: On,
    with_officers: Annotated[bool, typer.Option(help="Whether its officers go there too.")] = True,
    by: By = "",
) -> None:
    with explained():
        act(
            by,
            "unit_merged",
            f"unit:{unit_id}",
            lambda d, _: units.merged(d, unit_id, into, on.date(), with_officers=with_officers),
        )


@app.command(
    "move-officer",
    help="Let an officer go on at another unit."
    f" Example: {PROGRAM} move-officer so-y-te.nguyen-thi-lan --to so-noi-vu --on 2026-12-01",
)
def move_officer(
    officer_id: Annotated[str, typer.Argument(help="The officer's whole id.")],
    to: Annotated[str, typer.Option(help="The id of the unit.")],
    on: On,
    by: By = "",
) -> None:
    with explained():
        act(
            by,
            "officer_moved",
            f"officer:{officer_id}",
            lambda d, _: units.moved(d, officer_id, to, on.date()),
        )


@app.command(
    "close-edition", help=f"Say when an edition ends. Example: {PROGRAM} close-edition 2017 --last 2026-12-31"
)
def close_edition(
    edition_id: Annotated[str, typer.Argument(help="The edition's id.")],
    last: Annotated[datetime, typer.Option(formats=_DAY, help="The last day on which it takes ratings.")],
    by: By = "",
) -> None:
    with explained():
        act(
            by,
            "edition_closed",
            f"edition:{edition_id}",
            lambda d, _: editions.closed(d, edition_id, last.date()),
        )


@app.command(
    help="Who did what and when, the newest first."
    f" Example: {PROGRAM} actions --about so-y-te --csv > actions.csv"
)
def actions(
    about: Annotated[str, typer.Option(help="The id of a unit, an officer or an edition.")] = "",
    action: Annotated[str, typer.Option(help="Such as unit_renamed.")] = "",
    csv: Annotated[bool, typer.Option("--csv", help="A row for each field that changed.")] = False,
) -> None:
    settings = read_settings()
    there, trail = run(directory_of(settings)), run(trail_of(settings))
    reading = OfficeReading(_Fixed(there), _Trail(trail), FileKeys(settings.keys_dir), utc_now)
    everything = Caller("", Role.AUDITOR)
    found = reading.actions(everything, Wanted(action=action, about=about), most=10**9).actions
    if csv:
        typer.echo(trail_table(found).decode("utf-8"), nl=False)
        return
    table = Table("when", "action", "to", "by", "role", "changes", box=None)
    for each in found:
        when = each.taken_at.isoformat(timespec="seconds") if each.taken_at else "unreadable"
        who = (each.actor or "")[:8]
        table.add_row(
            when, each.action or "", each.target or "", who, each.role or "", str(len(each.changes))
        )
    Console(highlight=False, width=None if Console().is_terminal else 160).print(table)


class _Fixed:
    def __init__(self, directory: Directory) -> None:
        self.current = directory


class _Trail:
    def __init__(self, trail: Sequence[Taken]) -> None:
        self.current = trail
