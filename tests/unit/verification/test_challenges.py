"""Challenges: what their ids hold, and what an answer is worth."""

from datetime import timedelta

import pytest

from contracts.events import ChallengeAnswer
from services.verification.challenges import LIFETIME, Challenge, Challenges, NotAChallenge
from services.verification.domain.ratings import ChallengeCheck
from tests.unit.verification.scenario import NOON

CHALLENGES = Challenges(b"k" * 32)


@pytest.fixture
def challenge() -> Challenge:
    return CHALLENGES.issue("2017", NOON)


def check(
    challenge_id: str, typed: str, *, edition: str = "2017", after: timedelta = timedelta(0)
) -> ChallengeCheck:
    return CHALLENGES.check(ChallengeAnswer(id=challenge_id, answer=typed), edition, NOON + after)[0]


def test_the_digits_are_the_right_answer(challenge: Challenge) -> None:
    assert check(challenge.id, challenge.digits) is ChallengeCheck.RIGHT


@pytest.mark.parametrize("typed", ["{0}{1}{2} {3}{4}{5}", " {0} {1}-{2} {3}-{4} {5} "])
def test_spaces_and_hyphens_do_not_matter(challenge: Challenge, typed: str) -> None:
    assert check(challenge.id, typed.format(*challenge.digits)) is ChallengeCheck.RIGHT


def test_full_width_digits_are_digits(challenge: Challenge) -> None:
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in challenge.digits)
    assert check(challenge.id, wide) is ChallengeCheck.RIGHT


@pytest.mark.parametrize(
    "change", [lambda d: d[:-1], lambda d: d + "0", lambda d: d[::-1] + "x", lambda _: "?"]
)
def test_anything_else_is_wrong(challenge: Challenge, change: object) -> None:
    assert callable(change)
    assert check(challenge.id, change(challenge.digits)) is ChallengeCheck.WRONG


def test_it_lasts_ten_minutes_from_issue_to_submission(challenge: Challenge) -> None:
    assert check(challenge.id, challenge.digits, after=LIFETIME) is ChallengeCheck.RIGHT
    late = LIFETIME + timedelta(milliseconds=1)
    assert check(challenge.id, challenge.digits, after=late) is ChallengeCheck.EXPIRED


def test_it_is_bound_to_its_edition(challenge: Challenge) -> None:
    assert check(challenge.id, challenge.digits, edition="2018") is ChallengeCheck.INVALID


@pytest.mark.parametrize("altered", ["", "A", "🙂", "not-ours", "A" * 2000])
def test_what_we_did_not_issue_is_invalid(altered: str) -> None:
    with pytest.raises(NotAChallenge):
        CHALLENGES.open(altered)


def test_every_character_of_the_id_counts(challenge: Challenge) -> None:
    for place, character in enumerate(challenge.id):
        other = "A" if character != "A" else "B"
        try:
            same = CHALLENGES.open(challenge.id[:place] + other + challenge.id[place + 1 :])
        except NotAChallenge:
            continue
        assert (
            same.nonce == challenge.nonce
        )  # spare bits of the last character: the same challenge, used once


def test_another_key_does_not_open_it(challenge: Challenge) -> None:
    with pytest.raises(NotAChallenge):
        Challenges(b"x" * 32).open(challenge.id)


def test_no_answer_is_no_challenge() -> None:
    assert CHALLENGES.check(None, "2017", NOON) == (ChallengeCheck.INVALID, b"")


def test_the_id_hides_the_digits(challenge: Challenge) -> None:
    assert challenge.digits not in challenge.id
    assert len({CHALLENGES.issue("2017", NOON).id for _ in range(50)}) == 50
