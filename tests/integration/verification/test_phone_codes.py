"""Ratings that a code by SMS must prove."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from contracts.envelope import Message
from contracts.events import EditionPublished, RatingAccepted, VerificationPolicy
from services.verification import partition
from services.verification.adapters.outcome_log import KafkaOutcomeLog
from services.verification.adapters.submissions import GROUP
from services.verification.bootstrap import worker_app
from services.verification.ports import Committed, OutcomeLog
from tests.support.verification import Submission, World, running, until

pytestmark = pytest.mark.any_servers

NUMBER = "+84905123456"


async def submitted(
    world: World, policy: VerificationPolicy = VerificationPolicy.PHONE, **changes: object
) -> tuple[EditionPublished, Submission, str]:
    """A rating that awaits its code, and the code as the SMS says it."""
    edition = await world.edition(policy)
    submission = world.submission(edition, number=NUMBER, **changes)
    await world.submit(submission)
    await world.awaits_code(submission.rating_id)
    return edition, submission, await code_sent(world)


async def code_sent(world: World) -> str:
    (code,) = re.findall(r"\b\d{6}\b", await world.text_to(NUMBER))
    return str(code)


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


async def tries_left(world: World, rating_id: UUID) -> int:
    found: int = await world.database.fetchval(
        "SELECT tries_left FROM phone_codes WHERE rating_id = $1", rating_id
    )
    return found


@pytest.mark.parametrize(
    ("policy", "assurance"),
    [
        (VerificationPolicy.PHONE, "phone_code"),
        (VerificationPolicy.CAPTCHA_AND_PHONE, "captcha_and_phone_code"),
    ],
)
async def test_the_right_code_makes_it_count(
    world: World, policy: VerificationPolicy, assurance: str
) -> None:
    async with running(worker_app(world.settings)):
        edition, submission, code = await submitted(world, policy)
        assert await world.said([submission]) == {submission.id: []}
        await world.enter_code(edition, submission.rating_id, code)
        await world.drained()
    (outcome,) = [each for each in await world.outcomes() if each.submission_id == submission.id]
    assert isinstance(outcome, RatingAccepted)
    assert (outcome.assurance, outcome.answer) == (assurance, submission.event.answer)
    assert outcome.submitted_at == submission.event.submitted_at


async def test_the_sms_speaks_the_submissions_language_and_only_its_owner_can_read_it(
    world: World,
) -> None:
    async with running(worker_app(world.settings)):
        await submitted(world, language="en")
    assert "your verification code" in await world.text_to(NUMBER)
    for path in world.settings.outbox_dir.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600


async def test_five_wrong_codes_end_it_and_the_right_one_comes_too_late(world: World) -> None:
    async with running(worker_app(world.settings)):
        edition, submission, code = await submitted(world)
        for _ in range(5):
            await world.enter_code(edition, submission.rating_id, other_than(code))
        await world.enter_code(edition, submission.rating_id, code)
        await world.drained()
    assert await world.said([submission]) == {submission.id: ["phone_code_wrong"]}


async def test_one_try_sent_many_times_is_one_try(world: World) -> None:
    async with running(worker_app(world.settings)):
        edition, submission, code = await submitted(world)
        event_id = uuid4()
        for _ in range(3):
            await world.enter_code(edition, submission.rating_id, other_than(code), event_id=event_id)
        await world.drained()
        for _ in range(5):
            await world.enter_code(edition, submission.rating_id, other_than(code), event_id=event_id)
        await world.drained()
        assert await tries_left(world, submission.rating_id) == 4
        await world.enter_code(edition, submission.rating_id, code)
        await world.drained()
    assert await world.said([submission]) == {submission.id: ["accepted"]}


async def test_a_code_for_nothing_that_awaits_one_is_ignored(world: World) -> None:
    async with running(worker_app(world.settings)):
        edition = await world.edition()
        decided = world.submission(edition)
        await world.submit(decided)
        await world.enter_code(edition, decided.rating_id, "123456")
        await world.enter_code(edition, uuid4(), "123456")
        await world.drained()
    assert await world.said([decided]) == {decided.id: ["accepted"]}
    assert len(await world.outcomes()) == 1


async def test_the_second_rating_of_a_proved_phone_is_a_duplicate(world: World) -> None:
    async with running(worker_app(world.settings)):
        edition, first, code = await submitted(world)
        second = world.submission(edition, number=NUMBER)
        await world.submit(second)
        await world.awaits_code(second.rating_id)
        await world.enter_code(edition, first.rating_id, code)
        await world.drained()

        async def another() -> bool:
            return len(list(world.settings.outbox_dir.glob("*.json"))) == 2

        await until(another, why="the second SMS")
        await world.enter_code(edition, second.rating_id, await code_sent(world))
        await world.drained()
    assert await world.said([first, second]) == {first.id: ["accepted"], second.id: ["duplicate"]}


async def test_numbers_are_unreadable_once_the_editions_key_is_destroyed(world: World) -> None:
    async with running(worker_app(world.settings)):
        edition = await world.edition(VerificationPolicy.PHONE)
        captcha = await world.edition(VerificationPolicy.CAPTCHA)
        for each in (edition, captcha):
            (world.settings.keys_dir / f"{each.sealing_key.key_id}.sealing.key").unlink()
        sent = [world.submission(edition), world.submission(captcha)]
        await world.submit(*sent)
        await world.drained()
    said = await world.said(sent)
    assert list(said.values()) == [["phone_unreadable"], ["accepted"]]


async def make_overdue(world: World, rating_id: UUID) -> None:
    async def sent() -> bool:
        return not await world.database.fetchval("SELECT count(*) FROM sms_queue")

    await until(sent, why="the SMS was sent")
    await world.database.execute(
        "UPDATE phone_codes SET expires_at = $2 WHERE rating_id = $1",
        rating_id,
        datetime.now(UTC) - timedelta(minutes=2),
    )


async def told(world: World, submission: Submission) -> None:
    async def done() -> bool:
        return bool((await world.said([submission]))[submission.id])

    await until(done, why="an outcome")


async def test_a_code_that_is_not_entered_in_time_expires_the_rating(world: World) -> None:
    async with running(worker_app(world.settings)):
        edition, submission, code = await submitted(world)
        await make_overdue(world, submission.rating_id)
        await told(world, submission)
        await world.enter_code(edition, submission.rating_id, code)
        await world.drained()
    assert await world.said([submission]) == {submission.id: ["expired"]}


@pytest.mark.parametrize("after", [False, True])
async def test_an_expiry_is_told_once_whatever_crashes_around_its_commit(
    world: World, *, after: bool
) -> None:
    armed = False

    class Crashing:
        def __init__(self, inner: KafkaOutcomeLog) -> None:
            self.inner = inner
            self.close = inner.close

        async def commit(
            self, outcomes: Sequence[Message], dead_letters: Sequence[Message], upto: Committed
        ) -> None:
            if armed and not after:
                raise RuntimeError("crash")
            await self.inner.commit(outcomes, dead_letters, upto)
            if armed:
                raise RuntimeError("crash")

    async def open_log(partition: int) -> OutcomeLog:
        return Crashing(await KafkaOutcomeLog.open(world.settings.kafka, partition, GROUP))

    async with running(worker_app(world.settings, open_log=open_log)) as first:
        _, submission, _ = await submitted(world)
        await world.drained()
        armed = True
        await make_overdue(world, submission.rating_id)

        async def crashed() -> bool:
            return first.failure is not None

        await until(crashed, why="the crash")
        first.failure = None
    assert await world.status(submission.rating_id) == "rejected"
    async with running(worker_app(world.settings)):
        await told(world, submission)
        another = world.submission(await world.edition())
        await world.submit(another)
        await world.drained()
    assert await world.said([submission]) == {submission.id: ["expired"]}


async def test_a_code_entered_in_time_counts_although_it_is_read_after_the_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(worker_app(world.settings)):
        edition, submission, code = await submitted(world)
        await world.drained()
    await make_overdue(world, submission.rating_id)
    in_time = datetime.now(UTC) - timedelta(minutes=3)
    others = [world.submission(edition, submitted_at=in_time, number=f"+8491000000{n}") for n in range(5)]
    await world.submit(*others, partition=submission.partition)
    await world.enter_code(edition, submission.rating_id, code, at=in_time)
    monkeypatch.setattr(partition, "BATCH", 1)  # a long backlog, in small
    monkeypatch.setattr(partition, "EXPIRY_SECONDS", 0.0)
    async with running(worker_app(world.settings)):
        await world.drained()
        await told(world, submission)
    assert await world.said([submission]) == {submission.id: ["accepted"]}
