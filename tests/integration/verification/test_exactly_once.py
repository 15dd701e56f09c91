"""Each submission has exactly one outcome, whatever breaks between the database's commit and Kafka's."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import RequestTimedOutError
from aiokafka.protocol.transaction import EndTxnRequest, TxnOffsetCommitRequest

from contracts.envelope import Message
from contracts.topics import RATING_SUBMISSIONS
from services.verification.adapters.decisions import PostgresDecisions
from services.verification.adapters.outcome_log import KafkaOutcomeLog
from services.verification.adapters.submissions import GROUP
from services.verification.bootstrap import worker_app
from services.verification.ports import Committed, Lost, OpenOutcomeLog, OutcomeLog, Torn
from tests.support.verification import Submission, World, running, until

Fail = Callable[[], Exception | None]


class Failing:
    """An outcome log that breaks before, in the middle of, or after its commits, when it is told to."""

    def __init__(self, inner: KafkaOutcomeLog, where: str, fail: Fail) -> None:
        self.inner, self.where, self.fail = inner, where, fail

    async def commit(
        self, outcomes: Sequence[Message], dead_letters: Sequence[Message], upto: Committed
    ) -> None:
        error = self.fail() if outcomes else None
        if error is not None and self.where == "before":
            raise error
        if error is not None and self.where == "between":
            producer = self.inner._producer
            committing = producer.commit_transaction

            async def breaks() -> None:
                producer.commit_transaction = committing
                raise error

            producer.commit_transaction = breaks
        await self.inner.commit(outcomes, dead_letters, upto)
        if error is not None and self.where == "after":
            raise error

    async def close(self) -> None:
        await self.inner.close()


def failing(world: World, where: str, fail: Fail) -> OpenOutcomeLog:
    async def open_log(partition: int) -> OutcomeLog:
        return Failing(await KafkaOutcomeLog.open(world.settings.kafka, partition, GROUP), where, fail)

    return open_log


def times(count: int, make: Callable[[], Exception]) -> Fail:
    left = [count]

    def fail() -> Exception | None:
        left[0] -= 1
        return make() if left[0] >= 0 else None

    return fail


async def submissions(world: World, count: int) -> list[Submission]:
    edition = await world.edition()
    return [world.submission(edition) for _ in range(count)]


async def decided(world: World) -> dict[UUID, datetime]:
    rows = await world.database.fetch("SELECT submission_id, decided_at FROM ratings")
    return {row["submission_id"]: row["decided_at"] for row in rows}


async def exactly_once(world: World, sent: Sequence[Submission]) -> None:
    await world.drained()
    said = await world.said(sent)
    assert Counter(map(tuple, said.values())) == {("accepted",): len(sent)}


@pytest.mark.parametrize("where", ["before", "between"])
async def test_a_crash_between_both_commits_repeats_the_stored_decision(world: World, where: str) -> None:
    sent = await submissions(world, 30)
    crash = failing(world, where, times(1, lambda: RuntimeError("crash")))
    async with running(worker_app(world.settings, open_log=crash)) as first:
        await world.submit(*sent, partition=2)

        async def crashed() -> bool:
            return first.failure is not None

        await until(crashed, why="the first process fails")
        first.failure = None
    before = await decided(world)
    assert before, "the crash came after the database's commit"
    assert not await world.outcomes()
    async with running(worker_app(world.settings)):
        await exactly_once(world, sent)
    for outcome in await world.outcomes():
        if outcome.submission_id in before:
            assert outcome.decided_at == before[outcome.submission_id]


@pytest.mark.parametrize("where", ["before", "between", "after"])
async def test_a_commit_whose_result_is_unknown_is_found_out_and_nothing_is_told_twice(
    world: World, where: str
) -> None:
    sent = await submissions(world, 60)
    unsure = failing(world, where, times(8, lambda: Torn("no answer") if where != "between" else OSError()))
    async with running(worker_app(world.settings, open_log=unsure)):
        for each in sent:
            await world.submit(each)
        await exactly_once(world, sent)


async def test_a_worker_that_lost_its_partition_without_noticing_tells_nothing(world: World) -> None:
    """The first log's owner is asleep, as after SIGSTOP, while another takes over and does the work."""
    sent = await submissions(world, 10)
    asleep, wake = asyncio.Event(), asyncio.Event()
    sleepers = 0

    class Sleeping:
        def __init__(self, inner: KafkaOutcomeLog) -> None:
            self.inner = inner
            self.close = inner.close

        async def commit(
            self, outcomes: Sequence[Message], dead_letters: Sequence[Message], upto: Committed
        ) -> None:
            asleep.set()
            await wake.wait()
            await self.inner.commit(outcomes, dead_letters, upto)

    async def open_log(partition: int) -> OutcomeLog:
        nonlocal sleepers
        inner = await KafkaOutcomeLog.open(world.settings.kafka, partition, GROUP)
        if partition != 0 or sleepers:
            return inner
        sleepers += 1
        return Sleeping(inner)

    async with running(worker_app(world.settings, open_log=open_log)):
        await world.submit(*sent, partition=0)
        await asyncio.wait_for(asleep.wait(), 30)
        successor = await KafkaOutcomeLog.open(world.settings.kafka, 0, GROUP)
        try:
            wake.set()  # the sleeper is fenced, joins the group again, and does its work under a new epoch
            await exactly_once(world, sent)
            with pytest.raises(Lost):
                await successor.commit([Message(b"k", b"v", ())], [], Committed(1, 0))
        finally:
            await successor.close()


