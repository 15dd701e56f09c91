"""The progress watch: it ends a worker that hangs, and none that waits for a reason."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import pytest
from prometheus_client import REGISTRY

from chassis.readiness import Readiness
from services.aggregation.bootstrap import until_one_fails
from services.aggregation.folding import Folder
from services.aggregation.watching import Stalled, Watch
from tests.unit.aggregation.test_folding import FakeLedger


class P(NamedTuple):
    handed_over: int | None
    read: int | None
    end: int


class S(NamedTuple):
    member: bool
    partitions: dict[int, P]


class Reader:
    def __init__(self, standing: Callable[[], S]) -> None:
        self.next, self.asked = standing, 0

    async def standing(self) -> S:
        self.asked += 1
        return self.next()


def watch(
    standing: Callable[[], S], *, checkpoint: int = 0, postgres: bool = True
) -> tuple[Watch, Reader, Readiness]:
    ledger, readiness, reader = FakeLedger(), Readiness(), Reader(standing)
    folder = Folder(ledger, ledger, readiness.check("postgres"), readiness.check("dead_letters"))
    folder.checkpoints[0] = checkpoint
    folder.postgres.ok, folder.dead_letter_topic.ok = postgres, True
    made = Watch(
        reader,
        folder,
        readiness,
        outage=lambda error: isinstance(error, ConnectionError),
        stall_seconds=0.1,
        interval=0.005,
    )
    return made, reader, readiness


async def lives(made: Watch) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await made.run()


async def stalls(made: Watch) -> None:
    with pytest.raises(Stalled):
        async with asyncio.timeout(5):
            await made.run()


async def test_records_handed_over_and_never_counted_end_the_worker() -> None:
    await stalls(watch(lambda: S(True, {0: P(5, 5, 5)}))[0])


async def test_records_there_and_never_read_end_the_worker() -> None:
    await stalls(watch(lambda: S(True, {0: P(0, 0, 5)}))[0])


async def test_a_worker_outside_the_group_ends() -> None:
    await stalls(watch(lambda: S(False, {}))[0])


async def test_an_idle_worker_lives_and_is_ready() -> None:
    made, _, readiness = watch(lambda: S(True, {0: P(5, 6, 6)}), checkpoint=5)
    await lives(made)
    assert readiness.check("progress").ok


async def test_a_worker_without_partitions_stands_by() -> None:
    await lives(watch(lambda: S(True, {}))[0])


async def test_a_transaction_marker_at_the_end_is_no_lag() -> None:
    made, _, _ = watch(lambda: S(True, {0: P(5, 6, 6)}), checkpoint=5)
    await lives(made)
    assert REGISTRY.get_sample_value("aggregation_lag_records", {"partition": "0"}) == 0


async def test_waiting_for_postgresql_is_no_stall() -> None:
    await lives(watch(lambda: S(True, {0: P(5, 5, 5)}), postgres=False)[0])


async def test_waiting_for_kafka_is_no_stall_and_shows() -> None:
    def away() -> S:
        raise ConnectionError

    made, reader, readiness = watch(away)
    await lives(made)
    assert reader.asked > 1
    assert not readiness.check("kafka").ok


async def test_slow_progress_is_progress() -> None:
    ends = iter(range(10, 10_000))
    made, _, _ = watch(lambda: S(True, {0: P(0, n := next(ends), n + 100)}))
    await lives(made)


async def test_nobody_watches_a_reader_that_stopped() -> None:
    made, reader, _ = watch(lambda: S(True, {0: P(5, 6, 6)}), checkpoint=5)
    watching = asyncio.create_task(made.run())

    async def watched() -> None:
        await watching

    async def stopped_by_dead_letters() -> None:
        while reader.asked < 2:
            await asyncio.sleep(0.001)
        raise LookupError

    with pytest.raises(LookupError):
        await until_one_fails(stopped_by_dead_letters(), watched())
    try:
        assert watching.cancelled()
    finally:
        watching.cancel()
