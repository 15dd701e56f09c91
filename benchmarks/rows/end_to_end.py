"""From POST to visible in the live stream, everything on this machine: as a citizen's browser would see it.

Ratings are posted at a steady pace, whatever becomes of those before. A unit's public total rises with each
rating that counts: the n-th rating posted of a unit is visible once its total has risen by n. Officers'
figures move in batches, and are not waited for.
"""

import asyncio
import contextlib
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

import asyncpg

from benchmarks.bench import Bench, Wrong
from benchmarks.citizens import requests
from benchmarks.processes import ALL_CORES, cpu_seconds
from benchmarks.results import Curve, Goal, Row
from benchmarks.rounds import percentile
from benchmarks.rows.aggregation import quiet
from benchmarks.rows.verification import caught_up
from benchmarks.stack import EDITION, Stack
from deploy.local.ports import HOST
from faults.overloading.wire import Answer, Connection
from faults.planning import Officer, read_officers
from services.verification.challenges import Challenges

SERVICES = ("intake", "verification", "verification-worker", "aggregation", "aggregation-worker")
SCOPES = 16
WARM_EACH, WARM_RATE, PATIENCE_SECONDS = 25, 50.0, 60.0
_OF_UNITS = """
SELECT scope_id, sum(count) FROM read_models.tally
WHERE level = 'unit' AND edition_id = '*' AND day = 'infinity' AND measure = 'answer' GROUP BY scope_id
"""
TICK_SECONDS = 0.001


@dataclass(slots=True)
class Watched:
    """What the live stream says of units: `seen` has, for each, the moments at which its total rose, one for
    each rating."""

    totals: dict[str, int] = field(default_factory=dict)
    seen: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, port: int, units: list[str]) -> None:
        reader, writer = await asyncio.open_connection(HOST, port, limit=2**20)
        scopes = "&".join(f"scope={quote(f'unit:{unit}')}" for unit in units)
        writer.write(f"GET /v1/live?{scopes} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        try:
            while line := await reader.readline():
                if line.startswith(b"data: "):
                    self._take(json.loads(line[6:]), time.perf_counter())
        finally:
            writer.close()

    def _take(self, document: dict[str, object], now: float) -> None:
        scope, total = document["scope"], document["total"]
        if not isinstance(scope, dict) or not isinstance(total, int):
            return  # too few to be shown
        unit = str(scope["id"])
        if unit in self.totals:
            self.seen[unit] += [now] * (total - self.totals[unit])
        self.totals[unit] = total
        self.moved.set()

    def forget(self) -> None:
        self.seen.clear()


@dataclass(slots=True)
class Posted:
    """When each rating of a unit that was taken was posted, in seconds; answers by status; times in
    milliseconds."""

    at: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[int] = field(default_factory=Counter)
    late_ms: list[float] = field(default_factory=list)
    taken_ms: list[float] = field(default_factory=list)

    @property
    def count(self) -> int:
        return self.statuses[202]

    @property
    def refused(self) -> int:
        return self.statuses[503]


async def measure(bench: Bench, row: Row) -> None:
    sizes, stack = bench.sizes, bench.stack
    row.unit = "ratings"
    row.how = (
        f"{sizes.end_to_end_rate:g} ratings a second for {sizes.end_to_end_seconds:g} s; servers, services,"
        f" the caller and the reader of the stream share {len(ALL_CORES)} cores; one process of each service"
    )
    stack.spread()
    try:
        for name in SERVICES:
            bench.tell(f"end to end: starting {name}")
            await stack.serve(name, cores=ALL_CORES)
        await caught_up(stack.broker.bootstrap)
        await quiet(stack.database.url("aggregation"))
        units, officers = rated_units()
        async with watching(stack, units) as watched:
            await warm_up(bench, watched, officers)
            p50, p99 = Curve(name="p50"), Curve(name="p99")
            for rate in sorted({sizes.end_to_end_rate, *sizes.end_to_end_curve}):
                goal = rate == sizes.end_to_end_rate
                seconds = sizes.end_to_end_seconds if goal else sizes.end_to_end_curve_seconds
                bench.tell(f"end to end: {rate:g} a second")
                before = {name: cpu_seconds(pid) for name, pid in pids(stack).items()}
                delays, posted = await visible(bench, watched, officers, rate, seconds, seed=round(rate))
                found = [1000 * percentile(delays, share) for share in (0.5, 0.99)]
                p50.points.append((rate, found[0]))
                p99.points.append((rate, found[1]))
                if posted.refused:
                    row.figures[f"refused at {rate:g} a second"] = (
                        f"{posted.refused} of {round(rate * seconds)}"
                    )
                if goal:
                    _goal(row, delays, posted)
                    for name, pid in pids(stack).items():
                        busy = (cpu_seconds(pid) - before[name]) / seconds
                        row.figures[f"{name} keeps busy"] = f"{busy:.2f} cores"
            row.curves["until visible, in ms, against ratings a second"] = [p50, p99]
    finally:
        await stack.end_all()
        stack.keep_apart()


def _goal(row: Row, delays: list[float], posted: Posted) -> None:
    for share, wanted in ((0.5, 50.0), (0.99, 250.0)):
        got = 1000 * percentile(delays, share)
        what = f"end to end, p{100 * share:.0f}"
        row.goals.append(Goal(what=what, got=got, wanted=wanted, at_least=False, unit=" ms"))
    late, taken = percentile(posted.late_ms, 0.99), percentile(posted.taken_ms, 0.99)
    row.figures["the longest"] = f"{1000 * max(delays):.0f} ms"
    row.figures["202 after"] = f"p50 {percentile(posted.taken_ms, 0.5):.1f} ms, p99 {taken:.1f} ms"
    row.figures["posted late by the caller"] = f"p99 {late:.1f} ms"
    row.checked.append(
        f"all of {posted.count:,} ratings were confirmed, and the units' totals rose by as many"
    )


def pids(stack: Stack) -> dict[str, int]:
    return {**stack.servers, **{name: each.process.pid for name, each in stack.running.items()}}


def rated_units() -> tuple[list[str], list[Officer]]:
    """Units of several officers, so that their figures move at once; and all those officers."""
    of_units: dict[str, list[Officer]] = defaultdict(list)
    for officer in read_officers():
        of_units[officer.unit_id].append(officer)
    units = [unit for unit, officers in of_units.items() if len(officers) > 1][:SCOPES]
    return units, [officer for unit in units for officer in of_units[unit]]


@asynccontextmanager
async def watching(stack: Stack, units: list[str]) -> AsyncIterator[Watched]:
    watched = Watched()
    task = asyncio.create_task(watched.run(stack.ports["aggregation"], units))
    try:
        yield watched
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):
            await task


