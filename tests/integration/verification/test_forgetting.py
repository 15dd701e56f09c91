"""What the database forgets in time, and that it is nothing that a submission can still ask for."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, UnknownMemberIdError

from contracts.events import EditionPublished, Policy, VerificationPolicy
from contracts.topics import RATING_SUBMISSIONS
from services.verification.adapters.kept import KafkaKept
from services.verification.adapters.retention import BATCH, PostgresRetention
from services.verification.adapters.submissions import GROUP
from services.verification.bootstrap import worker_app
from services.verification.domain.ratings import WITHDRAWABLE
from services.verification.forgetting import Forgetting
from tests.support.verification import Submission, World, running, until

pytestmark = pytest.mark.any_servers

KEPT = timedelta(days=90)
REPEATS = timedelta(days=7)
TABLES = ("ratings", "idempotency_tokens", "used_challenges", "slots", "phone_codes", "sms_queue")


async def now_and_here(action: Callable[[], Any]) -> Any:
    """No outage is waited out: each would be a failure of the test."""
    return await action()


class Editions:
    def __init__(self, *editions: EditionPublished) -> None:
        self.editions = editions

    def all(self) -> Sequence[EditionPublished]:
        return self.editions


def forgetting(world: World, *editions: EditionPublished, after: timedelta = timedelta()) -> Forgetting:
    """As it is so much later."""
    return Forgetting(
        store=PostgresRetention(world.database),
        editions=Editions(*editions),
        log=NothingOlder(),
        clock=lambda: datetime.now(UTC) + after,
        through_outages=now_and_here,
        repeats=REPEATS,
    )


class NothingOlder:
    """Kafka has deleted what it should: in the tests that look far ahead, nobody waits for it."""

    async def keeps_from_before(self, _: datetime) -> bool:
        return False


async def rows(world: World) -> dict[str, int]:
    return {
        table: await world.database.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608
        for table in TABLES
    }


async def edition_with(world: World, policy: Policy) -> EditionPublished:
    edition = (await world.edition()).model_copy(update={"policy": policy})
    await world.publish(edition)
    return edition


@asynccontextmanager
async def decided(world: World, *submissions: Submission) -> AsyncIterator[None]:
    async with running(worker_app(world.settings)):
        await world.submit(*submissions)
        await world.drained()
        yield


async def test_everything_stays_until_no_submission_can_ask_for_it_and_then_goes(world: World) -> None:
    edition = await world.edition()
    async with decided(world, *[world.submission(edition) for _ in range(5)]):
        pass
    there = await rows(world)
    assert there == dict.fromkeys(TABLES, 5) | {"phone_codes": 0, "sms_queue": 0}
    await forgetting(world, edition, after=KEPT - timedelta(hours=1)).round()
    assert await rows(world) == there
    # The window ended with the day on which they came; its last submission has gone from Kafka by then.
    await forgetting(world, edition, after=KEPT + timedelta(days=1)).round()
    assert await rows(world) == there | {"slots": 0}
    await forgetting(world, edition, after=KEPT + REPEATS - timedelta(hours=1)).round()
    assert await rows(world) == there | {"slots": 0}
    await forgetting(world, edition, after=KEPT + REPEATS + timedelta(hours=1)).round()
    assert await rows(world) == dict.fromkeys(TABLES, 0)


async def test_the_strictest_edition_says_for_all_how_long(world: World) -> None:
    edition = await world.edition()
    strict = edition.model_copy(update={"edition_id": "strict", "policy": Policy(phone_retention_days=10)})
    async with decided(world, world.submission(edition)):
        pass
    after = timedelta(days=10) + REPEATS + timedelta(hours=1)
    await forgetting(world, edition, after=after).round()
    assert (await rows(world))["ratings"] == 1
    await forgetting(world, edition, strict, after=after).round()
    assert await rows(world) == dict.fromkeys(TABLES, 0) | {"ratings": 1}, "it can still be withdrawn"
    await forgetting(world, edition, strict, after=WITHDRAWABLE + timedelta(hours=23)).round()
    assert (await rows(world))["ratings"] == 1
    await forgetting(world, edition, strict, after=WITHDRAWABLE + timedelta(hours=25)).round()
    assert await rows(world) == dict.fromkeys(TABLES, 0)


async def test_a_long_window_keeps_its_slots_until_it_is_over_and_duplicates_are_known(world: World) -> None:
    edition = await edition_with(world, Policy(duplicate_window_days=365))
    async with decided(world, world.submission(edition, number="+84905111222")):
        pass
    await forgetting(world, edition, after=timedelta(days=300)).round()
    assert await rows(world) == dict.fromkeys(TABLES, 0) | {"slots": 1}
    second = world.submission(edition, number="+84905111222")
    async with decided(world, second):
        assert await world.said([second]) == {second.id: ["duplicate"]}
    await forgetting(world, edition, after=timedelta(days=366) + KEPT).round()
    assert (await rows(world))["slots"] == 0


async def test_slots_of_an_edition_that_was_removed_go_with_its_submissions(world: World) -> None:
    edition = await edition_with(world, Policy(duplicate_window_days=365))
    async with decided(world, world.submission(edition)):
        pass
    await forgetting(world, after=KEPT - timedelta(hours=1)).round()
    assert (await rows(world))["slots"] == 1
    await forgetting(world, after=KEPT + timedelta(hours=1)).round()
    assert (await rows(world))["slots"] == 0


async def test_a_rating_that_awaits_its_code_is_never_forgotten_but_an_sms_nobody_could_send_is(
    world: World,
) -> None:
    edition = await world.edition(VerificationPolicy.PHONE)
    submission = world.submission(edition, challenge=None)
    assert submission.event.phone is not None
    async with decided(world, submission):
        await world.awaits_code(submission.rating_id)
    await world.database.execute("DELETE FROM sms_queue")
    await world.database.execute(
        "INSERT INTO sms_queue (rating_id, key_id, box, language, created_at, next_attempt_at)"
        " VALUES ($1, $2, $3, 'vi', now(), now() + interval '1 hour')",
        submission.rating_id,
        submission.event.phone.key_id,
        submission.event.phone.box,
    )
    await forgetting(world, edition, after=timedelta(hours=23)).round()
    assert (await rows(world))["sms_queue"] == 1
    await forgetting(world, edition, after=timedelta(days=400)).round()
    found = await rows(world)
    assert (found["ratings"], found["phone_codes"], found["sms_queue"]) == (1, 1, 0)


async def test_a_pseudonym_is_with_a_phone_code_only_until_the_rating_is_decided(world: World) -> None:
    edition = await world.edition(VerificationPolicy.PHONE)
    submission = world.submission(edition, challenge=None, number="+84905333444")
    pseudonyms = "SELECT encode(pseudonym, 'hex') FROM phone_codes"
    async with decided(world, submission):
        await world.awaits_code(submission.rating_id)
        assert await world.database.fetchval(pseudonyms) == submission.event.phone_pseudonym
        text = await world.text_to("+84905333444")
        code = next(word for word in text.replace(",", " ").split() if len(word) == 6 and word.isdigit())
        await world.enter_code(edition, submission.rating_id, code)
        await world.drained()
        assert await world.said([submission]) == {submission.id: ["accepted"]}
    assert await world.database.fetchval(pseudonyms) == ""
    slots = await world.database.fetch("SELECT encode(pseudonym, 'hex') AS pseudonym FROM slots")
    assert [row["pseudonym"] for row in slots] == [submission.event.phone_pseudonym]


async def test_more_than_a_batch_goes_and_what_another_works_on_stays_for_the_next_round(
    world: World,
) -> None:
    old = datetime.now(UTC) - KEPT - REPEATS - timedelta(days=1)
    await world.database.executemany(
        "INSERT INTO ratings (rating_id, submission_id, status, reason, decided_at, source_partition,"
        " source_offset) VALUES ($1, $1, 'rejected', 'challenge_wrong', $2, 0, 1)",
        [(uuid4(), old) for _ in range(2 * BATCH + 7)],
    )
    async with world.database.acquire() as other, other.transaction():
        held: UUID = await other.fetchval("SELECT rating_id FROM ratings LIMIT 1 FOR UPDATE")
        await forgetting(world).round()
        assert [row["rating_id"] for row in await world.database.fetch("SELECT * FROM ratings")] == [held]
    await forgetting(world).round()
    assert (await rows(world))["ratings"] == 0


async def test_a_log_that_keeps_longer_than_it_should_stops_forgetting(world: World) -> None:
    edition = await world.edition()
    async with decided(world, world.submission(edition)):
        pass
    there = await rows(world)
    worker = forgetting(world, edition, after=KEPT + REPEATS + timedelta(days=1))
    worker._log = KafkaKept(world.settings.kafka)  # which has that submission still
    await worker.round()
    assert await rows(world) == there


async def test_kafka_says_whether_it_keeps_anything_older(world: World) -> None:
    edition = await world.edition()
    earlier = datetime.now(UTC) - timedelta(days=20)
    await world.submit(world.submission(edition, submitted_at=earlier))
    kept = KafkaKept(world.settings.kafka)
    assert not await kept.keeps_from_before(earlier - timedelta(days=60))
    assert await kept.keeps_from_before(datetime.now(UTC) + timedelta(hours=1))


async def test_a_replay_after_forgetting_tells_every_outcome_again_as_it_was(world: World) -> None:
    """The whole log is read again, with a duplicate, a used challenge and a code in it."""
    edition, phone = await world.edition(), await world.edition(VerificationPolicy.PHONE)
    first = world.submission(edition, number="+84905123456")
    sent = [
        first,
        world.submission(edition, number="+84905123456"),
        world.submission(edition, challenge=first.event.challenge),
        *(world.submission(edition) for _ in range(3)),
    ]
    coded = world.submission(phone, challenge=None, number="+84905999888")
    async with decided(world, *sent, coded):
        text = await world.text_to("+84905999888")
        code = next(word for word in text.replace(",", " ").split() if len(word) == 6 and word.isdigit())
        await world.enter_code(phone, coded.rating_id, code)
        await world.drained()
    before = {each.submission_id: each for each in await world.outcomes()}
    assert len(before) == len(sent) + 1
    # On the last day on which all of it may still be in the log.
    await forgetting(world, edition, phone, after=KEPT - timedelta(hours=1)).round()
    await rewind(world, [*sent, coded])
    async with running(worker_app(world.settings)):
        await world.drained()
    told = [each for each in await world.outcomes() if each.submission_id in before]
    assert len(told) == 2 * len(before)
    assert all(each == before[each.submission_id] for each in told)


async def rewind(world: World, submissions: Sequence[Submission]) -> None:
    """As an operator who has the group read everything again from the first of these."""
    starts: dict[TopicPartition, int] = {}
    for each in submissions:
        where = TopicPartition(RATING_SUBMISSIONS.name, each.partition)
        starts[where] = min(each.offset, starts.get(where, each.offset))
    async with world.consumer(group_id=GROUP) as consumer:
        consumer.assign(list(starts))

        async def done() -> bool:
            try:
                await consumer.commit(starts)
            except (CommitFailedError, UnknownMemberIdError):
                return False
            return True

        await until(done, why="the group may be rewound")


async def test_the_worker_forgets_by_itself(world: World) -> None:
    old = datetime.now(UTC) - KEPT - REPEATS - timedelta(days=1)
    await world.database.execute(
        "INSERT INTO ratings (rating_id, submission_id, status, reason, decided_at, source_partition,"
        " source_offset) VALUES ($1, $1, 'rejected', 'challenge_wrong', $2, 0, 1)",
        uuid4(),
        old,
    )

    async def gone() -> bool:
        return (await rows(world))["ratings"] == 0

    async with running(worker_app(world.settings)):
        await until(gone, why="what is old is forgotten")


@pytest.mark.parametrize("unit", ["texts", "ratings", "tokens", "challenges"])
async def test_nothing_to_forget_is_no_work(world: World, unit: str) -> None:
    forget = getattr(PostgresRetention(world.database), unit)
    assert await forget(datetime.now(UTC)) == 0
