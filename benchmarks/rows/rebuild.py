"""The whole log folded again and put in the place of the live figures; beside Kafka Streams."""

import asyncio
from collections import Counter
from collections.abc import Mapping

import asyncpg

from benchmarks.bench import Bench, Wrong, note_told
from benchmarks.log import Outcomes, count_answers, ends, write
from benchmarks.processes import Told, python, told_by
from benchmarks.results import OURS, Row
from benchmarks.rounds import turns
from benchmarks.rows.aggregation import GUARANTEES, streams, streams_topic, totals
from contracts.topics import RATING_OUTCOMES

STREAMS = "at_least_once"
AT_ONCE = 100_000
_EMPTY = """
TRUNCATE read_models.tally, read_models.acceptance, read_models.scale_tally, read_models.standing,
    read_models.scope, read_models.counted_submission, read_models.withdrawn_submission,
    read_models.checkpoint;
UPDATE read_models.revision SET value = 1
"""
_MARKED = "INSERT INTO read_models.checkpoint SELECT $1, unnest($2::int[]), unnest($3::bigint[])"


async def measure(bench: Bench, row: Row) -> None:
    sizes = bench.sizes
    row.unit = "outcomes"
    row.how = (
        f"{sizes.rounds} rounds of {sizes.rebuilt:,} outcomes from offset 0 to swapped tables, and one of"
        f" {sizes.rebuilt_long:,}; kafka-streams at_least_once: {sizes.streams:,}, the first"
        f" {sizes.streams_warm:,} not timed"
    )
    wanted = await streams_topic(bench)
    await fill(bench, sizes.rebuilt_long)
    short = await _some(bench, sizes.rebuilt)
    answers = await count_answers(bench.stack.broker.bootstrap, RATING_OUTCOMES.name, short)
    memory = 0.0
    for number in range(sizes.rounds):
        for name in turns([OURS, STREAMS], number):
            bench.tell(f"rebuild: {name}, round {number + 1}")
            if name == OURS:
                told = await rebuilt(bench, short, answers)
                memory = max(memory, told.more["memory_mib"])
                note_told(row.side(OURS), told)
            else:
                await streams(bench, row, STREAMS, wanted)
    row.goal("aggregation, rebuild, against kafka-streams", 3.0, GUARANTEES[STREAMS])
    row.figures["memory at most, short"] = f"{memory:.0f} MiB"
    await long_one(bench, row)


async def long_one(bench: Bench, row: Row) -> None:
    """The whole log, once."""
    bench.tell("rebuild: the whole log")
    bootstrap = bench.stack.broker.bootstrap
    whole = await ends(bootstrap, RATING_OUTCOMES.name)
    answers = await count_answers(bootstrap, RATING_OUTCOMES.name, whole)
    told = await rebuilt(bench, whole, answers)
    row.figures["the whole log"] = (
        f"{answers.total():,} outcomes in {told.seconds:.0f} s, {told.rate:,.0f} a second"
        f" ({told.core:,.0f} for a second of its CPU)"
    )
    row.figures["memory at most, the whole log"] = f"{told.more['memory_mib']:.0f} MiB"
    row.checked.append(
        f"the city's counters are those of {answers.total():,} outcomes, counted from the log's JSON without"
        " our code"
    )


async def fill(bench: Bench, outcomes: int) -> None:
    """Until the log has so many records."""
    bootstrap = bench.stack.broker.bootstrap
    made = Outcomes(seed=3, spread=outcomes)
    while (missing := outcomes - sum((await ends(bootstrap, RATING_OUTCOMES.name)).values())) > 0:
        bench.tell(f"rebuild: {missing:,} outcomes to write")
        messages, _ = await asyncio.to_thread(made.take, min(missing, AT_ONCE))
        await write(bootstrap, RATING_OUTCOMES.name, messages)


async def _some(bench: Bench, count: int) -> dict[int, int]:
    """Offsets up to which there are about so many records."""
    whole = await ends(bench.stack.broker.bootstrap, RATING_OUTCOMES.name)
    share = min(1.0, count / sum(whole.values()))
    return {partition: round(share * end) for partition, end in whole.items()}


async def rebuilt(bench: Bench, up_to: Mapping[int, int], answers: Counter[str]) -> Told:
    """Raises Wrong where the new tables do not say what the log does."""
    url = bench.stack.database.url("rebuilt")
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_EMPTY)
        await connection.execute(_MARKED, RATING_OUTCOMES.name, list(up_to), list(up_to.values()))
        settings = {
            **bench.stack.settings("aggregation"),
            "AGGREGATION_DATABASE_URL": url,
            "AGGREGATION_LOG_LEVEL": "ERROR",
        }
        told = await told_by(python("benchmarks.rebuilding"), settings=settings, seconds=7200)
        found = await totals(connection)
    finally:
        await connection.close()
    if found != answers:
        raise Wrong(f"rebuilt are {dict(found)}, the log says {dict(answers)}")
    return told
