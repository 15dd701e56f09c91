"""What an overload showed: as a table, as Markdown and as JSON."""

import json
from dataclasses import asdict, fields
from typing import Any

from rich.console import Console

from faults.overloading.running import GOAL_MS, MOST_GROWTH, TIMES, Results
from faults.report import percentile


def summary(results: Results) -> list[tuple[str, str]]:
    found = [
        ("one intake takes", f"{results.capacity:.0f} ratings a second"),
        ("offered", f"{results.offered:.0f} a second ({TIMES} × wanted) for {results.order.seconds:g} s"),
        ("answers", ", ".join(f"{status}: {n}" for status, n in sorted(results.statuses.items()) if n)),
        ("not sent, too many under way", str(results.held_back)),
        ("taken in meanwhile", f"{results.taken_per_second:.0f} a second"),
        ("202 after", _times(results.taken_ms)),
        ("refused after", _times(results.refused_ms)),
        ("goal for refusals", _against_goal(results)),
        ("intake's event loop late, p99", f"at most {results.lag_ms:.0f} ms, by its own histogram"),
        ("sent late by the client", _times(results.late_ms)),
        ("/readyz meanwhile", ", ".join(f"{status}: {n}" for status, n in results.operations.items())),
    ]
    if "after" in results.memory:
        memory = " → ".join(f"{results.memory[when].private:.0f}" for when in ("before", "peak", "after"))
        resident = " → ".join(f"{results.memory[when].resident:.0f}" for when in ("before", "peak", "after"))
        found.append(
            ("intake's memory", f"{memory} MiB private, {resident} resident ({MOST_GROWTH:.0f} more allowed)")
        )
    recovered = "never" if results.recovered is None else f"after {results.recovered:.1f} s"
    return [
        *found,
        ("took ratings again", recovered),
        ("202s in the log", f"{results.kept}, of which lost {results.lost}, doubled {results.doubled}"),
        ("again with", "make overload"),
    ]


def _times(milliseconds: list[float]) -> str:
    if not milliseconds:
        return "none"
    p50, p99 = (percentile(milliseconds, share) for share in (0.5, 0.99))
    return f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, longest {max(milliseconds):.0f} ms"


def _against_goal(results: Results) -> str:
    if not results.refused_ms:
        return "nothing was refused"
    met = percentile(results.refused_ms, 0.99) <= GOAL_MS
    return f"{'met' if met else 'MISSED'} (p99 within {GOAL_MS:.0f} ms, as the client saw it)"


def show(results: Results, console: Console) -> None:
    for name, value in summary(results):
        console.print(f"{name + ':':<32} {value}")
    for line in results.red:
        console.print(f"[bold red]✗[/] {line}")
    if not results.red:
        console.print("[bold green]✓[/] only 202, 429 and 503; nothing that was taken in is lost")


def markdown(results: Results) -> str:
    lines = ["# Overload", "", "| | |", "| --- | --- |"]
    lines += [f"| {name} | {value} |" for name, value in summary(results)]
    if results.red:
        lines += ["", "## What was wrong", "", *(f"- {line}" for line in results.red)]
    return "\n".join(lines) + "\n"


def document(results: Results) -> str:
    content: dict[str, Any] = {each.name: getattr(results, each.name) for each in fields(results)}
    for name in ("taken_ms", "refused_ms", "late_ms"):
        content[name] = _times(content[name])
    content["red"] = results.red
    content["order"] = asdict(results.order)
    content["memory"] = {when: asdict(each) for when, each in results.memory.items()}
    return json.dumps(content, indent=1, default=str, ensure_ascii=False) + "\n"
