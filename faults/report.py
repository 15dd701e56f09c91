"""What a campaign found: as a table, as Markdown and as JSON."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from faults.campaign import Cycle, Results

GOALS = {"process": 10.0, "broker": 8.0, "PostgreSQL": 5.0}
"""The longest p95 of recovery, in seconds: of a broker and of PostgreSQL from when they are back."""
STOP_SECONDS = 5.0
COUNTED = ("lost", "doubled", "phantom", "changed", "figures", "checkpoint", "dead letter", "leak", "answer")


def percentile(values: list[float], share: float) -> float:
    """The nearest rank: the smallest value that at least `share` of all do not exceed."""
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * round(share * 100) // 100))
    return ordered[rank - 1]


def summary(results: Results) -> list[tuple[str, str]]:
    last = results.checks[-1] if results.checks else {"counts": {}}
    counts: Counter[str] = Counter()
    for report in results.checks:
        for wrong, number in report["wrong"].items():
            counts[wrong] = max(counts[wrong], number)
    missed = [cycle.fault for cycle in results.cycles if not cycle.reached]
    order = results.order
    alone = results.restarts.get("by themselves", [])
    return [
        ("cycles", f"{len(results.cycles)} of {order.cycles}, in {results.seconds:.0f} s"),
        ("kinds of fault", str(len({cycle.kind for cycle in results.cycles}))),
        ("ratings posted", str(last["counts"].get("posted", "?"))),
        ("kept (202)", str(last["counts"].get("kept", "?"))),
        ("unknown to the caller", str(results.ledger.get("unknown", 0))),
        ("answers noted", str(results.ledger.get("answer", 0))),
        ("outcomes", str(last["counts"].get("outcomes", "?"))),
        ("records of aborted transactions", str(last["counts"].get("aborted", "?"))),
        ("bytes searched for numbers", str(last["counts"].get("searched_bytes", "?"))),
        *((name, str(counts[name])) for name in COUNTED),
        ("checks", str(len(results.checks))),
        (
            "restarts by faults / failpoints",
            f"{results.restarts.get('by faults', 0)} / {results.restarts.get('at failpoints', 0)}",
        ),
        (
            "processes that ended by themselves",
            f"{len(alone)} {dict(Counter(e['replica'] for e in alone)) or ''}".strip(),
        ),
        ("failpoints never come by", str(len(missed))),
        ("again with", f"make faults CYCLES={order.cycles} SEED={order.seed} BROKERS={order.brokers}"),
    ]


Recovery = tuple[str, int, float, float, float]
"""What broke, how often, and p50, p95 and longest recovery (seconds); infinite where there was none."""


def recoveries(cycles: list[Cycle], name: Callable[[Cycle], str]) -> list[Recovery]:
    """Grouped by `name`."""
    grouped: dict[str, list[float]] = defaultdict(list)
    for cycle in cycles:
        grouped[name(cycle)].append(float("inf") if cycle.recovery is None else cycle.recovery)
    return [
        (group, len(times), percentile(times, 0.5), percentile(times, 0.95), max(times))
        for group, times in sorted(grouped.items())
    ]


def by_kind(results: Results) -> list[Recovery]:
    return recoveries(results.cycles, lambda cycle: cycle.kind)


def by_part(results: Results) -> list[tuple[str, int, float, float, float, str]]:
    """As above, with the goal and whether it was met; and how long graceful stops took."""
    rows = [
        (*recovery, _against(recovery[3], GOALS.get(recovery[0])))
        for recovery in recoveries(results.cycles, lambda cycle: cycle.part)
    ]
    stops = [cycle.stopped_in for cycle in results.cycles if cycle.stopped_in is not None]
    if stops:
        numbers = (percentile(stops, 0.5), percentile(stops, 0.95), max(stops))
        rows.append(("graceful stop", len(stops), *numbers, _against(numbers[2], STOP_SECONDS)))
    return rows


def _against(seconds: float, goal: float | None) -> str:
    return "" if goal is None else f"{'met' if seconds <= goal else 'MISSED'} ({goal:.0f} s)"


def show(results: Results, console: Console) -> None:
    found = Table("campaign", "")
    for name, value in summary(results):
        found.add_row(name, value)
    console.print(found)
    parts = Table("recovery from", "times", "p50 s", "p95 s", "max s", "goal")
    for *row, goal in by_part(results):
        parts.add_row(*_cells(row), goal)
    table = Table("fault", "times", "p50 s", "p95 s", "max s")
    for recovery in by_kind(results):
        table.add_row(*_cells(recovery))
    console.print(parts, table)
    for line in results.red:
        console.print(f"[bold red]✗[/] {line}", highlight=False)
    if not results.red:
        console.print("[bold green]✓[/] nothing lost, nothing doubled, nothing invented, nothing leaked")


def _cells(recovery: Sequence[Any]) -> list[str]:
    name, times, *seconds = recovery
    return [str(name), str(times), *(f"{each:.1f}" for each in seconds)]


def markdown(results: Results) -> str:
    lines = ["# Fault campaign", "", "| | |", "| --- | --- |"]
    lines += [f"| {name} | {value} |" for name, value in summary(results)]
    lines += [
        "",
        "| recovery from | times | p50 s | p95 s | max s | goal |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    lines += [f"| {' | '.join([*_cells(row), goal])} |" for *row, goal in by_part(results)]
    lines += ["", "| fault | times | recovery p50 s | p95 s | max s |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {' | '.join(_cells(recovery))} |" for recovery in by_kind(results)]
    if results.red:
        lines += ["", "## What was wrong", "", *(f"- {line}" for line in results.red)]
        for report in results.checks:
            for wrong, examples in report["examples"].items():
                lines += ["", f"### {wrong}", "", *(f"- {example}" for example in examples)]
    lines += [
        "",
        "## Cycles",
        "",
        *(f"{n}. {c.fault}: {c.recovery} s" for n, c in enumerate(results.cycles, 1)),
    ]
    return "\n".join(lines) + "\n"


def document(results: Results) -> str:
    content: dict[str, Any] = asdict(results)
    content["red"] = results.red
    content["recoveries"] = {"by part": by_part(results), "by kind": by_kind(results)}
    return json.dumps(content, indent=1, default=str, ensure_ascii=False) + "\n"
