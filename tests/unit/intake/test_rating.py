from datetime import date
from typing import Any

import pytest

from contracts.events import ProofOfWork, VerificationPolicy
from services.intake.domain.rating import Fault, Sound, judge
from tests.support.intake import TODAY, directory, edition, officer, rating, unit


def codes(judged: object) -> set[tuple[str, str]]:
    assert isinstance(judged, list), "it was taken in"
    return {(fault.pointer, fault.code) for fault in judged}


def test_a_sound_rating_comes_back_with_what_it_is_about() -> None:
    judged = judge(rating(), directory(), TODAY)
    assert isinstance(judged, Sound)
    assert judged.phone == "+84905123456"
    assert judged.unit.group_id == "so-ban-nganh"


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"edition_id": "1999"}, "/edition_id", "edition_unknown"),
        ({"officer_id": "nobody"}, "/officer_id", "officer_unknown"),
        ({"answer": ""}, "/answer", "answer_missing"),
        ({"answer": "perhaps"}, "/answer", "answer_unknown"),
        ({"reasons": ["late"]}, "/reasons", "reasons_not_asked"),
        ({"answer": "not_satisfied"}, "/reasons", "reasons_missing"),
        ({"answer": "not_satisfied", "reasons": ["late", "x"]}, "/reasons/1", "reason_unknown"),
        ({"answer": "not_satisfied", "reasons": ["late", "late"]}, "/reasons", "reasons_repeated"),
        ({"phone": "0236 3822 222"}, "/phone", "phone_not_mobile"),
        ({"consent": False}, "/consent", "consent_missing"),
        ({"challenge": None}, "/challenge", "challenge_missing"),
        ({"challenge": ("id", " ")}, "/challenge/answer", "challenge_answer_missing"),
    ],
)
def test_a_fault_is_named_with_its_field(changes: dict[str, Any], pointer: str, code: str) -> None:
    assert codes(judge(rating(**changes), directory(), TODAY)) == {(pointer, code)}


def test_all_faults_are_named_at_once() -> None:
    judged = judge(rating(answer="", phone="1", consent=False, challenge=None), directory(), TODAY)
    assert {pointer for pointer, _ in codes(judged)} == {"/answer", "/phone", "/consent", "/challenge"}


def test_the_phone_policy_asks_for_no_challenge() -> None:
    state = directory(unit(), officer(), edition(verification=VerificationPolicy.PHONE))
    assert isinstance(judge(rating(challenge=None), state, TODAY), Sound)


def test_a_challenge_given_unasked_must_be_a_whole_one() -> None:
    state = directory(unit(), officer(), edition(verification=VerificationPolicy.PHONE))
    faults = judge(rating(challenge=("challenge", " ")), state, TODAY)
    assert faults == [Fault("/challenge/answer", "challenge_answer_missing")]


def test_an_edition_takes_ratings_on_its_days_alone() -> None:
    assert codes(judge(rating(), directory(), date(2027, 1, 1))) == {("/edition_id", "edition_closed")}
    assert isinstance(judge(rating(), directory(), date(2026, 12, 31)), Sound)


def test_an_officer_who_is_gone_takes_none() -> None:
    state = directory(unit(), officer(active_until=TODAY), edition())
    assert codes(judge(rating(), state, TODAY)) == {("/officer_id", "officer_not_active")}


@pytest.mark.parametrize(
    ("asked", "challenge", "proof", "missing"),
    [
        (ProofOfWork.NONE, True, False, set()),
        (ProofOfWork.NONE, False, True, {("/challenge", "challenge_missing")}),
        (ProofOfWork.BESIDE, True, True, set()),
        (ProofOfWork.BESIDE, True, False, {("/proof_of_work", "proof_of_work_missing")}),
        (ProofOfWork.BESIDE, False, True, {("/challenge", "challenge_missing")}),
        (ProofOfWork.INSTEAD, False, True, set()),
        (ProofOfWork.INSTEAD, True, False, set()),
        (ProofOfWork.INSTEAD, False, False, {("/challenge", "challenge_missing")}),
    ],
)
def test_a_proof_of_work_is_needed_as_the_edition_asks_for_it(
    asked: ProofOfWork, challenge: bool, proof: bool, missing: set[tuple[str, str]]
) -> None:
    sent = rating(
        challenge=("id", "234567") if challenge else None, proof_of_work="cHJvb2Y=" if proof else None
    )
    judged = judge(sent, directory(unit(), officer(), edition(proof_of_work=asked)), TODAY)
    assert (codes(judged) if isinstance(judged, list) else set()) == missing
