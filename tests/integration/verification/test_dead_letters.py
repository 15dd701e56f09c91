"""What can never be read is set aside whole and can come back; a reader at fault is stopped instead."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition

from chassis.dead_letters.redriving import Overtaken, Wanted, redrive
from chassis.dead_letters.topic import DeadLetterTopic
from contracts.envelope import Message, encode
from contracts.events import RatingAccepted
from contracts.golden import EVENTS
from contracts.golden import envelope as golden_envelope
from contracts.topics import RATING_SUBMISSIONS, key_of
from services.verification import batches
from services.verification.adapters.submissions import GROUP
from services.verification.bootstrap import worker_app
from tests.support.dead_letters import MIB, command, spoilt, unreading
from tests.support.verification import Submission, World, running, until

DLT = RATING_SUBMISSIONS.dead_letters
HERE = 3


async def dead_letters(world: World, reason: str | None = None) -> list[ConsumerRecord]:
    return [
        record
        for record in await world.read(DLT)
        if (said := dict(record.headers).get("dlt_reason")) is not None
        if reason is None or said.decode() == reason
    ]


def original(record: ConsumerRecord) -> Message:
    kept = tuple((name, held) for name, held in record.headers if not name.startswith("dlt_"))
    return Message(record.key, record.value, kept)


async def committed(world: World, partition: int) -> int:
    at = TopicPartition(RATING_SUBMISSIONS.name, partition)
    async with world.consumer(group_id=GROUP) as consumer:
        consumer.assign([at])
        return await consumer.committed(at) or 0


async def accepted_once(world: World, sent: Sequence[Submission]) -> None:
    await world.drained()
    assert await world.said(sent) == {each.id: ["accepted"] for each in sent}


async def test_whatever_is_wrong_with_a_message_it_is_set_aside_whole_and_the_partition_goes_on(
    world: World,
) -> None:
    edition = await world.edition()
    before, after = world.submission(edition), world.submission(edition)
    good = encode(world.envelope(before.event, before.id), key=key_of(before.event))
    outcome = golden_envelope(next(event for event in EVENTS if isinstance(event, RatingAccepted)))
    bad = spoilt(good, foreign=encode(outcome, key=key_of(outcome.data)))
    async with running(worker_app(world.settings)):
        await world.submit(before, partition=HERE)
        sent = [
            await world.send_raw(RATING_SUBMISSIONS.name, each, partition=HERE) for _, each in bad.values()
        ]
        await with_neither_key_nor_value(world)
        await world.submit(after, partition=HERE)
        await accepted_once(world, [before, after])
        dead = await dead_letters(world)
        assert len(dead) == len(bad) + 1
        for record, where, (reason, message) in zip(dead, sent, bad.values(), strict=False):
            assert original(record) == message
            headers = dict(record.headers)
            assert headers["dlt_reason"].decode() == reason
            assert headers["dlt_topic"].decode() == RATING_SUBMISSIONS.name
            assert (headers["dlt_partition"], int(headers["dlt_offset"])) == (b"3", where.offset)
            assert record.timestamp == where.timestamp, "kept no longer than its message"
        assert dict(dead[-1].headers)["dlt_reason"] == b"invalid_envelope"

        # Redriven as it is, the one of 1 MiB too, it becomes a dead letter again, from where it is now.
        offsets = [record.offset for record in dead]
        await redrive(topic(world), Wanted(offsets=offsets), advance=ignored)
        await world.drained()
        again = (await dead_letters(world))[len(dead) :]
    assert [original(record) for record in again] == [original(record) for record in dead]
    assert [record.timestamp for record in again] == [record.timestamp for record in dead], "as old as it was"
    first, second = ([int(dict(r.headers)["dlt_offset"]) for r in letters] for letters in (dead, again))
    assert min(second) > max(first)
    assert second == sorted(second)


async def with_neither_key_nor_value(world: World) -> None:
    """Other clients may write one; ours refuses to, except in a batch made by hand."""
    batch = world.producer.create_batch()
    assert batch.append(key=None, value=None, timestamp=None) is not None
    await (await world.producer.send_batch(batch, RATING_SUBMISSIONS.name, partition=HERE))


async def test_a_message_that_was_small_only_while_compressed_loses_its_value_and_stops_nothing(
    world: World,
) -> None:
    edition = await world.edition()
    after = world.submission(edition)
    arguments = world.settings.kafka.producer_arguments("test") | {"max_request_size": 8 * MIB}
    async with AIOKafkaProducer(**arguments, compression_type="gzip") as producer:
        await producer.send_and_wait(RATING_SUBMISSIONS.name, bytes(4 * MIB), b"k", partition=HERE)
    await world.submit(after, partition=HERE)
    async with running(worker_app(world.settings)):
        await accepted_once(world, [after])
    [dead] = await dead_letters(world)
    assert (dead.key, dead.value) == (b"k", None)
    assert dict(dead.headers)["dlt_left_out"] == b"value"
    said = await redrive(topic(world), Wanted(offsets=[dead.offset]), advance=ignored)
    assert [entry.offset for entry, _ in said.left] == [dead.offset]
    assert not said.chosen


async def test_too_many_dead_letters_stop_the_worker_and_nothing_is_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = f"unread-{uuid4().hex[:8]}"
    edition = await world.edition()
    few, many = ([world.submission(edition) for _ in range(count)] for count in (4, 40))
    settings = world.settings.model_copy(update={"dead_letter_least": 10})
    app = worker_app(settings)
    with monkeypatch.context() as deploy:
        deploy.setattr(batches, "decode", unreading(reason))
        async with running(app) as stopped:
            await world.submit(*few, partition=HERE)
            await world.drained()
            before = await committed(world, HERE)
            await world.submit(*many, partition=HERE)
            check = app.state.readiness.checks["dead_letter_share"]

            async def stops() -> bool:
                return not check.ok

            await until(stops, why="the worker stopped")
            await shows_that_it_stopped(app, reason)
            # Of the batch that was too much nothing is passed, and nothing is buried; of what came before it
            # both.
            buried = await dead_letters(world, reason)
            assert len(few) <= len(buried) < 10
            assert await committed(world, HERE) - before == len(buried) - len(few)
            deploy.undo()
            async with running(worker_app(settings)):  # mended: it takes over although the other is alive
                await world.drained()
                told = [each for each in few + many if (await world.said([each]))[each.id]]
                assert len(told) == len(few) + len(many) - len(buried)
                assert not check.ok
                await redrive(topic(world), Wanted(reason=reason), advance=ignored)
                await accepted_once(world, few + many)
            assert stopped.failure is None


async def shows_that_it_stopped(app: Any, reason: str) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://worker") as client:
        ready = await client.get("/readyz")
        assert ready.status_code == 503
        text = ready.json()["checks"]["dead_letter_share"]["detail"]
        assert "10 of the last 10 messages cannot be read" in text
        assert reason in text
        assert "VERIFICATION_DEAD_LETTER_SHARE=1" in text
        assert (await client.get("/healthz")).status_code == 200
        assert "\nconsumer_stopped_by_dead_letters 1.0" in (await client.get("/metrics")).text


async def test_what_an_operator_redrives_after_the_reader_was_mended_counts_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = f"unread-{uuid4().hex[:8]}"
    edition = await world.edition()
    sent = [world.submission(edition) for _ in range(3)]
    async with running(worker_app(world.settings)):
        with monkeypatch.context() as deploy:
            deploy.setattr(batches, "decode", unreading(reason))
            await world.submit(*sent)
            await world.drained()
        dead = await dead_letters(world, reason)
        assert len(dead) == len(sent)

        untouched = await ends(world)
        assert "3 would be redriven" in await typed(world, "redrive", "--reason", reason, "--dry-run")
        assert await ends(world) == untouched

        first = await redrive(topic(world), Wanted(offsets=[dead[1].offset]), advance=ignored)
        assert [entry.offset for entry in first.chosen] == [dead[1].offset]
        assert "2 redriven, 1 left out" in await typed(world, "redrive", "--reason", reason)
        await accepted_once(world, sent)

        untouched = await ends(world)
        again = await redrive(topic(world), Wanted(reason=reason), advance=ignored)
        assert (len(again.chosen), len(again.left)) == (0, 3)
        assert await ends(world) == untouched
        insisted = Wanted(offsets=[dead[0].offset], again=True)
        assert len((await redrive(topic(world), insisted, advance=ignored)).chosen) == 1
        await accepted_once(world, sent)
    listed = [
        json.loads(line) for line in (await typed(world, "list", "--limit", "0", "--json")).splitlines()
    ]
    mine = {each["dlt_offset"]: each for each in listed if each["reason"] == reason}
    assert set(mine) == {record.offset for record in dead}
    found_at = {(each["topic"], each["partition"], each["offset"]) for each in mine.values()}
    assert found_at == {(RATING_SUBMISSIONS.name, each.partition, each.offset) for each in sent}
    for each in mine.values():
        assert each["redriven_at"] is not None
        assert each["type"] == "vn.danang.hailong.rating-submitted.v2"
    shown = await typed(world, "show", str(dead[0].offset))
    assert reason in shown
    assert f'"rating_id": "{json.loads(dead[0].value)["rating_id"]}"' in shown


async def test_of_two_redrives_at_once_the_later_one_sends(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.send_raw(RATING_SUBMISSIONS.name, Message(b"k", b"{", ()), partition=HERE)
    async with running(worker_app(world.settings)):
        await world.drained()
        [dead] = await dead_letters(world)
        wanted = Wanted(offsets=[dead.offset])
        slow = topic(world)
        entries = slow.entries

        async def overtaken_meanwhile() -> Any:
            found = await entries()
            await redrive(topic(world), wanted, advance=ignored)
            return found

        monkeypatch.setattr(slow, "entries", overtaken_meanwhile)
        with pytest.raises(Overtaken):
            await redrive(slow, wanted, advance=ignored)
        await world.drained()
    assert len(await dead_letters(world)) == 2  # the first, and once more as it was redriven once


def topic(world: World) -> DeadLetterTopic:
    return DeadLetterTopic(world.settings.kafka, RATING_SUBMISSIONS)


def ignored(done: int, of: int) -> None:
    assert done <= of


async def typed(world: World, *arguments: str) -> str:
    code, out, err = await command(
        "services.verification",
        *arguments,
        environment={"VERIFICATION_KAFKA_BOOTSTRAP": world.settings.kafka.bootstrap},
    )
    assert code == 0, err
    return out


async def ends(world: World) -> dict[TopicPartition, int]:
    """Where the topics end that a redrive writes to."""
    where = [TopicPartition(DLT, 0)]
    where += [TopicPartition(RATING_SUBMISSIONS.name, n) for n in range(RATING_SUBMISSIONS.partitions)]
    async with world.consumer() as consumer:
        found: dict[TopicPartition, int] = await consumer.end_offsets(where)
        return found
