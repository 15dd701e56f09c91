"""`void start|resume|list`: the office takes a wave of ratings out of the figures."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID, uuid4

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from chassis import logs
from contracts.city_time import CITY_TIME
from contracts.events import Selection, VoidReason, WaveVoided
from services.intake.bootstrap import KafkaAway, look_at_wave, void_wave, waves
from services.intake.command_line import fail, operator, read_settings
from services.intake.domain import form_numbers
from services.intake.domain.waves import NARROWING, Found, is_narrow
from services.intake.office import Actor
from services.intake.voiding import Told

PROGRAM = "python -m services.intake void"
EXAMPLE = (
    f"{PROGRAM} start --edition 2017 --officer so-y-te.le-thi-hoa --channel web --since 2017-11-23T09:00"
    " --before 2017-11-23T10:00 --reason automated --words 'A program, 40 ratings in a minute' --by 'Survey"
    " office' --dry-run"
)
T = TypeVar("T")
SHOWN = 5
_MOMENTS = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"]
Id = Annotated[str | None, typer.Option()]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be voided, and void nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask; for scripts.")]

app = typer.Typer(
    no_args_is_help=True,
    help="Take a wave of ratings out of the figures, as events: figures follow within seconds, earlier ones"
    " stay as they stood. As long as the wave's submissions are kept.",
)


@app.command(
    help="Void all ratings that fit everything that is said. Moments are in city time. Broken off, it is gone"
    f" on with: resume. Example: {EXAMPLE}"
)
def start(  # noqa: PLR0917 - options, all by name
    edition: Annotated[str, typer.Option(help="The edition's id.")],
    since: Annotated[datetime, typer.Option(formats=_MOMENTS, help="Submitted then or later,")],
    before: Annotated[datetime, typer.Option(formats=_MOMENTS, help="and before that.")],
    reason: Annotated[VoidReason, typer.Option(help="In a word, on every event.")],
    words: Annotated[str, typer.Option(help="Why, in words: for good, on the log.")],
    by: Annotated[str, typer.Option(help="Who decided it: for good, on the log.")],
    unit: Id = None,
    officer: Id = None,
    channel: Id = None,
    client: Id = None,
    origin: Annotated[str | None, typer.Option(help="An address block's digest, as --dry-run shows.")] = None,
    session: Annotated[str | None, typer.Option(help="A visit's digest, as --dry-run shows.")] = None,
    form: Annotated[str | None, typer.Option(help="The number of a paper form.")] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    number = None if form is None else form_numbers.read(form)
    if form is not None and number is None:
        fail(f"--form: {form} is no number of a form.", code=2)
    try:
        wave = WaveVoided(
            wave_id=uuid4(),
            selection=Selection(
                edition_id=edition,
                unit_id=unit,
                officer_id=officer,
                channel=channel,
                client_id=client,
                origin=origin,
                session=session,
                form=number,
                since=since.replace(tzinfo=CITY_TIME).astimezone(UTC),
                before=before.replace(tzinfo=CITY_TIME).astimezone(UTC),
            ),
            reason=reason,
            words=words,
            by=by,
            voided_at=datetime.now(UTC),
        )
    except ValidationError as error:
        first = error.errors()[0]
        fail(f"--{str(first['loc'][-1]).removesuffix('_id')}: {first['msg']}", code=2)
    if not is_narrow(wave.selection):
        named = ", ".join(f"--{name.removesuffix('_id')}" for name in NARROWING)
        fail(f"An edition is not voided as a whole: say at least one of {named}.", code=2)
    _go(wave, dry_run=dry_run, yes=yes, actor=operator(by))


@app.command(
    help="Go on with a wave that was broken off; of one that is done, nothing more is sent."
    f" Example: {PROGRAM} resume 5d1f9b0a-7c3e-4f52-8a16-c9e2d4b70813"
)
def resume(wave_id: UUID, dry_run: DryRun = False) -> None:
    wave = _known().get(wave_id)
    if wave is None:
        fail(f"There is no wave {wave_id}. {PROGRAM} list names them.")
    _go(wave, dry_run=dry_run, yes=True, actor=None)


@app.command("list", help=f"The waves that were voided, with who and why. Example: {PROGRAM} list")
def list_() -> None:
    for wave in sorted(_known().values(), key=lambda each: each.voided_at):
        typer.echo(f"{wave.wave_id}  {_moment(wave.voided_at)}  {wave.reason}  {wave.by}: {wave.words}")
        said = wave.selection.model_dump(mode="json", exclude_none=True) | {
            "since": _moment(wave.selection.since),
            "before": _moment(wave.selection.before),
        }
        typer.echo("    " + ", ".join(f"{name.removesuffix('_id')} {value}" for name, value in said.items()))


def _go(wave: WaveVoided, *, dry_run: bool, yes: bool, actor: Actor | None) -> None:
    _quiet()
    settings = read_settings()
    with _progress("reading") as told:
        found = _run(look_at_wave(settings, wave, told))
    _show(found)
    if dry_run or not (found.left or actor is None):
        typer.echo("Nothing was voided." if dry_run else "Nothing fits, and nothing was voided.")
        return
    if not yes:
        typer.confirm(f"Void these {len(found.left)} ratings?", abort=True)
    typer.echo(f"wave {wave.wave_id}")
    with _progress("asking") as told:
        _run(void_wave(settings, wave, found, told, actor=actor), wave)
    typer.echo(f"{len(found.left)} asked for. Those that were accepted count no more within seconds.")


def _show(found: Found) -> None:
    """Counts alone: which answers a wave gave must not decide whether it is voided."""
    before = f", {len(found.asked)} of them asked for before" if found.asked else ""
    typer.echo(f"{len(found.ratings)} submissions fit{before}")
    for name, counted in found.by.items():
        most = ", ".join(f"{value} {number}" for value, number in counted.most_common(SHOWN))
        more = f", and {len(counted) - SHOWN} more" if len(counted) > SHOWN else ""
        if counted:
            typer.echo(f"  {name.removesuffix('_id')}: {most}{more}")


def _moment(at: datetime) -> str:
    """In city time, as it is typed."""
    return at.astimezone(CITY_TIME).strftime("%Y-%m-%dT%H:%M:%S").removesuffix(":00")


def _known() -> dict[UUID, WaveVoided]:
    _quiet()
    return _run(waves(read_settings()))


def _quiet() -> None:
    logs.configure("intake-void", level="CRITICAL")  # one line of what went wrong is enough


def _run(work: Coroutine[Any, Any, T], wave: WaveVoided | None = None) -> T:
    try:
        return asyncio.run(work)
    except KafkaAway as error:
        again = "run the same command again"
        if wave is not None:
            again = f"{PROGRAM} resume {wave.wave_id}, or where there is no such wave, {again}"
        fail(f"Kafka did not answer or confirm ({error}). Once it is there: {again}.")


@contextmanager
def _progress(what: str) -> Iterator[Told]:
    """A bar on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("")
        yield lambda done, total: bar.update(task, completed=done, total=total)
