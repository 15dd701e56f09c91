"""The worker while things fail: nothing lost, nothing twice, and the same worker where it can go on."""

import asyncio
import signal
import time
from collections.abc import Sequence

import pytest

from contracts.events import Outcome
from tests.support.aggregation import DEAD_LETTERS, Stage
from tests.support.aggregation_process import Process, until
from tests.support.outcomes import accepted, message, some
from tests.support.stack import Kafka, Postgres


async def test_workers_killed_again_and_again_count_everything_once(stage: Stage) -> None:
    sent: list[Outcome] = []
    enough = asyncio.Event()
    sending = asyncio.create_task(_until(enough, stage, sent))
    for _ in range(3):
        worker = await stage.worker(AGGREGATION_BATCH="50")
        before = await stage.total()
        await until(lambda at=before: _more(stage, at), why="something counted before the kill")  # type: ignore[misc]
        await worker.kill()
    enough.set()
    await sending
    await stage.worker()
    await stage.counts_exactly(sent)


async def _until(enough: asyncio.Event, stage: Stage, sent: list[Outcome]) -> None:
    """Send all the while, so that every worker is killed with something left to count."""
    while not enough.is_set():
        more = some(50)
        await stage.send(more)
        sent += more
        await asyncio.sleep(0.1)


async def _slowly(stage: Stage, outcomes: Sequence[Outcome]) -> None:
    for start in range(0, len(outcomes), 100):
        await stage.send(outcomes[start : start + 100])
        await asyncio.sleep(0.1)


async def _more(stage: Stage, than: int) -> bool:
    return await stage.total() > than


async def test_two_workers_share_the_partitions_and_one_takes_over_when_the_other_dies(stage: Stage) -> None:
    outcomes = some(3_000)
    first = await stage.worker(AGGREGATION_BATCH="50")
    sending = asyncio.create_task(_slowly(stage, outcomes[:2_000]))
    second = await stage.worker(AGGREGATION_BATCH="50")
    await until(lambda: _reads(3, first, second), why="three partitions each")
    await first.kill()
    await sending
    await stage.send(outcomes[2_000:])
    await until(lambda: _reads(6, second), why="all partitions taken over")
    await stage.counts_exactly(outcomes)


async def _reads(partitions: int, *workers: Process) -> bool:
    texts = [(await worker.checks())[1]["progress"]["detail"] for worker in workers]
    return all(text.startswith(f"{partitions} partitions") for text in texts)


async def test_a_worker_frozen_through_a_rebalance_counts_nothing_twice_when_it_wakes(stage: Stage) -> None:
    outcomes = some(2_000)
    frozen = await stage.worker(AGGREGATION_BATCH="50")
    sending = asyncio.create_task(_slowly(stage, outcomes))
    await stage.counts(100)
    assert frozen.running is not None
    frozen.running.send_signal(signal.SIGSTOP)
    await stage.process("worker", AGGREGATION_BATCH="50").start()
    at = await stage.total()
    await until(lambda: _more(stage, at + 100), why="the other worker taking over")
    frozen.running.send_signal(signal.SIGCONT)
    await sending
    await stage.counts_exactly(outcomes)


@pytest.mark.parametrize("outage", ["killed", "hangs"])
async def test_an_outage_of_the_database_is_waited_out_by_the_same_worker(
    stage: Stage, postgres_server: Postgres, outage: str
) -> None:
    worker = await stage.worker()
    outcomes = some(300)
    await stage.send(outcomes[:100])
    await stage.counts(100)
    await (postgres_server.kill() if outage == "killed" else postgres_server.pause())
    await stage.send(outcomes[100:])

    async def noticed() -> bool:
        return not (await worker.checks())[1]["postgres"]["ok"]

    try:
        await until(noticed, why="the outage shown")
    finally:
        await (postgres_server.start() if outage == "killed" else postgres_server.resume())
    await stage.counts_exactly(outcomes)
    await _same_and_nothing_buried(stage, worker, outcomes)


@pytest.mark.parametrize("outage", ["killed", "hangs"])
async def test_an_outage_of_the_broker_is_waited_out_by_the_same_worker(
    stage: Stage, kafka: Kafka, outage: str
) -> None:
    worker = await stage.worker()
    outcomes = some(300)
    await stage.send(outcomes[:100])
    await stage.counts(100)
    await (kafka.kill() if outage == "killed" else kafka.pause())

    async def noticed() -> bool:
        return not (await worker.checks())[1]["kafka"]["ok"]

    try:
        await until(noticed, why="the outage shown")
    finally:
        await (kafka.start() if outage == "killed" else kafka.resume())
    await stage.send(outcomes[100:])
    await stage.counts(sum(outcome.NAME == "rating-accepted" for outcome in outcomes))
    await stage.counts_exactly(outcomes)
    await _same_and_nothing_buried(stage, worker, outcomes)


async def _same_and_nothing_buried(stage: Stage, worker: Process, outcomes: Sequence[Outcome]) -> None:
    assert worker.running is not None
    assert worker.running.returncode is None
    keys = {message(outcome).key for outcome in outcomes}
    assert not [record for record in await stage.read(DEAD_LETTERS) if record.key in keys]


async def test_a_worker_told_to_stop_ends_well_within_seconds(stage: Stage) -> None:
    worker = await stage.worker()
    await stage.send(some(500))
    code, seconds = await worker.terminate()
    assert code == 0
    assert seconds < 6


async def test_a_failure_no_outage_explains_ends_the_worker_at_once(stage: Stage) -> None:
    worker = await stage.worker()
    await stage.database.execute("ALTER TABLE read_models.tally ADD CHECK (count < 0)")
    begun = time.monotonic()
    await stage.send([accepted()])
    assert await worker.ended() == 1
    assert time.monotonic() - begun < 25  # long before a stall would be noticed


async def test_a_log_that_was_cut_behind_the_checkpoint_ends_the_worker_with_the_reason(stage: Stage) -> None:
    await stage.database.execute("UPDATE read_models.checkpoint SET next_offset = next_offset + 1000000")
    worker = await stage.process("worker").start()
    assert await worker.ended() == 1
    assert "the checkpoint is" in worker.log.read_text()