async def test_a_log_that_is_fenced_between_two_sends_is_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = await KafkaOutcomeLog.open(world.settings.kafka, 4, GROUP)
    send = log._producer.send_batch
    successors: list[KafkaOutcomeLog] = []

    async def overtaken(batch: object, topic: str, *, partition: int) -> "asyncio.Future[object]":
        if not successors:
            successors.append(await KafkaOutcomeLog.open(world.settings.kafka, 4, GROUP))
            first: asyncio.Future[object] = await send(batch, topic, partition=partition)
            await asyncio.wait({log._producer._sender.sender_task, first})
            return first
        found: asyncio.Future[object] = await send(batch, topic, partition=partition)
        return found

    monkeypatch.setattr(log._producer, "send_batch", overtaken)
    of_two_partitions = [Message(key, b"v", ()) for key in (b"an officer", b"another")]
    try:
        with pytest.raises(Lost):
            await log.commit(of_two_partitions, [], Committed(1, 0))
    finally:
        await log.close()
        await successors[0].close()


async def test_the_database_too_takes_nothing_from_an_earlier_owner(world: World) -> None:
    decisions = PostgresDecisions(world.database)
    first = await decisions.take_over(4)
    second = await decisions.take_over(4)
    with pytest.raises(Lost):
        async with decisions.transaction(4, first):
            pass
    async with decisions.transaction(4, second):
        pass


async def test_workers_come_and_go_and_every_rating_is_told_once(world: World) -> None:
    sent = await submissions(world, 240)

    async def send(part: Sequence[Submission]) -> None:
        for each in part:
            await world.submit(each)

    async with running(worker_app(world.settings)):
        await send(sent[:60])
        async with running(worker_app(world.settings)):
            await send(sent[60:120])
            async with running(worker_app(world.settings)):
                await send(sent[120:180])
        await send(sent[180:])
        await exactly_once(world, sent)


async def test_of_two_ratings_with_one_challenge_one_counts_however_they_race(world: World) -> None:
    edition = await world.edition()
    pairs = []
    for _ in range(60):
        one = world.submission(edition)
        pairs.append((one, world.submission(edition, challenge=one.event.challenge)))
    await race(world, pairs, "challenge_used")


async def test_of_two_ratings_with_one_phone_officer_and_day_one_counts(world: World) -> None:
    edition = await world.edition()
    now = datetime.now(UTC)
    pairs = [
        tuple(world.submission(edition, number=f"+8491{number:07d}", submitted_at=now) for _ in range(2))
        for number in range(60)
    ]
    await race(world, pairs, "duplicate")


async def test_of_two_ratings_under_one_idempotency_key_one_counts(world: World) -> None:
    edition = await world.edition()
    pairs = []
    for _ in range(60):
        one = world.submission(edition)
        pairs.append((one, world.submission(edition, idempotency_token=one.event.idempotency_token)))
    await race(world, pairs, "idempotency_key_reused")


async def race(world: World, pairs: Sequence[tuple[Submission, ...]], loser: str) -> None:
    """Both halves are in different partitions, which two workers process at the same time."""
    await world.submit(*[one for one, _ in pairs], partition=0)
    await world.submit(*[other for _, other in reversed(pairs)], partition=5)
    async with running(worker_app(world.settings)), running(worker_app(world.settings)):
        await world.drained()
    said = await world.said([each for pair in pairs for each in pair])
    for one, other in pairs:
        assert sorted(said[one.id] + said[other.id]) == sorted(["accepted", loser])


async def test_one_partition_in_doubt_does_not_hold_up_the_others(world: World) -> None:
    edition = await world.edition()
    stuck, free = world.submission(edition), world.submission(edition)
    broken = True

    async def open_log(partition: int) -> OutcomeLog:
        inner = await KafkaOutcomeLog.open(world.settings.kafka, partition, GROUP)
        return Failing(inner, "before", lambda: Torn("down") if broken and partition == 1 else None)

    async with running(worker_app(world.settings, open_log=open_log)):
        await world.submit(stuck, partition=1)
        await world.submit(free, partition=2)

        async def told() -> bool:
            return bool((await world.said([free]))[free.id])

        await until(told, why="the other partition's outcome")
        assert await world.said([stuck]) == {stuck.id: []}
        broken = False
        await exactly_once(world, [stuck, free])


async def test_a_request_that_strays_in_the_network_changes_no_later_transaction(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker gets a transaction's offset only in the middle of the next one, as after a time-out."""
    send, late = AIOKafkaClient.send, False
    stray: list[TxnOffsetCommitRequest] = []

    async def straying(client: AIOKafkaClient, node: int, request: Any, **more: Any) -> Any:
        if isinstance(request, TxnOffsetCommitRequest) and not stray:
            stray.append(request)
            raise RequestTimedOutError
        if isinstance(request, EndTxnRequest) and late:
            await send(client, node, stray[0], **more)
        return await send(client, node, request, **more)

    monkeypatch.setattr(AIOKafkaClient, "send", straying)

    log = await KafkaOutcomeLog.open(world.settings.kafka, 3, GROUP)
    try:
        for upto in (10, 20):
            late = upto == 20
            try:
                await log.commit([], [], Committed(upto, 0))
            except Torn:  # what a worker does then
                await log.close()
                log = await KafkaOutcomeLog.open(world.settings.kafka, 3, GROUP)
                await log.commit([], [], Committed(upto, 0))
    finally:
        await log.close()
    assert len(stray) == 1
    async with world.consumer(group_id=GROUP) as consumer:
        where = TopicPartition(RATING_SUBMISSIONS.name, 3)
        consumer.assign([where])
        assert await consumer.committed(where) == 20
