"""One worker and two on all cores, and how soon a worker that was away for a while has caught up."""

import asyncio
import time

from benchmarks.bench import Bench, Wrong
from benchmarks.log import Outcomes, ends
from benchmarks.processes import ALL_CORES
from benchmarks.results import OURS, Goal, Row
from benchmarks.rows import aggregation, verification
from benchmarks.rows.end_to_end import SERVICES, post, rated_units, warm_up, watching
from contracts.topics import RATING_OUTCOMES

SETTLED_SECONDS = 4.0
CATCH_UP_SECONDS = 120.0
GOAL = 1.7


async def measure(bench: Bench, row: Row) -> None:
    row.unit = "records"
    row.how = (
        f"{bench.sizes.scale_rounds} rounds of the backlogs of verification and aggregation with one worker,"
        f" then with two; servers and workers share {len(ALL_CORES)} cores, so no core is free for the second"
    )
    bench.stack.spread()
    try:
        await _workers(bench, row, "verification-worker")
        await _workers(bench, row, "aggregation-worker")
        await _recovery(bench, row)
    finally:
        await bench.stack.end_all()
        bench.stack.keep_apart()


async def _workers(bench: Bench, row: Row, name: str) -> None:
    stack, kind = bench.stack, name.partition("-")[0]
    found = Row(key=kind, title="")
    await stack.serve(name, cores=ALL_CORES)
    made = Outcomes(seed=5)
    if kind == "verification":
        await verification.caught_up(stack.broker.bootstrap)
    else:
        await aggregation.quiet(stack.database.url("aggregation"))
    async with verification.outcomes_read(stack.broker.bootstrap) as outcomes:
        for workers in (1, 2):
            if workers == 2:
                await stack.serve(name, cores=ALL_CORES, number=2)
                await asyncio.sleep(SETTLED_SECONDS)  # the group shares its partitions out anew
            for number in range(-1, bench.sizes.scale_rounds):
                bench.tell(f"scale: {kind}, {workers} workers, round {number + 1}")
                into = found if number >= 0 else None
                if kind == "verification":
                    await verification.round_of_ours(bench, into, 50 + number, outcomes, workers)
                else:
                    await aggregation.round_of_ours(bench, into, made, workers)
    await stack.end_all()
    one, two = found.side(OURS), found.side("2 workers")
    row.side(f"{kind}, 1 worker").rates = one.rates
    row.side(f"{kind}, 2 workers").rates = two.rates
    row.goal(f"{kind}, two workers against one", GOAL, f"{kind}, 1 worker", ours=f"{kind}, 2 workers")


async def _recovery(bench: Bench, row: Row) -> None:
    """Ratings go on coming while the aggregation worker is away."""
    stack, sizes = bench.stack, bench.sizes
    for name in SERVICES:
        bench.tell(f"scale: starting {name}")
        await stack.serve(name, cores=ALL_CORES)
    await aggregation.quiet(stack.database.url("aggregation"))
    units, officers = rated_units()
    async with watching(stack, units) as watched:
        await warm_up(bench, watched, officers)
        bench.tell(f"scale: the aggregation worker is away for {sizes.paused_seconds:g} s")
        await stack.end("aggregation-worker")
        away = await post(stack, officers, sizes.end_to_end_rate, sizes.paused_seconds, seed=800)
        bench.tell("scale: catching up while ratings go on coming")
        coming = asyncio.create_task(post(stack, officers, sizes.end_to_end_rate, 20.0, seed=801))
        behind = sum((await ends(stack.broker.bootstrap, RATING_OUTCOMES.name)).values())
        begun = time.monotonic()
        await stack.serve("aggregation-worker", cores=ALL_CORES)
        ready = time.monotonic() - begun
        try:
            async with asyncio.timeout(CATCH_UP_SECONDS):
                while sum(map(len, watched.seen.values())) < away.count:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise Wrong(f"{behind} records behind, not caught up in {CATCH_UP_SECONDS:.0f} s") from None
        took = time.monotonic() - begun
        await coming
    row.figures["after a pause"] = (
        f"{away.count:,} ratings of {sizes.paused_seconds:g} s were visible {took:.1f} s after the worker was"
        f" started again ({ready:.1f} s until it was ready), while {sizes.end_to_end_rate:g} a second went on"
        " coming"
    )
    row.goals.append(
        Goal(
            what="caught up after a pause, of the pause itself", got=took / sizes.paused_seconds, wanted=1.0,
            at_least=False, unit="×",
        )
    )  # fmt: skip
