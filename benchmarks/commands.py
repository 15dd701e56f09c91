"""Measure beside the peers, write it down, and compare it with what was written down."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import guarding, report
from benchmarks.results import Results, Row, read
from benchmarks.running import QUICK_ROWS, ROWS, run
from benchmarks.sizes import QUICK, WHOLE, Sizes
from chassis import logs
from deploy.local.layout import CHECKOUT

QUICK_INTO = CHECKOUT / ".local" / "bench" / "quick.json"
Only = Annotated[list[str] | None, typer.Option("--only", help="One row; may be given again.")]
Into = Annotated[Path | None, typer.Option(help="Where results go, as JSON; else where they belong.")]


def whole(
    only: Only = None,
    into: Into = None,
    minutes: Annotated[float, typer.Option(min=1, help="No longer than this, rows or no rows.")] = 24.0,
) -> None:
    """Measure every row beside its peers; write docs/performance.json, docs/performance.md and its plots.

    Example: python -m benchmarks whole --only intake --into intake.json
    """
    rows = _rows(only, tuple(ROWS))
    results = _run(into or report.RESULTS, WHOLE, rows, command="make bench", minutes=minutes)
    if into is None and not only:
        report.write(results)
    _end(results)


def quick(
    only: Only = None,
    into: Into = None,
    minutes: Annotated[float, typer.Option(min=1, help="No longer than this, rows or no rows.")] = 2.8,
) -> None:
    """A smaller measurement of what has peers, in three minutes; writes .local/bench/quick.json.

    Example: python -m benchmarks quick --only verification
    """
    rows = _rows(only, QUICK_ROWS)
    _end(_run(into or QUICK_INTO, QUICK, rows, command="make bench-quick", minutes=minutes))


def check(
    before: Annotated[Path, typer.Option(help="What was measured then.")] = report.RESULTS,
    now: Annotated[Path | None, typer.Option(help="What was measured now; else it is, quickly.")] = None,
    minutes: Annotated[float, typer.Option(min=1, help="No longer than this.")] = 2.8,
) -> None:
    """Compare the ratios to peers with those committed; exit code 1 where one is worse than noise explains.

    Example: python -m benchmarks check --now .local/bench/quick.json
    """
    console = Console(highlight=False)
    measured = (
        read(now)
        if now is not None
        else _run(QUICK_INTO, QUICK, QUICK_ROWS, command="make bench-check", minutes=minutes)
    )
    compared = guarding.compare(read(before), measured)
    table = Table("row", "peer", "then", "now", "", title="ours to the peer's: median (least–most)")
    for each in compared:
        then, found = (f"{s.median:.2f} ({s.least:.2f}–{s.most:.2f})" for s in (each.before, each.now))
        table.add_row(each.row, each.peer, then, found, "[bold red]worse[/]" if each.worse else "")
    console.print(table)
    failed = [row for row in measured.rows if row.failure]
    for row in failed:
        console.print(f"[bold red]✗[/] {row.title}: {row.failure}")
    if failed or not compared or any(each.worse for each in compared):
        raise typer.Exit(1)


def page(source: Annotated[Path, typer.Option(help="The results.")] = report.RESULTS) -> None:
    """Write docs/performance.md and its plots anew from the results. Example: python -m benchmarks page"""
    report.write(read(source))


def rebuild(
    ratings: Annotated[int, typer.Option(min=10_000, help="Outcomes on the log.")] = 10_000_000,
    into: Into = None,
) -> None:
    """Rebuild the figures of a log of 10^7 outcomes, once: is it linear, is memory flat? Takes an hour or so.

    Example: python -m benchmarks rebuild --ratings 1000000
    """
    sizes = Sizes(rounds=1, rebuilt=100_000, rebuilt_long=ratings)
    target = into or CHECKOUT / ".local" / "bench" / "rebuild.json"
    _end(_run(target, sizes, ["rebuild"], command="make bench-rebuild", minutes=300))


def _rows(only: list[str] | None, usual: tuple[str, ...]) -> list[str]:
    unknown = set(only or ()) - set(ROWS)
    if unknown:
        raise typer.BadParameter(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    return [key for key in ROWS if key in (only or usual)]


def _run(into: Path, sizes: Sizes, rows: Sequence[str], *, command: str, minutes: float) -> Results:
    logs.configure("benchmark", level="ERROR")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(highlight=False)) as progress:
        task = progress.add_task("", total=len(rows))

        def tell(what: str, done: int) -> None:
            progress.update(task, description=what, completed=done)

        results = asyncio.run(run(into, sizes, rows, command=command, minutes=minutes, tell=tell))
        progress.update(task, completed=len(rows), description="done")
    return results


def _end(results: Results) -> None:
    console = Console(highlight=False)
    table = Table("row", "what", "got", "least–most", "goal", "", title=f"{results.seconds:.0f} s")
    for row in results.rows:
        for goal in row.goals:
            spread = "" if goal.low is None else f"{goal.low:,.2f}–{goal.high:,.2f}"
            sign = "≥" if goal.at_least else "≤"
            met = "" if goal.met else "[bold red]missed[/]"
            got, wanted = f"{goal.got:,.2f}{goal.unit}", f"{sign} {goal.wanted:,.2f}{goal.unit}"
            table.add_row(row.title, goal.what, got, spread, wanted, met)
    console.print(table)
    failed: list[Row] = [row for row in results.rows if row.failure]
    for row in failed:
        console.print(f"[bold red]✗[/] {row.title}: {row.failure}", soft_wrap=True)
    if failed:
        raise typer.Exit(1)
