"""Does reading cost more with more ratings? The same documents over read models of different sizes.

The smallest sizes are folded, rating by rating, as the worker does it. A larger one is a copy of the largest
of these in which every counter is multiplied: its cells are filled already, and cells are what is read. The
table of submissions that were counted, which no query reads, is left as it is.
"""

import asyncio
import itertools
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import date, datetime
from datetime import time as time_of_day
from statistics import median
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import typer
from pydantic import BaseModel
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.a_year import LAST, UNITS, outcomes
from benchmarks.servers import MIGRATIONS, figures_pool, own_postgres
from chassis import logs, postgres
from contracts.city_time import CITY_TIME
from contracts.events import Text
from services.aggregation.adapters.ledger import PostgresLedger
from services.aggregation.adapters.reading import PostgresReading
from services.aggregation.answers import Answers
from services.aggregation.documents import Period
from services.aggregation.domain import CITY, Level, Read, Scope

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
BATCH = 5_000
UNIT = Scope(Level.UNIT, next(iter(UNITS)))
MONTH = Period(None, date(2026, 11, 1), date(2026, 11, 30))
NOW = datetime.combine(LAST, time_of_day(18), CITY_TIME)
_SCALE = """
UPDATE read_models.tally SET count = count * {0}, released = released * {0};
UPDATE read_models.standing SET accepted = accepted * {0};
"""
Advance = Callable[[str], None]
Document = tuple[Callable[[Answers, Scope, Period], Awaitable[BaseModel]], Period]
DOCUMENTS: Mapping[str, Document] = {
    "figures": (Answers.satisfaction, Period()),
    "figures of a month": (Answers.satisfaction, MONTH),
    "history": (Answers.history, MONTH),
    "change": (Answers.change, MONTH),
    "children": (Answers.children, Period()),
}
ASKED = tuple(itertools.product((UNIT, CITY), DOCUMENTS))


async def fill(server: str, sizes: Sequence[int], folded: int, advance: Advance) -> dict[int, str]:
    """The URL of a database for each size, which hold read models of so many ratings."""
    urls = {size: urlunsplit(urlsplit(server)._replace(path=f"/reads_{size}")) for size in sizes}
    largest = max((size for size in sizes if size <= folded), default=min(sizes))
    for size in sizes:
        if size <= largest:
            await _command(server, f"CREATE DATABASE reads_{size}")
            await _fold(urls[size], size, advance)
        else:
            await _command(server, f"CREATE DATABASE reads_{size} TEMPLATE reads_{largest}")
            await _command(urls[size], _SCALE.format(size // largest))
        await _command(urls[size], "VACUUM ANALYZE")
        advance(f"{size:,} ratings")
    return urls


async def _fold(url: str, count: int, advance: Advance) -> None:
    await postgres.migrate(url, MIGRATIONS)
    async with figures_pool(url) as pool:
        ledger = PostgresLedger(pool)
        await ledger.checkpoints([0])
        offset = 0
        log = outcomes(count)
        while batch := list(itertools.islice(log, BATCH)):
            await ledger.count({0: [Read(offset + n, offset + n, each) for n, each in enumerate(batch)]})
            offset += len(batch)
            advance(f"{count:,} ratings")


async def measure(urls: Mapping[int, str], rounds: int, advance: Advance) -> dict[str, dict[int, float]]:
    """The median milliseconds of each document at each size, asked in turns so that what slows the machine
    slows all alike."""
    taken: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    chance = random.Random(1)
    async with AsyncExitStack() as stack:
        answers = {}
        for size, url in urls.items():
            reading = PostgresReading(
                await stack.enter_async_context(figures_pool(url)),
                Text(vi="Thành phố", en="The city"),
                lambda: NOW,
            )
            answers[size] = Answers(reading, lambda: NOW)
        for turn, (scope, name) in itertools.product(range(-1, rounds), ASKED):
            ask, period = DOCUMENTS[name]
            for size in chance.sample(list(urls), len(urls)):
                begun = time.perf_counter()
                (await ask(answers[size], scope, period)).model_dump_json(by_alias=True)
                if turn >= 0:  # the first round warms up
                    taken[f"{scope.level}: {name}"][size].append(1000 * (time.perf_counter() - begun))
            advance("documents")
    return {name: {size: median(each[size]) for size in urls} for name, each in taken.items()}


async def _command(url: str, command: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(command)
    finally:
        await connection.close()


def main(
    rounds: Annotated[int, typer.Option(min=1, max=1000, help="How often each document is asked for.")] = 15,
    folded: Annotated[
        int, typer.Option(min=1, help="Up to so many ratings are folded; more are multiplied.")
    ] = 100_000,
    sizes: Annotated[list[int] | None, typer.Option("--size", help="Ratings; may be given again.")] = None,
) -> None:
    """Ask for the same documents over read models of 10^4 to 10^7 ratings, in turns; print the medians.

    Example: python -m benchmarks reads --rounds 30 --size 10000 --size 10000000
    """
    logs.configure("benchmark", level="ERROR")
    asked = sorted(set(sizes or SIZES))
    console = Console(highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        steps = len(asked) + sum(-(-size // BATCH) for size in asked if size <= max(folded, asked[0]))
        task = progress.add_task("", total=steps + (rounds + 1) * len(ASKED))
        found, rows = asyncio.run(
            _run(asked, folded, rounds, lambda what: progress.update(task, advance=1, description=what))
        )
    table = Table(
        "document", title=f"median ms of {rounds}, and how much dearer than with {asked[0]:,} ratings"
    )
    for size in asked:
        table.add_column(f"{size:,}", justify="right")
    for name, medians in found.items():
        least = medians[asked[0]]
        table.add_row(name, *(f"{medians[size]:.1f} (×{medians[size] / least:.2f})" for size in asked))
    table.add_section()
    table.add_row("counters stored", *(f"{rows[size]:,}" for size in asked))
    console.print(table)


async def _run(
    sizes: Sequence[int], folded: int, rounds: int, advance: Advance
) -> tuple[dict[str, dict[int, float]], dict[int, int]]:
    async with own_postgres() as (server, _):
        urls = await fill(server, sizes, folded, advance)
        found = await measure(urls, rounds, advance)
        rows = {}
        for size, url in urls.items():
            async with figures_pool(url) as pool:
                rows[size] = await pool.fetchval("SELECT count(*) FROM tally")
    return found, rows
