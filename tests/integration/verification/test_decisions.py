"""What is decided about a submission, by a running worker."""

from datetime import UTC, datetime, timedelta

from contracts.events import ChallengeAnswer, RatingAccepted
from contracts.topics import RATING_OUTCOMES
from services.verification.bootstrap import worker_app
from tests.support.verification import Submission, World, running

ONE = 3  # partition


async def test_a_rating_that_meets_the_policy_is_accepted_with_all_that_a_figure_needs(world: World) -> None:
    submission = world.submission(await world.edition())
    async with running(worker_app(world.settings)):
        await world.submit(submission)
        await world.drained()
    (outcome,) = [each for each in await world.outcomes() if each.submission_id == submission.id]
    assert isinstance(outcome, RatingAccepted)
    said = outcome.model_dump(exclude={"decided_at", "assurance", "submission_id"})
    assert said == submission.event.model_dump(include=set(said))
    assert outcome.assurance == "captcha"


async def test_the_outcome_says_what_caused_it_and_nothing_that_the_citizen_holds(world: World) -> None:
    submission = world.submission(await world.edition())
    async with running(worker_app(world.settings)):
        await world.submit(submission)
        await world.drained()
    (record,) = [
        record
        for record in await world.read(RATING_OUTCOMES.name)
        if str(submission.id).encode() in record.value
    ]
    headers = dict(record.headers)
    assert headers["ce_causationid"] == headers["ce_correlationid"] == str(submission.id).encode()
    assert headers["ce_source"] == b"/hailong/verification"
    assert record.key == headers["ce_subject"] == submission.event.officer_id.encode()
    everything = record.key + record.value + b"".join(headers.values())
    phone, pseudonym = submission.event.phone, submission.event.phone_pseudonym
    assert phone is not None
    assert pseudonym is not None
    for secret in (str(submission.rating_id), pseudonym, phone.box):
        assert secret.encode() not in everything


async def test_each_reason_is_named(world: World) -> None:
    edition, other = await world.edition(), await world.edition()
    closed = await world.edition(closes_on=datetime.now(UTC).date() - timedelta(days=2))
    past = world.challenges.issue(edition.edition_id, datetime.now(UTC) - timedelta(minutes=11))
    first = world.submission(edition, number="+84905123456")
    right, token = first.event.challenge, first.event.idempotency_token
    assert right is not None
    typo = world.challenges.issue(edition.edition_id, datetime.now(UTC))
    expected: list[tuple[Submission, str]] = [
        (first, "accepted"),
        (world.submission(edition, number="+84905123456"), "duplicate"),
        (
            world.submission(edition, idempotency_token=token),
            "idempotency_key_reused",
        ),
        (world.submission(edition, challenge=right), "challenge_used"),
        (world.submission(edition, challenge=world.submission(other).event.challenge), "challenge_invalid"),
        (world.submission(edition, challenge=None), "challenge_invalid"),
        (
            world.submission(edition, challenge=ChallengeAnswer(id=past.id, answer=past.digits)),
            "challenge_expired",
        ),
        (world.submission(edition, challenge=ChallengeAnswer(id=typo.id, answer="x")), "challenge_wrong"),
        (
            world.submission(edition, challenge=ChallengeAnswer(id=typo.id, answer=typo.digits)),
            "challenge_used",
        ),
        (world.submission(closed), "edition_closed"),
        (world.submission(edition.model_copy(update={"edition_id": "nobody-knows"})), "edition_closed"),
    ]
    async with running(worker_app(world.settings)):
        await world.submit(*[submission for submission, _ in expected], partition=ONE)
        await world.drained()
    said = await world.said([submission for submission, _ in expected])
    assert [said[submission.id] for submission, _ in expected] == [[word] for _, word in expected]


async def test_a_challenge_answered_in_time_counts_however_late_it_is_read(world: World) -> None:
    edition = await world.edition()
    earlier = datetime.now(UTC) - timedelta(hours=3)
    challenge = world.challenges.issue(edition.edition_id, earlier)
    answer = ChallengeAnswer(id=challenge.id, answer=challenge.digits)
    submission = world.submission(edition, challenge=answer, submitted_at=earlier + timedelta(minutes=9))
    async with running(worker_app(world.settings)):
        await world.submit(submission)
        await world.drained()
    assert await world.said([submission]) == {submission.id: ["accepted"]}


async def test_an_edition_published_after_the_worker_began_is_known_in_time(world: World) -> None:
    async with running(worker_app(world.settings)):
        submissions = [world.submission(await world.edition()) for _ in range(5)]
        await world.submit(*submissions)
        await world.drained()
    said = await world.said(submissions)
    assert list(said.values()) == [["accepted"]] * 5


async def test_a_caller_who_sends_again_gets_no_second_outcome(world: World) -> None:
    edition = await world.edition()
    submissions = [world.submission(edition) for _ in range(20)]
    async with running(worker_app(world.settings)):
        await world.submit(*submissions, *submissions)  # in one batch
        await world.drained()
        await world.submit(*submissions)  # and later
        await world.drained()
    said = await world.said(submissions)
    assert list(said.values()) == [["accepted"]] * 20
