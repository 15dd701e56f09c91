"""Challenges: what their ids hold, and what an answer is worth."""

import hmac
import random
import re
from collections import Counter
from datetime import timedelta

import pytest

from contracts.events import ChallengeAnswer
from services.verification import challenges
from services.verification.challenges import (
    ALPHABET,
    DIGITS,
    LIFETIME,
    Challenge,
    Challenges,
    NotAChallenge,
)
from services.verification.domain.ratings import ChallengeCheck
from tests.unit.verification.scenario import NOON

CHALLENGES = Challenges(b"k" * 32)


@pytest.fixture
def challenge() -> Challenge:
    return CHALLENGES.issue("2017", NOON)


def worth(
    challenge_id: str, typed: str, *, edition: str = "2017", after: timedelta = timedelta(0)
) -> tuple[ChallengeCheck, bytes]:
    return CHALLENGES.check(ChallengeAnswer(id=challenge_id, answer=typed), edition, NOON + after)


def check(
    challenge_id: str, typed: str, *, edition: str = "2017", after: timedelta = timedelta(0)
) -> ChallengeCheck:
    return worth(challenge_id, typed, edition=edition, after=after)[0]


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


def test_it_says_when_it_expires(challenge: Challenge) -> None:
    assert challenge.expires_at == NOON + timedelta(minutes=10)


def test_it_is_six_digits_and_none_that_looks_like_another() -> None:
    assert all(re.fullmatch("[023456789]{6}", CHALLENGES.issue("2017", NOON).digits) for _ in range(50))


def test_it_is_bound_to_its_edition(challenge: Challenge) -> None:
    assert check(challenge.id, challenge.digits, edition="2018") is ChallengeCheck.INVALID


@pytest.mark.parametrize("edition", ["1", "22", "333", "4444", "khảo-sát"])
def test_whatever_the_edition_its_id_fits_into_an_address_and_opens_again(edition: str) -> None:
    issued = CHALLENGES.issue(edition, NOON)
    assert re.fullmatch("[A-Za-z0-9_-]+", issued.id)
    assert CHALLENGES.open(issued.id) == issued
    assert issued.edition_id == edition


def test_its_id_has_at_most_512_characters() -> None:
    assert len(CHALLENGES.issue("e" * 329, NOON).id) == 512
    with pytest.raises(NotAChallenge):
        CHALLENGES.issue("e" * 330, NOON)


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


def test_a_challenge_issued_before_an_update_can_be_answered_after_it() -> None:
    issued = "byLatn1xtpZLUd11lGux9OxAnmIxaJHwWOpOp8NgnGq_7Nt06ZH1qZQ1-fbpLrdiezk8j7zq8i9STZE"
    challenge = CHALLENGES.open(issued)
    assert (challenge.digits, challenge.edition_id) == ("370867", "2017")
    assert challenge.expires_at == NOON + timedelta(minutes=10)


def test_its_id_opens_again_whatever_letters_it_ends_with() -> None:
    for _ in range(1000):
        issued = CHALLENGES.issue("22", NOON)  # whose id has no padding to cut off
        assert CHALLENGES.open(issued.id) == issued


@pytest.mark.parametrize("foreign", ["!", "\n", " ", "+", "="])
def test_characters_that_belong_in_no_id_are_not_passed_over(challenge: Challenge, foreign: str) -> None:
    with pytest.raises(NotAChallenge):
        CHALLENGES.open(challenge.id[:40] + 4 * foreign + challenge.id[40:])


def test_its_use_is_noted_under_what_is_unique_to_it_however_it_was_answered(challenge: Challenge) -> None:
    nonces = {CHALLENGES.issue("2017", NOON).nonce for _ in range(50)}
    assert len(nonces | {challenge.nonce}) == 51
    assert worth(challenge.id, challenge.digits) == (ChallengeCheck.RIGHT, challenge.nonce)
    assert worth(challenge.id, "?") == (ChallengeCheck.WRONG, challenge.nonce)
    late = LIFETIME + timedelta(seconds=1)
    assert worth(challenge.id, "?", after=late) == (ChallengeCheck.EXPIRED, challenge.nonce)


def test_what_is_invalid_uses_up_nothing(challenge: Challenge) -> None:
    assert worth("not-ours", "?") == (ChallengeCheck.INVALID, b"")
    assert worth(challenge.id, challenge.digits, edition="2018") == (ChallengeCheck.INVALID, b"")


def test_picture_and_sound_draw_their_chance_from_the_challenge_and_a_key_nobody_else_has(
    challenge: Challenge,
) -> None:
    image = CHALLENGES.seed(challenge, "image")
    assert CHALLENGES.seed(CHALLENGES.open(challenge.id), "image") == image
    others = (
        CHALLENGES.seed(challenge, "audio-vi"),
        CHALLENGES.seed(CHALLENGES.issue("2017", NOON), "image"),
    )
    assert len({image, *others}) == 3
    assert len(image) == 16
    with pytest.raises(NotAChallenge):
        Challenges(b"x" * 32).seed(challenge, "image")


def test_another_key_does_not_open_it(challenge: Challenge) -> None:
    with pytest.raises(NotAChallenge):
        Challenges(b"x" * 32).open(challenge.id)


def test_a_challenge_counts_under_the_key_before_and_under_none_older(challenge: Challenge) -> None:
    keys = [b"k" * 32]
    rotated = Challenges(lambda: keys)
    seed = rotated.seed(challenge, "image")
    keys.insert(0, b"n" * 32)
    answer = ChallengeAnswer(id=challenge.id, answer=challenge.digits)
    assert rotated.check(answer, "2017", NOON) == (ChallengeCheck.RIGHT, challenge.nonce)
    assert rotated.seed(challenge, "image") == seed, "it looks as before, or two pictures tell more than one"
    newer = rotated.issue("2017", NOON)
    with pytest.raises(NotAChallenge):
        CHALLENGES.open(newer.id)
    keys[:] = [b"o" * 32, b"n" * 32]
    assert rotated.open(newer.id) == newer
    assert rotated.check(answer, "2017", NOON) == (ChallengeCheck.INVALID, b"")


def test_no_answer_is_no_challenge() -> None:
    assert CHALLENGES.check(None, "2017", NOON) == (ChallengeCheck.INVALID, b"")


def test_the_id_hides_the_digits(challenge: Challenge) -> None:
    assert challenge.digits not in challenge.id
    assert len({CHALLENGES.issue("2017", NOON).id for _ in range(50)}) == 50


def test_its_digits_are_unpredictable() -> None:
    """Every digit is as likely at every place, and the seed of ordinary chance changes nothing."""
    seen = Counter[tuple[int, str]]()
    for _ in range(2000):
        random.seed(0)
        seen.update(enumerate(CHALLENGES.issue("2017", NOON).digits))
    assert len(seen) == DIGITS * len(ALPHABET)
    mean = 2000 / len(ALPHABET)
    assert all(abs(count - mean) < 100 for count in seen.values())  # seven standard deviations


def test_what_is_typed_is_compared_in_constant_time(
    challenge: Challenge, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def watched(typed: bytes, right: bytes) -> bool:
        compared.append((typed, right))
        return hmac.compare_digest(typed, right)

    monkeypatch.setattr(challenges, "compare_digest", watched)
    assert check(challenge.id, "?") is ChallengeCheck.WRONG
    assert compared == [(b"?", challenge.digits.encode())]
