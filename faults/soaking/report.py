"""What a soak found: as a table, as Markdown and as JSON."""

import json
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from faults.judging import verdict as checked
from faults.soaking.running import Results
from faults.soaking.verdicts import LIMITS, Verdict

HEAD = ("process", "private memory, MiB", "open files", "threads", "connections", "verdict")
"""In each cell: the first, the last, and the slope an hour."""


def summary(results: Results) -> list[tuple[str, str]]:
    order = results.order
    posted = results.ledger.get("planned", 0)
    reads = ", ".join(f"{name} {number}" for name, number in sorted(results.reads.items()))
    return [
        ("time", f"{order.minutes:g} minutes, of which the first {order.warm_up:.0%} are not judged"),
        ("load", f"{order.rate:g} ratings and {order.pages:g} pages a second wanted"),
        ("ratings posted", f"{posted}, {posted / order.seconds:.1f} a second"),
        ("samples", str(len(results.samples))),
        ("reading", reads),
        ("the checker", checked(results.check) if results.check else "not asked"),
        ("processes that ended by themselves", str(len(results.ended))),
        ("again with", f"make soak MINUTES={order.minutes:g}"),
    ]


def rows(results: Results) -> list[tuple[str, ...]]:
    found: dict[str, dict[str, Verdict]] = {}
    for verdict in results.verdicts:
        found.setdefault(verdict.process, {})[verdict.what] = verdict
    return [
        (
            process,
            *(_cell(numbers[what]) if what in numbers else "" for what in LIMITS),
            "grows: " + ", ".join(wrong)
            if (wrong := [w for w, each in numbers.items() if each.wrong])
            else "steady",
        )
        for process, numbers in found.items()
    ]


def _cell(verdict: Verdict) -> str:
    seen = verdict.trend
    digits = 1 if verdict.what == "private" else 0
    return f"{seen.first:.{digits}f} → {seen.last:.{digits}f} ({seen.slope:+.1f})"


def limits() -> str:
    """In words."""
    return "Growth counts where it is past, an hour (and over the time judged): " + "; ".join(
        f"{each.unit} {each.per_hour:g} ({each.at_least:g} and {each.share:.0%})" for each in LIMITS.values()
    )


def show(results: Results, console: Console) -> None:
    for name, value in summary(results):
        console.print(f"{name + ':':<36} {value}")
    table = Table(*HEAD)
    for row in rows(results):
        table.add_row(*row, style="" if row[-1] == "steady" else "bold red")
    console.print(table)
    for line in results.red:
        console.print(f"[bold red]✗[/] {line}")
    if not results.red:
        console.print("[bold green]✓[/] nothing grows, nothing ended, nothing lost, nothing doubled")


def markdown(results: Results) -> str:
    lines = ["# Soak", "", "| | |", "| --- | --- |"]
    lines += [f"| {name} | {value} |" for name, value in summary(results)]
    lines += ["", f"| {' | '.join(HEAD)} |", f"|{' --- |' * len(HEAD)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows(results)]
    lines += ["", f"{limits()}."]
    if results.red:
        lines += ["", "## What was wrong", "", *(f"- {line}" for line in results.red)]
    return "\n".join(lines) + "\n"


def document(results: Results) -> str:
    content: dict[str, Any] = asdict(results)
    del content["samples"]  # they have a file of their own
    content["red"] = results.red
    return json.dumps(content, indent=1, default=str, ensure_ascii=False) + "\n"
