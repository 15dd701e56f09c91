"""What a unit's page costs as ratings grow: our read models, and GROUP BY with the right index."""

import asyncio
import random
import time
from collections import defaultdict
from contextlib import AsyncExitStack
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from benchmarks import read_cost
from benchmarks.bench import Bench, Wrong
from benchmarks.peers import crud
from benchmarks.results import OURS, Curve, Goal, Row
from benchmarks.rounds import percentile
from benchmarks.servers import figures_pool
from contracts.events import Text
from deploy.local.postgres import SUPERUSER
from services.aggregation.adapters.reading import PostgresReading
from services.aggregation.answers import Answers

FLAT, AHEAD, AHEAD_FROM = 1.5, 1.0, 100_000
A_FILL = 500_000
CRUD_TURNS = 4
"""Of one turn of a peer that takes seconds for a page, so many of ours."""


async def measure(bench: Bench, row: Row) -> None:
    """A page is the five documents behind it: figures, those of a month, history, change, officers."""
    sizes = bench.sizes
    row.unit = "pages"
    row.how = (
        f"the five documents of a unit's page, one after the other, {sizes.reads_rounds} pages of each size"
        f" in turns; read models of more than {sizes.reads_folded:,} ratings are multiplied, crud's rows"
        " are all there"
    )
    server = bench.stack.database.url(SUPERUSER)
    bench.tell("reads: filling read models")
    urls = await read_cost.fill(
        server, sizes.reads, sizes.reads_folded, lambda what: bench.tell(f"reads: {what}")
    )
    tables = {size: await _table(bench, server, size) for size in sizes.reads}
    pages = await _pages(bench, urls, tables)
    ours, theirs = pages[OURS], pages["crud"]
    curves = {name: Curve(name=name) for name in (OURS, "crud")}
    for size in sizes.reads:
        row.side(f"ours, {size:,}").rates = [1000 / each for each in ours[size]]
        row.side(f"crud, {size:,}").rates = [1000 / each for each in theirs[size]]
        for name, found in ((OURS, ours), ("crud", theirs)):
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
        answers, connections = {}, {}
        for size, url in urls.items():
            pool = await stack.enter_async_context(figures_pool(url))
            city = Text(vi="Thành phố", en="The city")
            answers[size] = Answers(PostgresReading(pool, city, lambda: read_cost.NOW), lambda: read_cost.NOW)
        for size, url in tables.items():
            connections[size] = await asyncpg.connect(url)
            stack.push_async_callback(connections[size].close)
        for number in range(-1, bench.sizes.reads_rounds):
            bench.tell(f"reads: page {number + 1} of {bench.sizes.reads_rounds}")
            for size in chance.sample(list(urls), len(urls)):
                begun = time.perf_counter()
                await _ours(answers[size])
                if number >= 0:  # the first warms up
                    taken[OURS][size].append(1000 * (time.perf_counter() - begun))
                if number % CRUD_TURNS and number >= 0:
                    continue
                begun = time.perf_counter()
                await _theirs(connections[size])
                if number >= 0:
                    taken["crud"][size].append(1000 * (time.perf_counter() - begun))
            await asyncio.sleep(0)
    return taken


async def _ours(answers: Answers) -> None:
    for ask, period in read_cost.DOCUMENTS.values():
        (await ask(answers, read_cost.UNIT, period)).model_dump_json(by_alias=True)


async def _theirs(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    for queries in crud.DASHBOARD.values():
        for query in queries:
            await connection.fetch(query, read_cost.UNIT.id)
