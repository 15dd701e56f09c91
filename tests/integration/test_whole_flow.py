"""Every process real and of its own: what citizens, portals and dashboards meet."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.topics import TOPICS
from tests.support import stack
from tests.support.system import OFFICER, UNIT, Submitted, System, a_system, new_phone

SCOPES = (f"officers/{OFFICER}", f"units/{UNIT}", "groups/so-ban-nganh", "city")
FIGURES_SECONDS = 10.0
posted_phones: list[str] = []


@pytest.fixture(scope="module")
async def system(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """On a broker of its own: the directory and the log are this system's alone."""
    folder = tmp_path_factory.mktemp("system")
    async with (
        stack.kafka_server(stack.chosen(), folder / "kafka") as kafka,
        a_system(folder / "local", kafka.bootstrap, postgres) as system,
    ):
        yield system


async def submit(system: System, **changes: Any) -> Submitted:
    submitted = await system.submit(**changes)
    posted_phones.append(submitted.body["phone"])
    return submitted


async def counts(system: System) -> dict[str, dict[str, int]]:
    """Of each scope: satisfied, not satisfied, reasons, channels and rejections, in one flat dictionary."""
    found = {}
    for scope in SCOPES:
        figures = await system.figures(scope)
        flat = {"satisfied": figures["satisfied"], "not_satisfied": figures["not_satisfied"]}
        flat |= {f"reason {r['id']}": r["count"] for r in figures["reasons"]}
        flat |= {f"channel {c['id']}": c["count"] for c in figures["channels"]}
        flat |= {f"rejected {r['reason']}": r["count"] for r in figures["rejected"]}
        found[scope] = {key: count for key, count in flat.items() if count}
    return found


async def moved_by(system: System, before: dict[str, dict[str, int]], added: dict[str, int]) -> None:
    """Wait until all scopes show what they showed before and `added` on top, no more and no less."""
    wanted = {
        scope: {key: shown.get(key, 0) + added.get(key, 0) for key in shown.keys() | added.keys()}
        for scope, shown in before.items()
    }
    shown = await counts(system)
    try:
        async with asyncio.timeout(FIGURES_SECONDS):
            while shown != wanted:
                await asyncio.sleep(0.05)
                shown = await counts(system)
    except TimeoutError:
        assert shown == wanted


async def test_a_right_rating_is_accepted_and_moves_every_figure_once(system: System) -> None:
    before = await counts(system)
    submitted = await submit(system, answer="not_satisfied", reasons=["late", "attitude"], channel="qr")
    assert submitted.answer.status_code == 202
    outcome = await system.outcome(submitted.rating_id)
    assert outcome["status"] == "accepted"
    await moved_by(
        system, before, {"not_satisfied": 1, "reason late": 1, "reason attitude": 1, "channel qr": 1}
    )


async def test_a_wrong_code_is_rejected_and_uses_the_challenge_up(system: System) -> None:
    before = await counts(system)
    challenge_id, digits = await system.challenge()
    wrong = "0" * 6 if digits != "0" * 6 else "2" * 6
    first = await submit(system, challenge={"id": challenge_id, "answer": wrong})
    assert (await system.outcome(first.rating_id))["reason"] == "challenge_wrong"
    second = await submit(system, challenge={"id": challenge_id, "answer": digits})
    assert (await system.outcome(second.rating_id))["reason"] == "challenge_used"
    await moved_by(system, before, {"rejected challenge_wrong": 1, "rejected challenge_used": 1})


async def test_one_challenge_raced_by_many_lets_one_through(system: System) -> None:
    before = await counts(system)
    challenge_id, digits = await system.challenge()
    challenge = {"id": challenge_id, "answer": digits}
    racers = await asyncio.gather(*(submit(system, challenge=challenge) for _ in range(8)))
    outcomes = await asyncio.gather(*(system.outcome(each.rating_id) for each in racers))
    assert (
        sorted(each.get("reason", "accepted") for each in outcomes) == ["accepted"] + ["challenge_used"] * 7
    )
    await moved_by(system, before, {"satisfied": 1, "channel portal": 1, "rejected challenge_used": 7})


