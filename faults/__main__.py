"""The fault campaign from the command line; `make faults` calls this."""

import asyncio
import secrets
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from deploy.local import jars as kafka_jars
from deploy.local.errors import StackError
from deploy.local.layout import Layout
from deploy.local.progress import Report
from deploy.local.stack import ensure_jars
from faults import disaster, overloading, report, rolling, scaling, selftest, soaking
from faults.campaign import Campaign, Order
from faults.schedule import schedule

JARS = Layout().jars

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@app.callback()
def commands() -> None:
    """The fault campaign: everything breaks while ratings come in, and a checker counts."""


@app.command()
def run(  # noqa: PLR0917  options, all by name
    cycles: Annotated[int, typer.Option(min=1, help="How many faults.")] = 20,
    seed: Annotated[int, typer.Option(help="The same seed breaks the same things; 0 draws one.")] = 0,
    brokers: Annotated[int, typer.Option(min=1, max=3, help="1, or 3 with every record on all of them.")] = 1,
    rate: Annotated[float, typer.Option(min=1, help="Ratings posted a second.")] = 20.0,
    every: Annotated[int, typer.Option(min=1, help="Check after so many cycles, and at the end.")] = 10,
    only: Annotated[str, typer.Option(help="Only kinds of fault that contain one of these, by commas.")] = "",
    folder: Annotated[Path | None, typer.Option(help="Where it all is kept; must not exist.")] = None,
    keep: Annotated[bool, typer.Option(help="Keep data and logs of a campaign that found nothing.")] = False,
    jars: Annotated[Path, typer.Option(help="Where Kafka's jars are.")] = JARS,
    settle: Annotated[float, typer.Option(help="Seconds a check waits for what may be on its way.")] = 90.0,
) -> None:
    """Break everything while ratings come in, and count.

    Example: python -m faults run --cycles 20 --seed 7
    """
    console = Console(soft_wrap=True, highlight=False)
    seed = seed or secrets.randbelow(1_000_000) + 1
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{seed}"
    where = (folder or Layout().root / "faults" / name).absolute()
    bring_jars(jars, console)
    order = Order(where, jars.absolute(), cycles, seed, brokers, rate, every, only, settle)
    console.print(f"seed {seed}, {cycles} cycles, {brokers} broker(s), in {where}")
    for number, fault in enumerate(schedule(cycles, seed, brokers=brokers, only=only), start=1):
        console.print(f"  {number:>4} {fault}", style="dim")
    columns = (TextColumn("faults"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("faults", total=cycles)
        campaign = Campaign(order, console.print, lambda number: progress.update(bar, completed=number))
        results = asyncio.run(campaign.run())
    report.show(results, console)
    (where / "report.md").write_text(report.markdown(results), encoding="utf-8")
    (where / "report.json").write_text(report.document(results), encoding="utf-8")
    if results.red:
        console.print(f"The evidence is in {where}.")
        raise typer.Exit(1)
    if not keep:
        _only_the_report(where)
    console.print(f"The report is {where / 'report.md'}.")


@app.command("selftest")
def selftest_(
    only: Annotated[str, typer.Option(help="Only mutations whose name contains this.")] = "",
    seed: Annotated[int, typer.Option(help="As of `run`.")] = 7,
    folder: Annotated[Path | None, typer.Option(help="Where it all is kept; must not exist.")] = None,
) -> None:
    """Break each guarantee in a copy of the code, and show that the campaign finds it.

    Example: python -m faults selftest --only zombies
    """
    console = Console(soft_wrap=True, highlight=False)
    where = _folder(folder, "selftest")
    trials = selftest.planned(only)
    if not trials:
        console.print(f"no mutation's name contains {only}")
        raise typer.Exit(2)
    bring_jars(JARS, console)
    console.print(f"{len(trials)} trials, in {where}")
    columns = (TextColumn("{task.description:<40}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("trials", total=len(trials))
        verdicts: list[selftest.Verdict] = []
        for verdicts_ in selftest.run(
            trials, where, JARS, seed, lambda trial: progress.update(bar, description=trial.name)
        ):
            verdicts += verdicts_
            progress.advance(bar)
            for verdict in verdicts_:
                console.print(verdict.line)
            (where / "report.md").write_text(selftest.markdown(verdicts), encoding="utf-8")
    if not all(verdict.good for verdict in verdicts):
        console.print(f"The evidence is in {where}.")
        raise typer.Exit(1)
    console.print(f"The report is {where / 'report.md'}.")


@app.command("soak")
def soak_(  # noqa: PLR0917  options, all by name
    minutes: Annotated[float, typer.Option(min=1, help="How long the load lasts.")] = 30.0,
    rate: Annotated[float, typer.Option(min=1, help="Ratings posted a second.")] = 20.0,
    warm_up: Annotated[
        float | None, typer.Option(min=0, max=0.8, help="Share of the time that is not judged.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Write the picture here too.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Where it all is kept; must not exist.")] = None,
    jars: Annotated[Path, typer.Option(help="Where Kafka's jars are.")] = JARS,
) -> None:
    """A steady load for a while: does memory, do connections or open files grow?

    Example: python -m faults soak --minutes 30
    """
    console = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else 150)
    where = _folder(folder, "soak")
    bring_jars(jars, console)
    warm_up = soaking.usual_warm_up(minutes) if warm_up is None else warm_up
    order = soaking.Order(where, jars.absolute(), minutes, rate, warm_up=warm_up)
    console.print(f"{minutes:g} minutes at {rate:g} ratings a second, in {where}")
    columns = (TextColumn("soak"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("soak", total=order.seconds)
        soak = soaking.Soak(order, console.print, lambda seconds: progress.update(bar, completed=seconds))
        results = asyncio.run(soak.run())
    soaking.report.show(results, console)
    (where / "report.md").write_text(soaking.report.markdown(results), encoding="utf-8")
    (where / "report.json").write_text(soaking.report.document(results), encoding="utf-8")
    if results.verdicts:
        picture = soaking.plot.svg(
            results.samples, results.verdicts, warm_up=warm_up * order.seconds, rate=rate
        )
        for path in (where / "soak.svg", *([plot] if plot else [])):
            path.write_text(picture, encoding="utf-8")
    if results.red:
        console.print(f"The evidence is in {where}.")
        raise typer.Exit(1)
    _only_the_report(where)
    console.print(f"The report is {where / 'report.md'}.")


@app.command("overload")
def overload_(
    seconds: Annotated[float, typer.Option(min=1, max=120, help="How long the overload lasts.")] = 20.0,
    measure: Annotated[float, typer.Option(min=1, max=60, help="How long the capacity is measured.")] = 8.0,
    folder: Annotated[Path | None, typer.Option(help="Where it all is kept; must not exist.")] = None,
    jars: Annotated[Path, typer.Option(help="Where Kafka's jars are.")] = JARS,
) -> None:
    """Offer one intake five times what it can take, and look at what becomes of it.

    Example: python -m faults overload --seconds 20
    """
    console = Console(soft_wrap=True, highlight=False)
    where = _folder(folder, "overload")
    bring_jars(jars, console)
    console.print(f"{measure:g} s to measure, {seconds:g} s of overload, in {where}")
    order = overloading.Order(where, jars.absolute(), measure, seconds)
    with Progress(TextColumn("{task.description}"), TimeElapsedColumn(), console=console) as progress:
        bar = progress.add_task("starting", total=None)
        overload = overloading.Overload(
            order, console.print, lambda what: progress.update(bar, description=what)
        )
        results = asyncio.run(overload.run())
    overloading.report.show(results, console)
    (where / "report.md").write_text(overloading.report.markdown(results), encoding="utf-8")
    (where / "report.json").write_text(overloading.report.document(results), encoding="utf-8")
    if results.red:
        console.print(f"The evidence is in {where}.")
        raise typer.Exit(1)
    _only_the_report(where)
    console.print(f"The report is {where / 'report.md'}.")


@app.command("scaling")
def scaling_(  # noqa: PLR0917  options, all by name
    brokers: Annotated[int, typer.Option(help="1, or 3 with every record on all of them.")] = 1,
    ratings: Annotated[int, typer.Option(min=1, max=5_000, help="Kept in each of three parts.")] = 300,
    rate: Annotated[float, typer.Option(min=1, max=50, help="Ratings posted a second.")] = 15.0,
    workers: Annotated[int, typer.Option(min=2, max=6, help="Of each kind, at most.")] = 3,
    seed: Annotated[int, typer.Option(help="The same seed posts the same ratings; 0 draws one.")] = 0,
    folder: Annotated[Path | None, typer.Option(help="Where it all is kept; must not exist.")] = None,
) -> None:
    """Scale the system in containers out and in again while ratings come in, and count.

    Wants the images of `make images`. Example: python -m faults scaling --brokers 3
    """
    console = Console(soft_wrap=True, highlight=False)
    where = _folder(folder, "scaling")
    order = scaling.Order(where, brokers, ratings, rate, workers, seed or secrets.randbelow(1_000_000) + 1)
    console.print(f"seed {order.seed}, {brokers} broker(s), in {where}")
    columns = (TextColumn("ratings kept"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("ratings", total=3 * ratings)
        trial = scaling.Scaling(order, console.print, lambda kept: progress.update(bar, completed=kept))
        results = asyncio.run(trial.run())
    scaling.report.show(results, console)
    (where / "report.md").write_text(scaling.report.markdown(results), encoding="utf-8")
    if results.red:
        console.print(f"The evidence is in {where}.")
        raise typer.Exit(1)
    _only_the_report(where)
    console.print(f"The report is {where / 'report.md'}.")


@app.command("disaster")
def disaster_(
    ratings: Annotated[int, typer.Option(min=8, max=5_000, help="Posted before everything is lost.")] = 400,
    seed: Annotated[int, typer.Option(help="The same seed posts the same ratings; 0 draws one.")] = 0,
    folder: Annotated[Path | None, typer.Option(help="Where it all is kept; must not exist.")] = None,
    jars: Annotated[Path, typer.Option(help="Where Kafka's jars are.")] = JARS,
) -> None:
    """Lose everything but the backups, restore on fresh servers, and count.

    Example: python -m faults disaster --ratings 400
    """
    console = Console(soft_wrap=True, highlight=False)
    seed = seed or secrets.randbelow(1_000_000) + 1
    where = _folder(folder, "disaster")
    bring_jars(jars, console)
    console.print(f"seed {seed}, {ratings} ratings, in {where}")
    order = disaster.Order(where, jars.absolute(), ratings, seed)
    try:
        results = asyncio.run(disaster.Disaster(order, console.print).run())
    except StackError as error:
        console.print(f"✗ {error}", *error.details, sep="\n  ")
        raise typer.Exit(1) from error
    for line in results.red:
        console.print(f"[red]✗[/] {line}")
    if results.red:
        console.print(f"The evidence is in {where}.")
        raise typer.Exit(1)
    shutil.rmtree(where)
    console.print(f"Nothing lost, nothing doubled: {results.counters} counters are what they were.")


@app.command("rolling")
def rolling_(
    rate: Annotated[float, typer.Option(min=1, max=50, help="Ratings posted a second.")] = 10.0,
    seed: Annotated[int, typer.Option(help="The same seed posts the same ratings.")] = 7,
    folder: Annotated[Path | None, typer.Option(help="Where it all is kept; must not exist.")] = None,
    jars: Annotated[Path, typer.Option(help="Where Kafka's jars are.")] = JARS,
) -> None:
    """Restart every replica of every service, one after the other, while ratings come in.

    Example: python -m faults rolling --rate 10
    """
    console = Console(soft_wrap=True, highlight=False)
    where = _folder(folder, "rolling")
    bring_jars(jars, console)
    order = rolling.Order(where, jars.absolute(), rate, seed)
    try:
        results = asyncio.run(rolling.Rolling(order, console.print).run())
    except StackError as error:
        console.print(f"✗ {error}")
        raise typer.Exit(1) from error
    console.print(
        f"of {len(results.kept)} timed ratings the slowest was kept after {max(results.kept):.2f} s"
        f" and shown {max(results.shown):.2f} s later"
    )
    if results.check["wrong"]:
        console.print(f"The evidence is in {where}.")
        raise typer.Exit(1)
    shutil.rmtree(where)


def _folder(named: Path | None, kind: str) -> Path:
    """Where a run keeps what it leaves: a new folder, unless one is named."""
    return (named or Layout().root / "faults" / f"{kind}-{datetime.now(UTC):%Y%m%dT%H%M%S}").absolute()


def bring_jars(folder: Path, console: Console) -> None:
    """Download what this checkout lacks of Kafka's jars. Exits where they cannot be had."""
    listed = kafka_jars.read_list(kafka_jars.LIST.read_text())
    if kafka_jars.count_present(listed, folder) == len(listed):
        return
    if folder != JARS:
        console.print(f"✗ {folder} lacks some of Kafka's jars: leave --jars out, and they are downloaded.")
        raise typer.Exit(1)
    try:
        asyncio.run(ensure_jars(Layout(), Report(console)))
    except StackError as error:
        console.print(f"✗ {error}")
        raise typer.Exit(1) from error


def _only_the_report(where: Path) -> None:
    """What is left of a run that found nothing."""
    for entry in where.iterdir():
        if entry.name not in ("report.md", "report.json", "samples.jsonl", "soak.svg"):
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


if __name__ == "__main__":
    app()
