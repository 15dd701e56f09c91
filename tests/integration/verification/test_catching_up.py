"""After a restore the database is made to agree with the log: nothing counts twice, nothing is lost."""

import re
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from contracts.events import VerificationPolicy
from services.verification.bootstrap import catch_up_with_log, worker_app
from services.verification.catching_up import WorkersRun
from tests.integration.verification.test_exactly_once import failing, times
from tests.support.verification import Submission, World, running, until

CLAIMS = "idempotency_tokens, used_challenges, slots"
TABLES = f"ratings, webhook_outbox, phone_codes, phone_code_tries, sms_queue, partitions, {CLAIMS}"


@pytest.fixture
async def world(world: World) -> World:
    """What other tests left on the topic is read again as well, and much of it nobody can read."""
    world.settings = world.settings.model_copy(update={"dead_letter_share": 1.0})
    return world


async def said_of(world: World, *sent: Submission) -> list[list[str]]:
    await world.drained()
    said = await world.said(sent)
    return [said[each.id] for each in sent]


async def statuses(world: World, sent: Sequence[Submission]) -> dict[UUID, tuple[str, str | None, object]]:
    ids = [each.rating_id for each in sent]
    rows = await world.database.fetch("SELECT * FROM ratings WHERE rating_id = ANY ($1::uuid[])", ids)
    return {row["rating_id"]: (row["status"], row["reason"], row["decided_at"]) for row in rows}


async def code_sent(world: World, number: str) -> str:
    (code,) = re.findall(r"\b\d{6}\b", await world.text_to(number))
    return str(code)


async def test_a_database_that_is_lost_knows_again_what_the_log_tells(world: World) -> None:
    edition = await world.edition()
    proved = await world.edition(VerificationPolicy.PHONE)
    first = world.submission(edition, number="+84905000001")
    again = world.submission(edition, number="+84905000001")
    wrong = world.submission(edition, challenge=first.event.challenge)
    by_phone = world.submission(proved, number="+84905000002")
    waiting = world.submission(proved, number="+84905000003")
    async with running(worker_app(world.settings)):
        for each in (first, again, wrong, by_phone, waiting):
            await world.submit(each, partition=1)
        await world.awaits_code(by_phone.rating_id)
        await world.enter_code(proved, by_phone.rating_id, await code_sent(world, "+84905000002"))
        ended = [["accepted"], ["duplicate"], ["challenge_used"], ["accepted"]]
        told = (first, again, wrong, by_phone)

        async def all_told() -> bool:
            return list((await world.said(told)).values()) == ended

        await until(all_told, why="the outcomes")
        await world.awaits_code(waiting.rating_id)
    before = await statuses(world, told)
    await world.database.execute(f"TRUNCATE {TABLES}")

    done = await catch_up_with_log(world.settings)

    assert await statuses(world, told) == before
    assert done.taken_over >= len(told)
    assert 1 in done.went_back  # to the one that awaits its code
    late = [
        world.submission(edition, number="+84905000001"),
        world.submission(proved, number="+84905000004", phone_pseudonym=by_phone.event.phone_pseudonym),
        world.submission(edition, challenge=first.event.challenge),
        world.submission(edition, idempotency_token=first.event.idempotency_token),
        world.submission(edition),
    ]
    async with running(worker_app(world.settings)):
        await world.awaits_code(waiting.rating_id)
        await world.submit(*told, partition=1)  # callers send again
        await world.submit(*late)
        await world.awaits_code(late[1].rating_id)
        await world.enter_code(proved, late[1].rating_id, await code_sent(world, "+84905000004"))

        async def late_told() -> bool:
            return all((await world.said(late)).values())

        await until(late_told, why="the outcomes of what came later")
        assert await said_of(world, *told) == ended
    verdicts = ["duplicate", "duplicate", "challenge_used", "idempotency_key_reused", "accepted"]
    assert await said_of(world, *late) == [[each] for each in verdicts]


async def test_what_the_database_decided_and_nobody_was_told_is_decided_again(world: World) -> None:
    edition = await world.edition()
    sent = [world.submission(edition) for _ in range(5)]
    crash = failing(world, "before", times(1, lambda: RuntimeError("crash")))
    async with running(worker_app(world.settings, open_log=crash)) as worker:
        await world.submit(*sent, partition=4)

        async def crashed() -> bool:
            return worker.failure is not None

        await until(crashed, why="the process fails between both commits")
        worker.failure = None
    decided = await statuses(world, sent)
    assert decided
    # In a log restored from a backup these messages have other offsets.
    await world.database.execute("UPDATE ratings SET source_offset = source_offset + 1000000")

    done = await catch_up_with_log(world.settings)

    assert done.forgotten >= len(decided)
    async with running(worker_app(world.settings)):

        async def told() -> bool:
            return all((await world.said(sent)).values())

        await until(told, why="the outcomes")
        assert await said_of(world, *sent) == [["accepted"]] * len(sent)


async def test_while_a_worker_runs_nothing_is_changed(world: World) -> None:
    edition = await world.edition()
    sent = world.submission(edition)
    unknown = uuid4()
    async with running(worker_app(world.settings)):
        await world.submit(sent)
        assert await said_of(world, sent) == [["accepted"]]
        await world.database.execute("UPDATE ratings SET submission_id = $1", unknown)
        with pytest.raises(WorkersRun):
            await catch_up_with_log(world.settings)
    assert await world.database.fetchval("SELECT submission_id FROM ratings") == unknown