async def test_a_second_rating_of_the_day_does_not_count_and_the_caller_cannot_tell(system: System) -> None:
    before = await counts(system)
    phone = new_phone()
    first = await submit(system, phone=phone)
    second = await submit(system, phone="+84" + phone.replace(" ", "")[1:])
    outcomes = [await system.outcome(each.rating_id) for each in (first, second)]
    assert [each["status"] for each in outcomes] == ["accepted", "accepted"]
    assert outcomes[0].keys() == outcomes[1].keys()
    await moved_by(system, before, {"satisfied": 1, "channel portal": 1, "rejected duplicate": 1})


async def test_the_same_request_sent_again_is_one_rating(system: System) -> None:
    before = await counts(system)
    first = await submit(system)
    again = await asyncio.gather(*(system.send(first.body, first.key) for _ in range(5)))
    assert {each.rating_id for each in again} == {first.rating_id}
    assert (await system.outcome(first.rating_id))["status"] == "accepted"
    await moved_by(system, before, {"satisfied": 1, "channel portal": 1})


async def test_another_body_under_the_key_is_refused_and_after_a_restart_rejected(system: System) -> None:
    before = await counts(system)
    first = await submit(system)
    other = first.body | {"phone": new_phone()}
    posted_phones.append(other["phone"])
    assert (await system.outcome(first.rating_id))["status"] == "accepted"
    refused = await system.send(other, first.key)
    assert (refused.answer.status_code, refused.answer.json()["type"]) == (
        422,
        "urn:hailong:problem:idempotency_key_reused",
    )
    await system.restart("intake", kill=True)  # and with it what it remembered
    taken = await system.send(other, first.key)
    assert (await system.outcome(taken.rating_id))["reason"] == "idempotency_key_reused"
    await moved_by(
        system, before, {"satisfied": 1, "channel portal": 1, "rejected idempotency_key_reused": 1}
    )


async def test_an_outcome_is_told_to_who_waits_for_it(system: System) -> None:
    unknown = "0b6b0d6e-3f5e-8c1a-9d7e-0f3a5c2b1e4d"
    answer = await system.http.get(f"{system.url('verification')}/v1/ratings/{unknown}/outcome?wait=1")
    assert answer.json()["status"] == "pending"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_dashboard_hears_of_a_rating_within_a_second_of_its_outcome(system: System) -> None:
    url = f"{system.url('aggregation')}/v1/live?scope=officer:{OFFICER}"
    async with system.http.stream("GET", url) as stream:
        events = _events(stream.aiter_lines())
        kind, figures = await anext(events)
        assert kind == "snapshot"
        submitted = await submit(system)
        await system.outcome(submitted.rating_id)
        async with asyncio.timeout(1):
            kind, moved = await anext(events)
    assert (kind, moved["satisfied"]) == ("figures", figures["satisfied"] + 1)


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, Any]]:
    kind = ""
    async for line in lines:
        if line.startswith("event:"):
            kind = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            yield kind, json.loads(line.removeprefix("data:"))


async def test_a_crash_of_every_process_loses_nothing_and_counts_nothing_twice(system: System) -> None:
    before = await counts(system)
    first = [await submit(system) for _ in range(5)]
    for name in (
        "verification-worker",
        "aggregation-worker",
        "verification",
        "aggregation",
        "intake",
        "portal",
    ):
        await asyncio.gather(system.restart(name, kill=True), _keep_submitting(system, first, name))
    outcomes = await asyncio.gather(*(system.outcome(each.rating_id) for each in first))
    assert {each["status"] for each in outcomes} == {"accepted"}
    await moved_by(system, before, {"satisfied": len(first), "channel portal": len(first)})


async def _keep_submitting(system: System, submitted: list[Submitted], restarting: str) -> None:
    if restarting not in ("intake", "verification"):  # these two a citizen needs to hand a rating in
        submitted += [await submit(system) for _ in range(3)]


async def test_a_code_sent_to_the_phone_verifies_a_rating(system: System) -> None:
    await system.publish("2018", verification="phone")
    try:
        before = await counts(system)
        rating_id, code = await _asked_for_a_code(system)
        await _enter(system, rating_id, code)
        assert (await system.outcome(rating_id))["status"] == "accepted"
        await moved_by(system, before, {"satisfied": 1, "channel portal": 1})
    finally:
        await system.publish("2017")


