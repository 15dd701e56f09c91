"""What a campaign found: as a table, as Markdown and as JSON."""

import json
from collections import Counter, defaultdict
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from faults.campaign import Results

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
    stops = [cycle.stopped_in for cycle in results.cycles if cycle.stopped_in is not None]
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
        ("stopped gracefully in (max)", f"{max(stops):.1f} s" if stops else "-"),
        ("failpoints never come by", str(len(missed))),
        ("again with", f"make faults CYCLES={order.cycles} SEED={order.seed} BROKERS={order.brokers}"),
    ]


def recoveries(results: Results) -> list[tuple[str, int, float, float, float]]:
    """Kind, how often, and p50, p95 and longest recovery (seconds); infinite where there was none."""
    by_kind: dict[str, list[float]] = defaultdict(list)
    for cycle in results.cycles:
        by_kind[cycle.kind].append(float("inf") if cycle.recovery is None else cycle.recovery)
    return [
        (kind, len(times), percentile(times, 0.5), percentile(times, 0.95), max(times))
        for kind, times in sorted(by_kind.items())
    ]


def show(results: Results, console: Console) -> None:
    found = Table("campaign", "")
    for row in summary(results):
        found.add_row(*row)
    console.print(found)
    table = Table("fault", "times", "p50 s", "p95 s", "max s")
    for kind, times, p50, p95, most in recoveries(results):
        table.add_row(kind, str(times), f"{p50:.1f}", f"{p95:.1f}", f"{most:.1f}")
    console.print(table)
    for line in results.red:
        console.print(f"[bold red]✗[/] {line}", highlight=False)
    if not results.red:
        console.print("[bold green]✓[/] nothing lost, nothing doubled, nothing invented, nothing leaked")


def markdown(results: Results) -> str:
    lines = ["# Fault campaign", "", "| | |", "| --- | --- |"]
    lines += [f"| {name} | {value} |" for name, value in summary(results)]
    lines += ["", "| fault | times | recovery p50 s | p95 s | max s |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| {kind} | {n} | {p50:.1f} | {p95:.1f} | {most:.1f} |"
        for kind, n, p50, p95, most in recoveries(results)
    ]
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
    content["recoveries"] = recoveries(results)
    return json.dumps(content, indent=1, default=str, ensure_ascii=False) + "\n"
