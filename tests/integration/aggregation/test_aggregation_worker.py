"""The worker as it runs: every figure is the fold of the log, whatever happens meanwhile."""

import asyncio
import random
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError
from aiokafka.structs import OffsetAndMetadata

from chassis.kafka import KafkaClient
from contracts import golden
from contracts.envelope import Message, encode
from contracts.events import Outcome
from contracts.topics import DIRECTORY, RATING_OUTCOMES, TOPICS, key_of
from services.aggregation.adapters.faust_worker import GROUP
from tests.support.aggregation import PARTITIONS, Process, Stage, until
from tests.support.outcomes import accepted, message, rejected
from tests.support.stack import Kafka, Postgres

DEAD_LETTERS = next(topic for topic in TOPICS if topic.name == RATING_OUTCOMES.dead_letters)


def some(count: int) -> list[Outcome]:
    """`count` accepted ratings over many officers, and one rejected for every ten."""
    chosen = random.Random(count)
    outcomes: list[Outcome] = [
        accepted(
            f"unit-{chosen.randrange(3)}.o{chosen.randrange(40)}",
            unit=f"unit-{chosen.randrange(3)}",
            answer=chosen.choice(["satisfied", "not_satisfied"]),
            reasons=["late"],
            at=datetime(2017, 3, chosen.randrange(1, 28), chosen.randrange(24), tzinfo=UTC),
        )
        for _ in range(count)
    ]
    return outcomes + [rejected(reason=chosen.choice(["duplicate", "expired"])) for _ in range(count // 10)]


async def counted_exactly(stage: Stage, outcomes: Sequence[Outcome]) -> None:
    """All of it, once: as many as were sent, and what an independent fold of the log says."""
    total = sum(outcome.NAME == "rating-accepted" for outcome in outcomes)
    await stage.counts(total)
    await until(lambda: _caught_up(stage), why="the checkpoints at the end of the log")
    assert await stage.total() == total
    assert await stage.tallies() == await stage.folded()


async def _caught_up(stage: Stage) -> bool:
    rows = await stage.database.fetch("SELECT partition, next_offset FROM read_models.checkpoint")
    last = {record.partition: record.offset for record in await stage.read(RATING_OUTCOMES, stage.begun_at)}
    return all(row["next_offset"] > last.get(row["partition"], -1) for row in rows)


async def test_every_figure_is_the_fold_of_the_log(stage: Stage) -> None:
    outcomes = some(500)
    await stage.send(outcomes)
    await stage.worker()
    await counted_exactly(stage, outcomes)


async def test_what_was_aborted_counts_nothing_and_what_was_committed_around_it_counts(stage: Stage) -> None:
    await stage.worker()
    kept = some(20)
    await stage.send(kept[:10])
    async with stage.transaction() as producer:
        for sent in map(message, some(50)):
            await (
                await producer.send(RATING_OUTCOMES.name, sent.value, sent.key, headers=list(sent.headers))
            )
        await producer.abort_transaction()
    async with stage.transaction() as producer:
        for sent in map(message, kept[10:]):
            await producer.send(RATING_OUTCOMES.name, sent.value, sent.key, headers=list(sent.headers))
        await producer.commit_transaction()
    await counted_exactly(stage, kept)


async def test_an_open_transaction_counts_once_it_is_committed(stage: Stage) -> None:
    worker = await stage.worker()
    async with stage.transaction() as producer:
        sent = message(accepted())
        await (await producer.send(RATING_OUTCOMES.name, sent.value, sent.key, headers=list(sent.headers)))
        await stage.send([accepted("another-partition-perhaps.o")])
        assert await worker.is_ready()
        assert await stage.total() <= 1
        await producer.commit_transaction()
    await stage.counts(2)


async def test_a_submission_counts_once_however_often_its_outcome_comes(stage: Stage) -> None:
    await stage.worker()
    outcomes = some(30)
    await stage.send(outcomes)
    await stage.counts(30)
    await stage.send([*outcomes, rejected(submission=outcomes[0].submission_id)])
    await counted_exactly(stage, outcomes)


async def test_workers_killed_again_and_again_count_everything_once(stage: Stage) -> None:
    outcomes = some(3_000)
    sending = asyncio.create_task(_slowly(stage, outcomes))
    for _ in range(3):
        worker = await stage.worker(AGGREGATION_BATCH="50")
        before = await stage.total()
        await until(lambda at=before: _more(stage, at), why="something counted before the kill")  # type: ignore[misc]
        await worker.kill()
    await sending
    await stage.worker()
    await counted_exactly(stage, outcomes)


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
    await until(lambda: _reads(6, second), seconds=15, why="all partitions taken over")
    await counted_exactly(stage, outcomes)


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
    await counted_exactly(stage, outcomes)


async def test_the_checkpoint_says_where_to_go_on_and_not_the_group(stage: Stage) -> None:
    outcomes = some(50)
    await stage.send(outcomes)
    group = AIOKafkaConsumer(
        **KafkaClient(bootstrap=stage.bootstrap).consumer_arguments("test"), group_id=GROUP
    )
    await group.start()
    group.assign(PARTITIONS)
    ends = await group.end_offsets(PARTITIONS)

    async def committed() -> bool:
        try:
            await group.commit({tp: OffsetAndMetadata(offset, "") for tp, offset in ends.items()})
        except CommitFailedError:  # a worker of another test is in the group yet
            return False
        return True

    await until(committed, why="the group's offsets at the end")
    await group.stop()
    await stage.worker()
    await counted_exactly(stage, outcomes)


async def test_the_group_is_told_the_checkpoint(stage: Stage) -> None:
    await stage.worker()
    outcomes = some(20)
    await stage.send(outcomes)
    await counted_exactly(stage, outcomes)
    rows = await stage.database.fetch("SELECT partition, next_offset FROM read_models.checkpoint")
    moved = {
        TopicPartition(RATING_OUTCOMES.name, row["partition"]): row["next_offset"]
        for row in rows
        if row["next_offset"] > stage.begun_at[TopicPartition(RATING_OUTCOMES.name, row["partition"])]
    }
    group = AIOKafkaConsumer(
        **KafkaClient(bootstrap=stage.bootstrap).consumer_arguments("test"), group_id=GROUP
    )
    await group.start()

    async def told() -> bool:
        return {tp: await group.committed(tp) for tp in moved} == moved

    await until(told, seconds=10, why="the group's offsets at the checkpoints")
    await group.stop()


async def test_garbage_is_a_dead_letter_and_its_partition_goes_on(stage: Stage) -> None:
    await stage.worker()
    key = f"officer-{uuid4()}"
    garbage = [
        Message(key.encode(), b"\xff\x00 garbage", ()),
        Message(key.encode(), None, ()),
        Message(key.encode(), b"{}", message(accepted()).headers),
    ]
    await stage.send_messages(garbage)
    outcomes = [accepted(key)]
    await stage.send(outcomes)
    await counted_exactly(stage, outcomes)
    dead = [r for r in await stage.read(DEAD_LETTERS) if r.key == key.encode()]
    assert [record.value for record in dead] == [sent.value for sent in garbage]
    reasons = [dict(record.headers)["dlt_reason"] for record in dead]
    assert reasons == [b"invalid_envelope", b"invalid_envelope", b"invalid_data"]


async def test_names_come_from_the_directory_and_go_with_a_null_value(stage: Stage) -> None:
    unit = golden.EVENTS[0].model_copy(update={"unit_id": f"u-{uuid4()}"})
    key = key_of(unit)
    published = encode(replace(golden.envelope(golden.EVENTS[0]), data=unit), key=key)
    await stage.send_messages([published], DIRECTORY.name)
    await stage.worker()

    async def named() -> bool:
        return bool(
            await stage.database.fetchval("SELECT count(*) FROM directory.unit WHERE 'unit:' || id = $1", key)
        )

    async def unnamed() -> bool:
        return not await named()

    await until(named, why="the unit named")
    await stage.send_messages([Message(key.encode(), None, ())], DIRECTORY.name)
    await until(unnamed, why="the unit gone")


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

    await until(noticed, why="the outage shown")
    await (postgres_server.start() if outage == "killed" else postgres_server.resume())
    await counted_exactly(stage, outcomes)
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

    await until(noticed, why="the outage shown")
    await (kafka.start() if outage == "killed" else kafka.resume())
    await stage.send(outcomes[100:])
    await stage.counts(sum(outcome.NAME == "rating-accepted" for outcome in outcomes), seconds=15)
    await counted_exactly(stage, outcomes)
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
    assert time.monotonic() - begun < 8


async def test_a_log_that_was_cut_behind_the_checkpoint_ends_the_worker_with_the_reason(stage: Stage) -> None:
    await stage.database.execute("UPDATE read_models.checkpoint SET next_offset = next_offset + 1000000")
    worker = await stage.process("worker").start()
    assert await worker.ended() == 1
    assert "the checkpoint is" in worker.log.read_text()
