"""Many ratings with one challenge at the same moment: two workers and six partitions let one through."""

from collections import Counter
from datetime import UTC, datetime

from contracts.events import EditionPublished, ProofOfWork
from contracts.topics import RATING_SUBMISSIONS
from services.verification.adapters.key_files import CHALLENGE_KEY, read_key
from services.verification.bootstrap import worker_app
from services.verification.proof_of_work import ProofsOfWork, solve
from tests.support.verification import Submission, World, running

CHALLENGES, RATINGS = 20, RATING_SUBMISSIONS.partitions * 3


async def test_of_many_ratings_with_one_challenge_one_counts_however_they_race(world: World) -> None:
    edition = await world.edition()
    raced = []
    for _ in range(CHALLENGES):
        shared = world.submission(edition).event.challenge
        raced.append([world.submission(edition, challenge=shared) for _ in range(RATINGS)])
    await race(world, raced, "challenge_used")


async def test_of_many_ratings_with_one_proof_of_work_one_counts_however_they_race(world: World) -> None:
    edition = await world.edition(proof_of_work=ProofOfWork.INSTEAD)
    raced = []
    for _ in range(CHALLENGES):
        proof = solution(world, edition)
        raced.append([world.submission(edition, challenge=None, proof_of_work=proof) for _ in range(RATINGS)])
    await race(world, raced, "proof_of_work_used")


async def test_a_rating_with_both_and_one_with_either_share_no_more_than_one(world: World) -> None:
    """Claimed crosswise: no deadlock, and nobody has what another one has."""
    edition = await world.edition(proof_of_work=ProofOfWork.BESIDE)
    first, second = world.submission(edition), world.submission(edition)
    proofs = [solution(world, edition) for _ in range(2)]
    raced = [
        world.submission(edition, challenge=challenge, proof_of_work=proof)
        for challenge in (first.event.challenge, second.event.challenge)
        for proof in proofs
        for _ in range(RATINGS)
    ]
    await race_all(world, raced)
    said = await world.said(raced)
    assert all(len(outcomes) == 1 for outcomes in said.values())
    accepted = [each.event for each in raced if said[each.id] == ["accepted"]]
    assert len(accepted) in (1, 2)  # two only where they have nothing in common
    assert len({event.proof_of_work for event in accepted}) == len(accepted)
    assert len({event.challenge.id for event in accepted if event.challenge}) == len(accepted)


def solution(world: World, edition: EditionPublished) -> str:
    proofs = ProofsOfWork(read_key(world.settings.keys_dir / CHALLENGE_KEY), maxnumber=1_000)
    return solve(proofs.issue(edition.edition_id, datetime.now(UTC)))


async def race(world: World, raced: list[list[Submission]], loser: str) -> None:
    await race_all(world, [each for group in raced for each in group])
    said = await world.said([each for group in raced for each in group])
    for group in raced:
        outcomes = Counter(outcome for each in group for outcome in said[each.id])
        assert outcomes == {"accepted": 1, loser: RATINGS - 1}


async def race_all(world: World, raced: list[Submission]) -> None:
    """Spread over all partitions before two workers begin, so that each partition has some of each group."""
    for number in range(RATING_SUBMISSIONS.partitions):
        await world.submit(*raced[number :: RATING_SUBMISSIONS.partitions], partition=number)
    async with running(worker_app(world.settings)), running(worker_app(world.settings)):
        await world.drained()
