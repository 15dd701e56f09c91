"""Submissions decided: ours, its state in PostgreSQL, beside transactions that do nothing."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from benchmarks.bench import Bench, Meter, Wrong, note_peer
from benchmarks.citizens import submissions
from benchmarks.log import ends, make_topic, write
from benchmarks.processes import python
from benchmarks.results import OURS, Row
from benchmarks.rounds import turns
from benchmarks.rows.backlog import standing_still
from benchmarks.stack import EDITION
from contracts.envelope import Message
from contracts.topics import RATING_OUTCOMES, RATING_SUBMISSIONS
from services.intake.adapters.sealing import SodiumSealer
from services.verification.adapters.submissions import GROUP
from services.verification.challenges import Challenges

PATIENCE_SECONDS = 120.0
SUBMITTED, OUTCOMES = "bench-submissions", "bench-outcomes-written"
PEERS = ("raw", "confluent")


async def measure(bench: Bench, row: Row) -> None:
    stack, sizes = bench.stack, bench.sizes
    row.unit = "submissions"
    row.how = (
        f"{sizes.rounds} rounds of a backlog of {sizes.submissions:,}, a tenth with a wrong code, policy"
        " captcha; peers: 500 records in a transaction, nothing decided"
    )
    peers = PEERS if sizes.every_peer else PEERS[:1]
    bootstrap = stack.broker.bootstrap
    for topic in (SUBMITTED, OUTCOMES):
        await make_topic(bootstrap, topic)
    await stack.serve("verification-worker")
    bench.tell("verification: deciding what earlier rows left")
    await caught_up(bootstrap)
    written = Counter[bool]()
    async with outcomes_read(bootstrap) as outcomes:
        for number in range(-1, sizes.rounds):
            for name in turns([OURS, *peers], max(number, 0)):
                bench.tell(f"verification: {name}, round {number + 1}")
                if name == OURS:
                    written += await round_of_ours(bench, row if number >= 0 else None, number, outcomes)
                elif number < 0:
                    made, _ = made_for(bench, seed=10_000)
                    if name == PEERS[0]:
                        await write(bootstrap, SUBMITTED, made)
                else:
                    options = ("--bootstrap", bootstrap, "--topic", SUBMITTED, "--into", OUTCOMES)
                    count = ("--count", str(sizes.submissions))
                    command = python(f"benchmarks.peers.{name}", "transact", *options, *count)
                    await note_peer(row, f"{name} transactions", command)
    row.goal("verification against raw transactions", 0.5, "raw transactions")
    row.checked.append(
        f"each of {written.total():,} submissions has exactly one outcome, {written[True]:,} accepted and"
        f" {written[False]:,} rejected, as their codes were right or wrong"
    )
    await stack.end_all()


async def caught_up(bootstrap: str) -> None:
    """Until the workers have committed all submissions."""
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                committed = await client.list_consumer_group_offsets(GROUP)
                done = {at.partition: each.offset for at, each in committed.items()}
                until = await ends(bootstrap, RATING_SUBMISSIONS.name)
                if all(done.get(partition, 0) >= end for partition, end in until.items()):
                    return
                await asyncio.sleep(0.5)
    finally:
        await client.close()


def made_for(bench: Bench, seed: int, count: int = 0) -> tuple[list[Message], dict[str, bool]]:
    """Messages, and whether each submission (by id) is to be accepted."""
    sealed = SodiumSealer().seal(bench.stack.sealing_key, b"+84905123456")
    challenges = Challenges(bench.stack.challenge_key)
    made = list(
        submissions(count or bench.sizes.submissions, EDITION, seed, challenges=challenges, phone=sealed)
    )
    return [message for _, _, message in made], {str(found): right for found, right, _ in made}


async def round_of_ours(
    bench: Bench, row: Row | None, number: int, outcomes: AIOKafkaConsumer, workers: int = 1
) -> Counter[bool]:
    """What was decided of one backlog: True accepted. Raises Wrong. `row`: None is not measured."""
    stack = bench.stack
    names = [name for name in stack.running if name.startswith("verification-worker")][:workers]
    messages, wanted = await asyncio.to_thread(made_for, bench, number + 1 + 1_000 * workers)
    with standing_still([stack.process(name) for name in names]):
        await write(stack.broker.bootstrap, RATING_SUBMISSIONS.name, messages)
        await outcomes.seek_to_end()
        for at in outcomes.assignment():
            await outcomes.position(at)
        meter = Meter(stack, stack.process(names[0]).pid)
        started = time.perf_counter()
    found = await decided(outcomes, wanted)
    if row is not None:
        side = OURS if workers == 1 else f"{workers} workers"
        meter.note(row.side(side), len(wanted), time.perf_counter() - started)
    told = Counter(found)
    if any(told[each] != 1 for each in wanted.items()) or told.total() != len(wanted):
        raise Wrong("the outcomes are not those of the submissions, each once")
    return Counter(wanted.values())


async def decided(outcomes: AIOKafkaConsumer, wanted: Mapping[str, bool]) -> list[tuple[str, bool]]:
    """The outcomes as they come, until there are as many as submissions, and none comes any more."""
    found: list[tuple[str, bool]] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(found) < len(wanted):
            for records in (await outcomes.getmany(timeout_ms=100)).values():
                for each in records:
                    headers = dict(each.headers)
                    submission = headers["ce_correlationid"].decode()
                    if submission in wanted:
                        found.append((submission, b"rating-accepted" in headers["ce_type"]))
    return found


@asynccontextmanager
async def outcomes_read(bootstrap: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        enable_auto_commit=False,
        max_partition_fetch_bytes=2**22,
    )
    await consumer.start()
    try:
        partitions = await ends(bootstrap, RATING_OUTCOMES.name)
        consumer.assign([TopicPartition(RATING_OUTCOMES.name, each) for each in partitions])
        yield consumer
    finally:
        await consumer.stop()