async def warm_up(bench: Bench, watched: Watched, officers: list[Officer]) -> None:
    """Until every unit has enough ratings to be shown, and all of them are. Raises Wrong."""
    bench.tell("end to end: warming up")
    stack = bench.stack
    count = WARM_EACH * len({each.unit_id for each in officers})
    before = await _counted(stack)
    posted = await post(stack, officers, WARM_RATE, count / WARM_RATE, seed=0)
    wanted = {unit: before[unit] + len(at) for unit, at in posted.at.items()}
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (
                await _counted(stack) != {**before, **wanted} or not wanted.items() <= watched.totals.items()
            ):
                await asyncio.sleep(0.5)
    except TimeoutError:
        raise Wrong(f"{posted.count} ratings were not all shown") from None
    watched.forget()


async def _counted(stack: Stack) -> Counter[str]:
    """Accepted ratings by unit, out of the read models."""
    connection = await asyncpg.connect(stack.database.url("aggregation"))
    try:
        return Counter({each["scope_id"]: int(each["sum"]) for each in await connection.fetch(_OF_UNITS)})
    finally:
        await connection.close()


async def visible(
    bench: Bench, watched: Watched, officers: list[Officer], rate: float, seconds: float, *, seed: int
) -> tuple[list[float], Posted]:
    """Seconds from posting to visible of each rating. Raises Wrong where one does not become visible."""
    watched.forget()
    posted = await post(bench.stack, officers, rate, seconds, seed=seed)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while sum(map(len, watched.seen.values())) < posted.count:
                watched.moved.clear()
                await watched.moved.wait()
    except TimeoutError:
        seen = sum(map(len, watched.seen.values()))
        raise Wrong(f"of {posted.count} ratings {seen} became visible") from None
    delays = []
    for unit, at in posted.at.items():
        if len(watched.seen[unit]) != len(at):
            raise Wrong(f"{unit} was rated {len(at)} times and rose by {len(watched.seen[unit])}")
        delays += [seen - sent for sent, seen in zip(at, watched.seen[unit], strict=True)]
    return delays, posted


async def post(
    stack: Stack, officers: list[Officer], rate: float, seconds: float, *, seed: int
) -> Posted:  # fmt: skip
    """At a steady pace. Raises Wrong where something else than 202 is answered, or 503, which is overload."""
    port, posted = stack.ports["intake"], Posted()
    challenges = Challenges(stack.challenge_key)
    fresh = (5_000 + seed) * 1_000 + random.randrange(1_000)  # idempotency keys of its own
    source = requests(port, EDITION, stack.portal_key, fresh, challenges=challenges, officers=officers)
    ready = [next(source) for _ in range(round(rate * seconds))]
    idle: list[Connection] = []
    under_way: dict[Connection, tuple[str, float]] = {}

    def done(connection: Connection, answer: Answer) -> None:
        unit, sent = under_way.pop(connection)
        posted.statuses[answer.status] += 1
        if answer.status == 202:
            posted.taken_ms.append(1000 * answer.seconds)
            posted.at[unit].append(sent)
        if connection.open and "connection: close" not in answer.head.lower():
            idle.append(connection)

    started = time.perf_counter()
    for number, (rated, request) in enumerate(ready):
        due = started + number / rate
        while (left := due - time.perf_counter()) > 0:
            await asyncio.sleep(max(left, TICK_SECONDS))
        while idle and not idle[-1].open:
            idle.pop()
        if idle:
            connection = idle.pop()
        else:
            loop = asyncio.get_running_loop()
            _, connection = await loop.create_connection(lambda: Connection(done), HOST, port)
        now = time.perf_counter()
        posted.late_ms.append(1000 * (now - due))
        under_way[connection] = rated.officer.unit_id, now
        connection.send(request)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while posted.statuses.total() < len(ready):
            await asyncio.sleep(0.01)
    for connection in idle:
        connection.close()
    if posted.statuses.keys() - {202, 503} or not posted.count:
        raise Wrong(f"answered {dict(posted.statuses)}")
    for each in posted.at.values():
        each.sort()
    return posted
