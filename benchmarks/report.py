"""docs/performance.md and its plots, from the results; what stands below its last rule is written by hand."""

import re
from collections.abc import Iterator
from pathlib import Path

from benchmarks import charts
from benchmarks.results import OURS, Curve, Goal, Results, Row
from benchmarks.rounds import Spread
from deploy.local.layout import CHECKOUT

RESULTS = CHECKOUT / "docs" / "performance.json"
PAGE = CHECKOUT / "docs" / "performance.md"
IMAGES = CHECKOUT / "docs" / "images"
BY_HAND = "<!-- What follows is written by hand. -->"
HEAD = """# Performance

How fast each part is beside what others would have built, all measured in one run on one machine: our
figure, each peer's, the ratio and its spread. Written by `{command}` from
[performance.json](performance.json); peers are in [benchmarks/peers/](../benchmarks/peers). Again:
`make bench` (25 minutes at most), `make bench-quick` (three), and `make bench-check`, which compares the
ratios of a quick run with these.

Rounds go in turns, and a ratio is taken within a round; figures are medians, with the least and the most of
the rounds. What is measured has a core to itself, unless a row says otherwise; Kafka, PostgreSQL and callers
share the rest. Every run holds its result against an independent count, with durability, transactions and
every check on.
"""
SLUG = re.compile(r"[^a-z0-9]+")


def write(results: Results, page: Path = PAGE, images: Path = IMAGES) -> None:
    images.mkdir(parents=True, exist_ok=True)
    for name, title, curves, tenfold in _plots(results):
        (images / name).write_text(charts.svg(title, curves, tenfold=tenfold), encoding="utf-8")
    kept = page.read_text("utf-8").partition(BY_HAND)[2] if page.exists() else "\n"
    page.write_text(f"{markdown(results)}\n{BY_HAND}{kept}", encoding="utf-8")


def markdown(results: Results) -> str:
    lines = [
        HEAD.format(command=results.command),
        "## Goals",
        "",
        "| what | got | spread | goal | |",
        "| --- | --- | --- | --- | --- |",
        *(_goal(goal) for row in results.rows for goal in row.goals),
        "",
        "## Where and with what",
        "",
        f"{results.taken_at}, commit `{results.commit}`, {results.seconds / 60:.0f} minutes in all.",
        "",
        f"Machine: {_pairs(results.machine)}.",
        "",
        f"Versions: {_pairs(results.versions)}.",
    ]
    for row in results.rows:
        lines += ["", f"## {row.title}", *_row(row)]
    for name, title, *_ in _plots(results):
        place = lines.index(f"## {_title_of(results, title)}")
        end = next((i for i in range(place + 1, len(lines)) if lines[i].startswith("## ")), len(lines))
        lines[end:end] = [f"![{title[:1].upper() + title[1:]}](images/{name})", ""]
    return "\n".join(lines) + "\n"


def _goal(goal: Goal) -> str:
    spread = "" if goal.low is None or goal.high is None else f"{_n(goal.low)}–{_n(goal.high)}"
    sign = "≥" if goal.at_least else "≤"
    met = "met" if goal.met else "**missed**"
    got, wanted = (f"{_n(value)}{goal.unit}" for value in (goal.got, goal.wanted))
    return f"| {goal.what} | {got} | {spread} | {sign} {wanted} | {met} |"


def _row(row: Row) -> Iterator[str]:
    yield ""
    yield f"{row.how[:1].upper() + row.how[1:]}. It took {row.seconds:.0f} s."
    if row.failure:
        yield ""
        yield f"**Broken off: {row.failure}**"
    sides = [side for side in row.sides if side.rates]
    if sides:
        ours = any(side.name == OURS for side in sides)
        yield ""
        yield f"| | {row.unit} a second | for a second of its CPU | µs of servers each | ours is |"
        yield "| --- | --- | --- | --- | --- |"
        for side in sides:
            core = f"{Spread.of(side.core).median:,.0f}" if side.core else ""
            servers = f"{Spread.of(side.servers).median:,.0f}" if side.servers else ""
            ratio = _ratio(row, side.name) if ours and side.name != OURS and not side.apart else ""
            rates = Spread.of(side.rates)
            spread = f"{_n(rates.median)} ({_n(rates.least)}–{_n(rates.most)})"
            yield f"| {side.name} | {spread} | {core} | {servers} | {ratio} |"
    for side in row.sides:
        if side.note:
            yield ""
            yield f"{side.name} failed: {side.note}"
    if row.figures:
        yield ""
        yield from (f"- {name}: {value}" for name, value in row.figures.items())
    for each in row.checked:
        yield ""
        yield f"Checked: {each}."
    yield ""


def _ratio(row: Row, peer: str) -> str:
    found = row.ratio(peer)
    return f"×{_n(found.median)} ({_n(found.least)}–{_n(found.most)})"


def _plots(results: Results) -> Iterator[tuple[str, str, list[Curve], bool]]:
    """File name, title, curves, and whether the axes are logarithmic."""
    for row in results.rows:
        for title, curves in row.curves.items():
            drawn = [curve for curve in curves if len(curve.points) > 1]
            if drawn:
                slug = SLUG.sub("-", f"{row.key} {title}".lower()).strip("-")[:60]
                yield f"performance-{slug}.svg", f"{row.title}: {title}", drawn, row.key == "reads"


def _title_of(results: Results, title: str) -> str:
    return next(row.title for row in results.rows if title.startswith(f"{row.title}: "))


def _pairs(found: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in found.items())


def _n(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
