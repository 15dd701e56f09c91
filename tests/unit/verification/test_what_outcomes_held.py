"""From an outcome alone: what its rating had claimed by then, and what stood behind it."""

from itertools import chain, combinations, product

import pytest

from contracts.events import ProofOfWork, RejectionReason, VerificationPolicy
from services.verification.domain.ratings import (
    Accepted,
    ChallengeCheck,
    Claim,
    CodeCheck,
    PhoneCodeIssued,
    ProofCheck,
    Rejected,
    held,
    would_prove,
)
from tests.unit.verification.scenario import NOON, Then, code, given, submission

SETS = list(chain.from_iterable(combinations(Claim, length) for length in range(len(Claim) + 1)))


@pytest.mark.parametrize("policy", VerificationPolicy)
@pytest.mark.parametrize("proof_of_work", ProofOfWork)
def test_what_an_outcome_says_was_claimed_is_what_deciding_claimed(
    policy: VerificationPolicy, proof_of_work: ProofOfWork
) -> None:
    seen = set[RejectionReason | None]()
    for challenge, proof, readable, theirs in product(ChallengeCheck, ProofCheck, (True, False), SETS):
        rating = submission(
            policy, challenge=challenge, phone_readable=readable, proof_of_work=proof_of_work, proof=proof
        )
        ends = [given().but_another_has(*theirs).when(rating)]
        if isinstance(issued := ends[0].event, PhoneCodeIssued):
            tried = [given(issued).but_another_has(*theirs).when(code(check, NOON)) for check in CodeCheck]
            ends = [Then(each.event, {**ends[0].claims, **each.claims}) for each in tried]
        for then in ends:
            if isinstance(then.event, Accepted | Rejected):
                seen.add(then.event.reason if isinstance(then.event, Rejected) else None)
                got = {claim for claim, granted in then.claims.items() if granted}
                assert got == set(held(then.event)) & then.claims.keys(), then
                if isinstance(then.event, Accepted) or then.event.assurance is not None:
                    assert would_prove(rating) == then.event.assurance
    assert {None, RejectionReason.DUPLICATE, RejectionReason.IDEMPOTENCY_KEY_REUSED} <= seen


@pytest.mark.parametrize("reason", RejectionReason)
def test_every_reason_says_what_was_held(reason: RejectionReason) -> None:
    assert Claim.SLOT not in held(Rejected(reason))


def test_nothing_stands_behind_what_would_not_get_so_far() -> None:
    assert would_prove(submission(challenge=ChallengeCheck.WRONG)) is None