async def test_five_wrong_codes_end_a_rating(system: System) -> None:
    await system.publish("2019", verification="phone")
    try:
        before = await counts(system)
        rating_id, code = await _asked_for_a_code(system)
        wrong = "111111" if code != "111111" else "222222"
        for left in (4, 3, 2, 1):
            await _enter(system, rating_id, wrong)
            async with asyncio.timeout(FIGURES_SECONDS):
                while await _tries_left(system, rating_id) != left:
                    await asyncio.sleep(0.02)
        await _enter(system, rating_id, wrong)
        assert (await system.outcome(rating_id))["reason"] == "phone_code_wrong"
        await _enter(system, rating_id, code)  # too late
        await moved_by(system, before, {"rejected phone_code_wrong": 1})
    finally:
        await system.publish("2017")


async def _asked_for_a_code(system: System) -> tuple[str, str]:
    edition = (await system.edition())["id"]
    known = len(system.text_messages())
    submitted = await submit(system, edition_id=edition, challenge=None)
    await system.outcome(submitted.rating_id, status="phone_code_needed")
    async with asyncio.timeout(FIGURES_SECONDS):
        while len(system.text_messages()) == known:
            await asyncio.sleep(0.02)
    found = re.search(r"\b\d{6}\b", system.text_messages()[-1])
    assert found is not None
    return submitted.rating_id, found[0]


async def _enter(system: System, rating_id: str, code: str) -> None:
    entered = await system.http.post(
        f"{system.url('intake')}/v1/ratings/{rating_id}/phone-code",
        json={"edition_id": (await system.edition())["id"], "code": code},
        headers={"Idempotency-Key": f"{rating_id}-{new_phone()}".replace(" ", "")},
    )
    assert entered.status_code == 202


async def _tries_left(system: System, rating_id: str) -> int:
    outcome = await system.outcome(rating_id, status="phone_code_needed")
    return int(outcome["phone_code"]["tries_left"])


async def test_no_phone_number_is_anywhere_in_the_clear(system: System) -> None:
    """Runs last: looks for every number posted above in logs, topics, databases and metrics."""
    assert len(posted_phones) > 30
    needles = {spelling for phone in posted_phones for spelling in _spellings(phone)}
    haystacks = {path.name: path.read_bytes() for path in system.layout.logs.iterdir()}
    haystacks |= await _topics(system)
    for name, url in system.database_urls.items():
        haystacks[f"database {name}"] = await _everything_in(url)
    for name in system.parts:
        haystacks[f"metrics {name}"] = (await system.http.get(f"{system.url(name)}/metrics")).content
    assert len(haystacks["topic rating-submissions"]) > 10_000
    assert len(haystacks["database verification"]) > 10_000
    leaks = {name for name, hay in haystacks.items() for needle in needles if needle in hay}
    assert leaks == set()


def _spellings(phone: str) -> set[bytes]:
    national = phone.replace(" ", "")[1:]
    return {
        spelling.encode() for spelling in (phone, national, f"{national[:3]} {national[3:6]} {national[6:]}")
    }


async def _topics(system: System) -> dict[str, bytes]:
    found = {}
    consumer = AIOKafkaConsumer(bootstrap_servers=system.kafka_bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        for topic in TOPICS:
            partitions = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
            ends = await consumer.end_offsets(partitions)
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            content = bytearray()
            while any([await consumer.position(partition) < ends[partition] for partition in partitions]):
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    for record in records:
                        content += (record.key or b"") + b"\n" + (record.value or b"") + b"\n"
                        content += b"\n".join(value for _, value in record.headers) + b"\n"
            found[f"topic {topic.name}"] = bytes(content)
    finally:
        await consumer.stop()
    return found


async def _everything_in(url: str) -> bytes:
    """Every row of every table, as text."""
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        content = bytearray()
        for table in tables:
            rows = await connection.fetch(f"SELECT t::text AS row FROM {table['name']} t")  # noqa: S608
            content += "\n".join(row["row"] for row in rows).encode()
        return bytes(content)
    finally:
        await connection.close()
