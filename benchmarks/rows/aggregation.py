"""Outcomes folded live: ours into committed read models, beside Kafka Streams, Faust and bare reading."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping

import asyncpg

from benchmarks.bench import Bench, Meter, Wrong, note_peer
from benchmarks.log import Outcomes, ends, make_topic, write
from benchmarks.peers import kafka_streams
from benchmarks.processes import python
from benchmarks.results import OURS, Row
from benchmarks.rounds import turns
from benchmarks.rows.backlog import standing_still
from contracts.topics import RATING_OUTCOMES

PATIENCE_SECONDS = 120.0
FOLDED = "bench-outcomes"
GUARANTEES = {
    "exactly_once_v2": "kafka-streams exactly_once_v2",
    "at_least_once": "kafka-streams at_least_once",
}
_TOTALS = """
SELECT item, count FROM read_models.tally
WHERE level = 'city' AND edition_id = '*' AND day = 'infinity' AND measure IN ('answer', 'rejection')
"""
_CHECKPOINTS = "SELECT partition, next_offset FROM read_models.checkpoint"


async def measure(bench: Bench, row: Row) -> None:
    stack, sizes = bench.stack, bench.sizes
    row.unit = "outcomes"
    row.how = (
        f"{sizes.rounds} rounds of a backlog of {sizes.outcomes:,}; kafka-streams: {sizes.streams:,}, of"
        f" which the first {sizes.streams_warm:,} warm it up, one thread, JVM and all on one core; faust-bare"
        f" {sizes.faust:,}"
    )
    wanted = await streams_topic(bench)
    await stack.serve("aggregation-worker")
    await quiet(stack.database.url("aggregation"))
    made = Outcomes()
    sides = [OURS, "exactly_once_v2"]
    if sizes.every_peer:
        sides += ["at_least_once", "faust-bare", "raw consume", "confluent consume"]
    for number in range(-1, sizes.rounds):
        for name in turns(sides, max(number, 0)):
            if name != OURS and number < 0:
                continue
            bench.tell(f"aggregation: {name}, round {number + 1}")
            if name == OURS:
                await round_of_ours(bench, row if number >= 0 else None, made)
            elif name in GUARANTEES:
                await streams(bench, row, name, wanted)
            else:
                await note_peer(row, name, _command(bench, name))
    row.goal(
        "aggregation, live, against kafka-streams exactly_once_v2",
        1.0,
        GUARANTEES["exactly_once_v2"],
    )
    row.checked.append(
        f"every round's {sizes.outcomes:,} outcomes are in the city's counters, by answer; kafka-streams'"
        f" table has its {wanted.total():,}"
    )
    await stack.end_all()


async def streams_topic(bench: Bench) -> Counter[str]:
    """Fill what peers fold, unless it is there; what it holds, by answer."""
    bootstrap = bench.stack.broker.bootstrap
    await make_topic(bootstrap, FOLDED)
    made = Outcomes(seed=2)
    messages, answers = await asyncio.to_thread(made.take, bench.sizes.streams)
    if not sum((await ends(bootstrap, FOLDED)).values()):
        await write(bootstrap, FOLDED, messages)
    await asyncio.to_thread(kafka_streams.bring)
    return answers


async def streams(bench: Bench, row: Row, guarantee: str, wanted: Counter[str]) -> None:
    """Raises Wrong where its table is not what the topic holds."""
    command = kafka_streams.command(
        bench.stack.broker.bootstrap,
        FOLDED,
        guarantee,
        count=bench.sizes.streams,
        warm=bench.sizes.streams_warm,
        state=bench.folder / "streams",
    )
    told = await note_peer(row, GUARANTEES[guarantee], command)
    if told is not None and told.answers != wanted:
        raise Wrong(f"kafka-streams counted {dict(told.answers)} of {dict(wanted)}")


def _command(bench: Bench, name: str) -> tuple[str, ...]:
    options = ("--bootstrap", bench.stack.broker.bootstrap, "--topic", FOLDED)
    if name == "faust-bare":
        return python("benchmarks.peers.faust_bare", *options, "--count", str(bench.sizes.faust))
    peer = name.partition(" ")[0]
    return python(f"benchmarks.peers.{peer}", "consume", *options, "--count", str(bench.sizes.consumed))


async def round_of_ours(bench: Bench, row: Row | None, made: Outcomes, workers: int = 1) -> None:
    """Raises Wrong where the counters did not grow by what was written. `row`: None is not measured."""
    stack = bench.stack
    names = [name for name in stack.running if name.startswith("aggregation-worker")][:workers]
    messages, answers = await asyncio.to_thread(made.take, bench.sizes.outcomes)
    connection = await asyncpg.connect(stack.database.url("aggregation"))
    try:
        before = await totals(connection)
        with standing_still([stack.process(name) for name in names]):
            await write(stack.broker.bootstrap, RATING_OUTCOMES.name, messages)
            until = await ends(stack.broker.bootstrap, RATING_OUTCOMES.name)
            meter = Meter(stack, stack.process(names[0]).pid)
            started = time.perf_counter()
        await caught_up(connection, until)
        if row is not None:
            side = OURS if workers == 1 else f"{workers} workers"
            meter.note(row.side(side), len(messages), time.perf_counter() - started)
        grown = await totals(connection) - before
        if grown != answers:
            raise Wrong(f"the city's counters grew by {dict(grown)}, not by {dict(answers)}")
    finally:
        await connection.close()


async def totals(connection: "asyncpg.Connection[asyncpg.Record]", query: str = _TOTALS) -> Counter[str]:
    """Of the city, by answer; whatever was rejected as `rejected`."""
    found: Counter[str] = Counter()
    for each in await connection.fetch(query):
        item = each["item"]
        found[item if item in ("satisfied", "not_satisfied") else "rejected"] += each["count"]
    return found


async def caught_up(connection: "asyncpg.Connection[asyncpg.Record]", until: Mapping[int, int]) -> None:
    """Until every checkpoint is past the last record, no transaction's marker being behind it."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await _checkpoints(connection) != until:
            await asyncio.sleep(0.01)


async def quiet(database_url: str) -> None:
    """Until the checkpoints have not moved for two seconds: what earlier rows wrote is folded."""
    connection = await asyncpg.connect(database_url)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            before = None
            while (now := await _checkpoints(connection)) != before:
                before = now
                await asyncio.sleep(2)
    finally:
        await connection.close()


async def _checkpoints(connection: "asyncpg.Connection[asyncpg.Record]") -> Mapping[int, int]:
    return {each["partition"]: each["next_offset"] for each in await connection.fetch(_CHECKPOINTS)}
