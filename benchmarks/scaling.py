"""What so many ratings a second need: arithmetic over measured figures, and a simulation of waiting."""

import math
from collections.abc import Sequence
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.batches import Worker, come, waits
from benchmarks.capacity import DAY, MONTH_DAYS, OPEN_SHARE, USUAL, Costs, Habits, Need, need, reach
from contracts.topics import RATING_SUBMISSIONS

MEASURED = Costs(
    page=0.004,
    take=1 / 1_437,
    tail=60e-6,
    challenge=0.005,
    ask=0.001,
    decide=0.0012,
    hash=0.14,
    fold=60e-6,
    one_at_a_time=100e-6,
    decisions_database=0.0005,
    figures_database=100e-6,
    broker=0.0003,
    submission_bytes=1_600,
    outcome_bytes=1_000,
    decision_bytes=600,
    counted_bytes=100,
)
"""docs/scaling.md says by which command each was."""
DECIDING = Worker(batch=0.020, message=MEASURED.decide, most=500)
FOLDING = Worker(batch=0.015, message=MEASURED.one_at_a_time, most=1_000, look=0.1)
"""Aggregation waits for a batch to be filled, a tenth of a second at most."""
SIMULATED_SECONDS, LARGEST_SAMPLE = 600.0, 400_000


def main(  # noqa: PLR0917 - options, all by name
    rate: Annotated[
        list[float] | None, typer.Option(min=0.01, help="Ratings a second; may be repeated.")
    ] = None,
    pages: Annotated[float, typer.Option(min=0, help="Of the portal, for each rating.")] = USUAL.pages,
    codes: Annotated[
        float, typer.Option(min=0, max=1, help="Share of ratings with a code by SMS.")
    ] = USUAL.codes,
    partitions: Annotated[int, typer.Option(min=1, help="Of each topic.")] = RATING_SUBMISSIONS.partitions,
    core_price: Annotated[float, typer.Option(help="Of a core with 4 GiB for a month. Assumed.")] = 30.0,
    disk_price: Annotated[float, typer.Option(help="Of a GiB of disk for a month. Assumed.")] = 0.1,
    sms_price: Annotated[float, typer.Option(help="Of a text message. Assumed.")] = 0.03,
    seed: Annotated[int, typer.Option(help="Of the simulation.")] = 1,
) -> None:
    """Print what so many ratings a second need, and how long each waits to be visible. Starts nothing.

    Example: python -m benchmarks scaling --rate 1 --rate 100 --rate 10000
    """
    console = Console(highlight=False)
    habits = Habits(pages, codes)
    limits = reach(MEASURED)
    for each in rate or (1.0, 100.0, 10_000.0):
        systems = math.ceil(each / min(limits.values()))
        share = each / systems
        needed = need(share, MEASURED, habits)
        title = f"{each:,.0f} ratings a second" + (
            f": {systems} systems, each of which needs" if systems > 1 else ""
        )
        console.print(_table(title, needed, _waiting(share, max(partitions, needed.partitions), seed)))
        month = systems * (
            sum(needed.cores.values()) / 0.6 * core_price + sum(needed.disk.values()) * disk_price
        )
        texts = each * DAY * OPEN_SHARE * MONTH_DAYS * codes
        console.print(
            f"  a month: {month:,.0f} for machines, {texts * sms_price:,.0f} for {texts:,.0f} text messages\n"
        )
    for what, most in limits.items():
        console.print(f"{what}: {most:,.0f} a second at most")


def _table(title: str, needed: Need, waiting: Sequence[float]) -> Table:
    table = Table("", "processes", "cores kept busy", title=title)
    for name, cores in needed.cores.items():
        table.add_row(name, str(needed.processes.get(name, "")), f"{cores:.2f}")
    table.add_section()
    for name, size in needed.disk.items():
        table.add_row(f"disk after a year: {name}", "", f"{size:,.0f} GiB")
    table.add_row("partitions, at least", str(needed.partitions), "")
    median, most = waiting
    table.add_row("simulated, until visible: median; 99 of 100", "", f"{median:.2f}; {most:.2f} s")
    return table


def _waiting(rate: float, partitions: int, seed: int) -> tuple[float, float]:
    """From a submission in the log until its figures are committed: median, and 99 of 100."""
    submitted = come(rate, min(SIMULATED_SECONDS, LARGEST_SAMPLE / rate), seed)
    partition = np.random.default_rng(seed).integers(0, partitions, len(submitted))
    decided = submitted.copy()
    for number in range(partitions):
        mine = partition == number
        decided[mine] += waits(submitted[mine], DECIDING)
    order = np.argsort(decided)
    # The row of the city makes one worker of all.
    waited = decided[order] + waits(decided[order], FOLDING) - submitted[order]
    return float(np.quantile(waited, 0.5)), float(np.quantile(waited, 0.99))
