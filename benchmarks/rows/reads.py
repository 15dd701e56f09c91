"""What a unit's page costs as ratings grow: our read models, and GROUP BY with the right index.

Ours twice: as it is read again while no rating is counted, and right after one of that unit was, when none of
its documents that were made before is of use. The goals are of the first; the second is what the first reader
after each change waits for.
"""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from pydantic import BaseModel

from benchmarks import a_year, read_cost
from benchmarks.bench import Bench, Wrong
from benchmarks.peers import crud
from benchmarks.results import OURS, Curve, Goal, Row
from benchmarks.rounds import percentile
from benchmarks.servers import figures_pool
from contracts.events import Outcome, Text
from deploy.local.postgres import SUPERUSER
from services.aggregation.adapters.ledger import PostgresLedger
from services.aggregation.adapters.reading import PostgresReading
from services.aggregation.answers import Answers
from services.aggregation.documents import Period
from services.aggregation.domain import Read, Scope
from services.aggregation.files_handled import NOBODY_SAID
from services.aggregation.keeping import Keeping, Make

FLAT, AHEAD, AHEAD_FROM = 1.5, 1.0, 100_000
A_FILL = 500_000
A_YEAR = 10_000  # of which every 29th is of the unit
AFTER = "ours, after a rating"
CRUD_TURNS = 4
"""Of one turn of a peer that takes seconds for a page, so many of ours."""


async def measure(bench: Bench, row: Row) -> None:
    """A page is the five documents behind it: figures, those of a month, history, change, officers."""
    sizes = bench.sizes
    row.unit = "pages"
    row.how = (
        f"the five documents of a unit's page, one after the other, {sizes.reads_rounds} pages of each size"
        " in turns, ours right after a rating of the unit was counted, and once more; read models of more"
        f" than {sizes.reads_folded:,} ratings are multiplied, crud's rows are all there"
    )
    server = bench.stack.database.url(SUPERUSER)
    bench.tell("reads: filling read models")
    urls = await read_cost.fill(
        server, sizes.reads, sizes.reads_folded, lambda what: bench.tell(f"reads: {what}")
    )
    tables = {size: await _table(bench, server, size) for size in sizes.reads}
    pages = await _pages(bench, urls, tables)
    ours, theirs = pages[OURS], pages["crud"]
    curves = {name: Curve(name=name) for name in (OURS, AFTER, "crud")}
    for size in sizes.reads:
        row.side(f"ours, {size:,}").rates = [1000 / each for each in ours[size]]
        row.side(f"{AFTER}, {size:,}").rates = [1000 / each for each in pages[AFTER][size]]
        row.side(f"crud, {size:,}").rates = [1000 / each for each in theirs[size]]
        for name, found in pages.items():
            p50, p99 = (percentile(found[size], share) for share in (0.5, 0.99))
            curves[name].points.append((float(size), p50))
            row.figures[f"{name}, {size:,} ratings"] = f"p50 {p50:.1f} ms, p99 {p99:.1f} ms"
    row.curves["a unit's page in ms (median) against ratings"] = list(curves.values())
    first, last = min(sizes.reads), max(sizes.reads)
    for share in (0.5, 0.99):
        grown = percentile(ours[last], share) / percentile(ours[first], share)
        what = f"p{100 * share:.0f} of a page, {last:,} against {first:,} ratings"
        row.goals.append(Goal(what=what, got=grown, wanted=FLAT, at_least=False, unit="×"))
    for size in sizes.reads:
        if size >= AHEAD_FROM:
            ahead = percentile(theirs[size], 0.99) / percentile(ours[size], 0.99)
            row.goals.append(
                Goal(what=f"p99 of crud against ours, {size:,}", got=ahead, wanted=AHEAD, unit="×")
            )
    row.checked.append("each of crud's tables has its rows, counted")


async def _table(bench: Bench, server: str, size: int) -> str:
    """A database with so many ratings; its URL."""
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f"CREATE DATABASE crud_{size}")
    finally:
        await connection.close()
    url = urlunsplit(urlsplit(server)._replace(path=f"/crud_{size}"))
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(crud.DASHBOARD_TABLE)
        for first in range(1, size + 1, A_FILL):
            bench.tell(f"reads: crud's {size:,} rows, {first:,}")
            last = min(size, first + A_FILL - 1)
            await connection.execute(crud.DASHBOARD_FILL.format(first=first, last=last))
        bench.tell(f"reads: the index of crud's {size:,}")
        await connection.execute(crud.DASHBOARD_INDEX)
        await connection.execute("VACUUM ANALYZE rated")
        if await connection.fetchval("SELECT count(*) FROM rated") != size:
            raise Wrong(f"crud's table has not {size} rows")
    finally:
        await connection.close()
    return url


async def _pages(
    bench: Bench, urls: dict[int, str], tables: dict[int, str]
) -> dict[str, dict[int, list[float]]]:
    """Milliseconds of each page, by side and size, asked for in turns."""
    taken: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    chance = random.Random(1)
    async with AsyncExitStack() as stack:
        cities, connections = {}, {}
        for size, url in urls.items():
            cities[size] = await _City.of(await stack.enter_async_context(figures_pool(url)))
        for size, url in tables.items():
            connections[size] = await asyncpg.connect(url)
            stack.push_async_callback(connections[size].close)
        for number in range(-1, bench.sizes.reads_rounds):
            bench.tell(f"reads: page {number + 1} of {bench.sizes.reads_rounds}")
            for size in chance.sample(list(urls), len(urls)):
                await cities[size].count_one()
                for name in (AFTER, OURS):
                    begun = time.perf_counter()
                    await cities[size].page()
                    if number >= 0:  # the first warms up
                        taken[name][size].append(1000 * (time.perf_counter() - begun))
                if number % CRUD_TURNS and number >= 0:
                    continue
                begun = time.perf_counter()
                await _theirs(connections[size])
                if number >= 0:
                    taken["crud"][size].append(1000 * (time.perf_counter() - begun))
            await asyncio.sleep(0)
    return taken


def _asking(ask: Callable[[Answers, Scope, Period], Awaitable[BaseModel]], period: Period) -> Make:
    return lambda answers: ask(answers, read_cost.UNIT, period)


@dataclass(slots=True)
class _City:
    """A size of ours: its documents, and ratings of the unit that are still to be counted."""

    keeping: Keeping
    ledger: PostgresLedger
    rated: Iterator[Outcome]
    offset: int

    @classmethod
    async def of(cls, pool: asyncpg.Pool) -> "_City":
        reading = PostgresReading(pool, Text(vi="Thành phố", en="The city"), lambda: read_cost.NOW)
        ledger = PostgresLedger(pool)
        (offset,) = (await ledger.checkpoints([0])).values()
        log = a_year.outcomes(A_YEAR, seed=2)
        rated = (each for each in log if each.unit_id == read_cost.UNIT.id)
        return cls(Keeping(reading, NOBODY_SAID), ledger, rated, offset)

    async def count_one(self) -> None:
        read = Read(self.offset, self.offset, next(self.rated))
        if (await self.ledger.count({0: [read]})).revision is None:
            raise Wrong("a rating was counted before")
        self.offset += 1

    async def page(self) -> None:
        for name, (ask, period) in read_cost.DOCUMENTS.items():
            await self.keeping.answer(name, _asking(ask, period))


async def _theirs(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    for queries in crud.DASHBOARD.values():
        for query in queries:
            await connection.fetch(query, read_cost.UNIT.id)
