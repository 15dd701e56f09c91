"""What so many ratings a second need: arithmetic over measured figures, and a simulation of waiting."""

import math
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.batches import Worker, come, waits
from benchmarks.capacity import (
    BUSY,
    DAY,
    MONTH_DAYS,
    OPEN_SHARE,
    USUAL,
    Batch,
    Costs,
    Habits,
    Need,
    need,
    reach,
)
from contracts.topics import RATING_SUBMISSIONS

MEASURED = Costs(
    page=1.4e-3,
    take=1 / 1_437,
    tail=30e-6,
    challenge=2.9e-3 + 8.8e-3,
    deciding=Batch(worker=4.5e-3, database=5.1e-3, broker=5.9e-3, lasts=82e-3),
    decide=85e-6,
    hash=0.14,
    folding=Batch(worker=5.3e-3, database=1.4e-3, broker=0.0, lasts=140e-3),
    fold=97e-6,
    one_at_a_time=180e-6,
    database=110e-6,
    broker=140e-6,
    dashboard_portal=26e-3,
    dashboard_figures=164e-3,
    dashboard_database=45e-3,
    submission_bytes=1_361,
    outcome_bytes=880,
    decision_bytes=907,
    counted_bytes=99,
)
"""docs/scaling.md says by which command each was."""
DECIDING = Worker(batch=MEASURED.deciding.lasts, message=MEASURED.decide, most=500)
FOLDING = Worker(batch=0.04, message=MEASURED.one_at_a_time, most=1_000, look=0.1)
"""The second waits for a batch to be filled, a tenth of a second at most."""
LEAST_CORES = 3.75
"""That the overlay small-city asks for, however little there is to do."""
SIMULATED_SECONDS, LARGEST_SAMPLE = 600.0, 400_000


def main(  # noqa: PLR0917 - options, all by name
    rate: Annotated[
        list[float] | None, typer.Option(min=0.01, help="Ratings a second; may be repeated.")
    ] = None,
    pages: Annotated[float, typer.Option(min=0, help="Of the walk, for each rating.")] = USUAL.pages,
    dashboards: Annotated[float, typer.Option(min=0, help="Looked at, for each rating.")] = USUAL.dashboards,
    codes: Annotated[
        float, typer.Option(min=0, max=1, help="Share of ratings with a code by SMS.")
    ] = USUAL.codes,
    partitions: Annotated[
        int, typer.Option(min=1, help="Of each topic; 6 is what there is.")
    ] = RATING_SUBMISSIONS.partitions,
    core_price: Annotated[float, typer.Option(help="Of a core with 4 GiB for a month. Assumed.")] = 30.0,
    disk_price: Annotated[float, typer.Option(help="Of a GiB of disk for a month. Assumed.")] = 0.1,
    sms_price: Annotated[float, typer.Option(help="Of a text message. Assumed.")] = 0.03,
    seed: Annotated[int, typer.Option(help="Of the simulation.")] = 1,
) -> None:
    """Print what so many ratings a second need, and how long each waits to be visible. Starts nothing.

    Example: python -m benchmarks scaling --rate 100 --rate 10000 --partitions 64
    """
    console = Console(highlight=False)
    habits = Habits(pages, dashboards, codes)
    limits = reach(MEASURED)
    for each in rate or (1.0,):
        systems = math.ceil(each / min(limits.values()))
        try:
            needed = need(each / systems, MEASURED, habits, partitions=partitions)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
        of_each = f": {systems} systems, each of which needs" if systems > 1 else ""
        console.print(_table(f"{each:,.0f} ratings a second{of_each}", needed))
        waited = wait(each / systems, partitions, seed)
        console.print("  simulated, until visible: {:.2f} s, 99 of 100 within {:.2f} s".format(*waited))
        cores = systems * max(LEAST_CORES, sum(needed.cores.values()) / BUSY)
        disk = systems * sum(needed.disk.values())
        texts = each * DAY * OPEN_SHARE * MONTH_DAYS * codes
        console.print(
            f"  a month: {cores * core_price:,.0f} for {cores:,.0f} cores,"
            f" {disk * disk_price:,.0f} for {disk:,.0f} GiB of disk,"
            f" {texts * sms_price:,.0f} for {texts:,.0f} text messages\n"
        )
    for what, most in limits.items():
        console.print(f"{what}: {most:,.0f} a second at most")


def _table(title: str, needed: Need) -> Table:
    table = Table("", "processes", "cores kept busy", "disk after a year", title=title)
    for name, cores in needed.cores.items():
        table.add_row(name, str(needed.processes.get(name, "")), f"{cores:.2f}")
    for name, size in needed.disk.items():
        table.add_row(name, "", "", f"{size:,.0f} GiB")
    return table


def wait(rate: float, partitions: int, seed: int) -> tuple[float, float]:
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
