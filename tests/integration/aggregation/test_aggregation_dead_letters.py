"""What can never be read is set aside whole and can come back; a worker at fault is stopped instead."""

import json
from typing import Any
from uuid import uuid4

import httpx

from contracts import golden
from contracts.envelope import Message, encode
from contracts.topics import RATING_OUTCOMES, key_of
from tests.support.aggregation import DEAD_LETTERS, Stage
from tests.support.aggregation_process import Process, until
from tests.support.dead_letters import command, spoilt
from tests.support.outcomes import accepted, message

HERE = 2


async def dead_letters(stage: Stage, name: str, content: str) -> list[Any]:
    """Those whose header says so."""
    records = await stage.read(DEAD_LETTERS)
    return [record for record in records if dict(record.headers).get(name) == content.encode()]


async def test_whatever_is_wrong_with_an_outcome_it_is_set_aside_whole_and_its_partition_goes_on(
    stage: Stage,
) -> None:
    await stage.worker()
    good = accepted(f"unit.{uuid4()}")
    mark = ("test", uuid4().hex.encode())
    unit = encode(golden.envelope(golden.EVENTS[0]), key=key_of(golden.EVENTS[0]))
    bad = [
        (reason, Message(spoiled.key, spoiled.value, (*spoiled.headers, mark)))
        for reason, spoiled in spoilt(message(good), foreign=unit).values()
    ]
    offsets = await stage.send_messages([each for _, each in bad], partition=HERE)
    await stage.send_messages([message(good)], partition=HERE)
    await stage.counts_exactly([good])
    dead = await dead_letters(stage, "test", mark[1].decode())
    assert len(dead) == len(bad)
    for record, offset, (reason, sent) in zip(dead, offsets, bad, strict=True):
        kept = tuple((name, held) for name, held in record.headers if not name.startswith("dlt_"))
        assert Message(record.key, record.value, kept) == sent
        headers = dict(record.headers)
        assert headers["dlt_reason"].decode() == reason
        assert headers["dlt_topic"].decode() == RATING_OUTCOMES.name
        assert (int(headers["dlt_partition"]), int(headers["dlt_offset"])) == (HERE, offset)


async def test_too_many_dead_letters_stop_the_worker_which_lives_on_and_nothing_is_lost(stage: Stage) -> None:
    reason = f"unread-{uuid4().hex[:8]}"
    outcomes = [accepted(f"unit.{uuid4()}") for _ in range(50)]
    few, many = outcomes[:4], outcomes[4:]
    # Were it judged by its progress, it would end before this test does.
    settings = {"AGGREGATION_DEAD_LETTER_LEAST": "10", "AGGREGATION_STALL_SECONDS": "10"}
    stopped = stage.process(
        "worker", module="tests.support.unreading_aggregation", UNREADING_REASON=reason, **settings
    )
    await (await stopped.start()).ready()
    await stage.send(few)

    async def some_buried() -> bool:
        return len(await dead_letters(stage, "dlt_reason", reason)) == len(few)

    async def stops() -> bool:
        return not (await stopped.checks())[1]["dead_letter_share"]["ok"]

    await until(some_buried, why="few dead letters")
    await stage.send(many)
    await until(stops, why="the worker stopped")
    await shows_that_it_stopped(stopped, reason)
    buried = await dead_letters(stage, "dlt_reason", reason)
    assert len(few) <= len(buried) < 10
    assert await passed(stage) == len(buried)

    await stage.worker()  # mended: it takes over although the other is alive

    async def all_passed() -> bool:
        return await passed(stage) == len(outcomes)

    await until(all_passed, why="the checkpoints at the end of the log")
    letters = {record.offset for record in buried}
    assert await stage.total() == len(outcomes) - len(letters)
    assert f"{len(letters)} redriven" in await typed(stage, "redrive", "--reason", reason)
    await stage.counts_exactly(outcomes)
    listed = await typed(stage, "list", "--reason", reason, "--json")
    found = [json.loads(line) for line in listed.splitlines()]
    assert {each["dlt_offset"] for each in found if each["redriven_at"]} == letters

    assert stopped.running is not None
    assert stopped.running.returncode is None
    code, seconds = await stopped.terminate()
    assert code == 0
    assert seconds < 6


async def shows_that_it_stopped(worker: Process, reason: str) -> None:
    status, checks = await worker.checks()
    assert status == 503
    text = checks["dead_letter_share"]["detail"]
    assert "10 of the last 10 messages cannot be read" in text
    assert reason in text
    assert "AGGREGATION_DEAD_LETTER_SHARE=1" in text
    async with httpx.AsyncClient(base_url=worker.operations_url) as client:
        assert (await client.get("/healthz")).status_code == 200
        assert "\nconsumer_stopped_by_dead_letters 1.0" in (await client.get("/metrics")).text


async def passed(stage: Stage) -> int:
    """By how much the checkpoints have moved."""
    rows = await stage.database.fetch("SELECT topic, partition, next_offset FROM read_models.checkpoint")
    begun = {(tp.topic, tp.partition): offset for tp, offset in stage.begun_at.items()}
    return sum(int(row["next_offset"]) - begun[row["topic"], row["partition"]] for row in rows)


async def typed(stage: Stage, *arguments: str) -> str:
    environment = {"AGGREGATION_KAFKA_BOOTSTRAP": stage.bootstrap}
    code, out, err = await command("services.aggregation", *arguments, environment=environment)
    assert code == 0, err
    return out
