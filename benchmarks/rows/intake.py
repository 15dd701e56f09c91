"""Ratings taken in over HTTP: ours, a table, the bare framework; and what clients of Kafka can send."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.bench import Bench, Meter, Wrong, note_peer
from benchmarks.log import ends, make_topic
from benchmarks.peers import crud
from benchmarks.processes import python
from benchmarks.results import OURS, Curve, Row
from benchmarks.rounds import Spread, percentile, turns
from benchmarks.stack import EDITION
from contracts.topics import RATING_SUBMISSIONS
from deploy.local.process import Process, run_to_end

WARM_SECONDS = 2.0
CALLERS = 32
PRODUCED = "bench-produced"
LATENCY = "202 after, p99 in ms, against ratings offered a second"
THROUGHPUT = "ratings taken a second against ratings offered a second"


async def measure(bench: Bench, row: Row) -> None:
    sizes = bench.sizes
    row.unit = "ratings"
    row.how = (
        f"{sizes.rounds} rounds of {sizes.intake_seconds:g} s, {CALLERS} callers in a closed loop; one"
        " process on one core, callers and servers on the other"
    )
    ports = await _start(bench)
    kept: dict[str, list[str]] = {name: [] for name in ports}
    seed = 0
    for number in range(-1, sizes.rounds):
        for name in turns(list(ports), max(number, 0)):
            seed += 1
            bench.tell(f"intake: {name}, round {number + 1}")
            seconds = sizes.intake_seconds if number >= 0 else WARM_SECONDS
            meter = Meter(bench.stack, bench.stack.process(name).pid)
            seen = await _offer(bench, ports[name], seed, seconds)
            kept[name] += seen["kept"]
            if number >= 0:  # the first warms up
                meter.note(row.side(_side(name)), len(seen["kept"]), seen["seconds"])
    row.goal("intake against crud", 1.3, "crud")
    row.goal("intake against bare", 0.7, "bare")
    if sizes.half_seconds:
        await _latencies(bench, row, ports, kept)
    await _check(bench, row, kept)
    await bench.stack.end_all()
    if sizes.produced:
        await _clients(bench, row)


async def _start(bench: Bench) -> dict[str, int]:
    stack = bench.stack
    async with _connection(bench) as connection:
        await connection.execute(crud.TABLE)
    await stack.serve("intake")
    files = [word for path in stack.files for word in ("--file", str(path))]
    rest = (
        "--database-url",
        stack.database.url("crud"),
        "--sealing-key",
        stack.sealing_key.model_dump_json(),
    )
    await stack.serve_peer("crud", "benchmarks.peers.crud", *files, *rest)
    await stack.serve_peer("bare", "benchmarks.peers.bare")
    return {
        "intake": stack.ports["intake"],
        "crud": stack.running["crud"].port,
        "bare": stack.running["bare"].port,
    }


def _side(name: str) -> str:
    return OURS if name == "intake" else name


async def _offer(bench: Bench, port: int, seed: int, seconds: float, *, rate: float = 0.0) -> dict[str, Any]:
    """Raises Wrong where something else than 202 was answered, or 503, which is overload: that counts as
    nothing."""
    into = bench.folder / f"offered-{seed}.json"
    options: dict[str, Any] = {
        "port": port,
        "edition": EDITION,
        "seed": seed,
        "seconds": seconds,
        "key-file": bench.stack.layout.portal_key,
        "into": into,
        "at-once": CALLERS,
        "rate": rate,
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    command = python("benchmarks.offering", *words)
    log = bench.stack.layout.logs / "offering.log"
    await run_to_end(Process("offering", command, log, dict(os.environ)), seconds + 60)
    seen: dict[str, Any] = json.loads(await asyncio.to_thread(into.read_text))
    into.unlink()
    others = {status: n for status, n in seen["statuses"].items() if n and status not in ("202", "503")}
    if others or not seen["kept"]:
        raise Wrong(f"answered {seen['statuses']}")
    return seen


async def _latencies(bench: Bench, row: Row, ports: dict[str, int], kept: dict[str, list[str]]) -> None:
    """At half of what was taken at most; and the curves, the last points of which are overload."""
    sizes = bench.sizes
    seed = 1_000
    latency, throughput = [], []
    for name, port in ports.items():
        most = Spread.of(row.side(_side(name)).rates).median
        slow, taken = Curve(name=_side(name)), Curve(name=_side(name))
        for share in sorted({0.5, *sizes.intake_curve}):
            seed += 1
            bench.tell(f"intake: {name} at {share:.0%} of its most")
            seconds = sizes.half_seconds if share == 0.5 else sizes.intake_seconds
            seen = await _offer(bench, port, seed, seconds, rate=share * most)
            kept[name] += seen["kept"]
            p50, p99 = (percentile(seen["taken_ms"], part) for part in (0.5, 0.99))
            slow.points.append((share * most, p99))
            taken.points.append((share * most, len(seen["kept"]) / seen["seconds"]))
            if share == 0.5:
                late = percentile(seen["late_ms"], 0.99)
                row.figures[f"{_side(name)} at half load ({share * most:,.0f}/s)"] = (
                    f"p50 {p50:.1f} ms, p99 {p99:.1f} ms (the caller itself late: p99 {late:.1f} ms)"
                )
        latency.append(slow)
        throughput.append(taken)
    if sizes.intake_curve:
        row.curves = {LATENCY: latency, THROUGHPUT: throughput}


async def _check(bench: Bench, row: Row, kept: dict[str, list[str]]) -> None:
    """Every 202 is one submission on the log, and one row of the table."""
    bench.tell("intake: reading the log back")
    found = await _keys(bench.stack.broker.bootstrap)
    flaws = sum(found[each] != 1 for each in kept["intake"])
    if flaws:
        raise Wrong(f"of {len(kept['intake'])} ratings confirmed, {flaws} are not on the log exactly once")
    async with _connection(bench) as connection:
        rows = await connection.fetchval("SELECT count(*) FROM rating")
    if rows != len(kept["crud"]):
        raise Wrong(f"crud confirmed {len(kept['crud'])} ratings and has {rows}")
    row.checked.append(
        f"each of {len(kept['intake']):,} ratings that we confirmed is on the log exactly once;"
        f" crud's table has its {rows:,}"
    )


async def _keys(bootstrap: str) -> Counter[str]:
    """Of all submissions."""
    left_until = await ends(bootstrap, RATING_SUBMISSIONS.name)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    found: Counter[str] = Counter()
    try:
        left = {TopicPartition(RATING_SUBMISSIONS.name, each) for each, end in left_until.items() if end}
        consumer.assign(list(left))
        await consumer.seek_to_beginning(*left)
        while left:
            for records in (await consumer.getmany(timeout_ms=1000, max_records=5_000)).values():
                found.update(each.key.decode() for each in records)
            left = {at for at in left if await consumer.position(at) < left_until[at.partition]}
    finally:
        await consumer.stop()
    return found


@asynccontextmanager
async def _connection(bench: Bench) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(bench.stack.database.url("crud"))
    try:
        yield connection
    finally:
        await connection.close()


async def _clients(bench: Bench, row: Row) -> None:
    """What the two clients of Kafka can send: the limit below intake."""
    bootstrap = bench.stack.broker.bootstrap
    await make_topic(bootstrap, PRODUCED)
    for name in ("raw produce", "confluent produce"):
        row.side(name, apart=True)
    for number in range(bench.sizes.rounds):
        for name in turns(["raw", "confluent"], number):
            bench.tell(f"producing: {name}, round {number + 1}")
            options = ("--bootstrap", bootstrap, "--topic", PRODUCED, "--count", str(bench.sizes.produced))
            await note_peer(row, f"{name} produce", python(f"benchmarks.peers.{name}", "produce", *options))
    if row.side("raw produce").rates and row.side("confluent produce").rates:
        found = row.ratio("raw produce", ours="confluent produce")
        row.figures["confluent-kafka sends, against aiokafka"] = (
            f"×{found.median:.2f} ({found.least:.2f}–{found.most:.2f})"
        )
