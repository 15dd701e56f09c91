"""Proofs of work: what a solution is worth, and that its number alone is for the device to find."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from services.verification.domain.ratings import ProofCheck
from services.verification.proof_of_work import LIFETIME, ProofsOfWork, Puzzle, signature, solve
from tests.unit.verification.scenario import NOON

KEY = b"k" * 32
PROOFS = ProofsOfWork(KEY, maxnumber=50)
Solution = dict[str, Any]


@pytest.fixture
def puzzle() -> Puzzle:
    return PROOFS.issue("2017", NOON)


def solution(puzzle: Puzzle) -> Solution:
    return dict(json.loads(base64.b64decode(solve(puzzle))))


def puzzles() -> Iterator[Puzzle]:
    while True:
        yield PROOFS.issue("2017", NOON)


def payload(solution: Solution) -> str:
    return base64.b64encode(json.dumps(solution).encode()).decode()


def check(given: str | None, *, edition: str = "2017", after: timedelta = timedelta(0)) -> ProofCheck:
    return PROOFS.check(given, edition, NOON + after)[0]


def signed_anew(solution: Solution) -> Solution:
    """As consistent as a device can make it without our key."""
    digest = hashlib.sha256(f"{solution['salt']}{solution['number']}".encode()).hexdigest()
    return solution | {"challenge": digest}


def test_the_number_that_solves_it_is_right(puzzle: Puzzle) -> None:
    assert check(solve(puzzle)) is ProofCheck.RIGHT


def test_what_a_browser_adds_is_passed_over(puzzle: Puzzle) -> None:
    assert check(payload(solution(puzzle) | {"took": 812, "test": True})) is ProofCheck.RIGHT


def test_it_is_in_the_format_of_altcha(puzzle: Puzzle) -> None:
    """algorithm, challenge, maxnumber, salt with its parameters, signature: https://altcha.org/docs"""
    number = solution(puzzle)["number"]
    assert puzzle.challenge == hashlib.sha256(f"{puzzle.salt}{number}".encode()).hexdigest()
    expires = int((NOON + LIFETIME).timestamp())
    assert puzzle.salt == f"{puzzle.id}?expires={expires}&edition=2017&maxnumber=50&"
    assert len(puzzle.signature) == 64


def test_a_puzzle_issued_before_an_update_can_be_solved_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "token_hex", lambda size: "5e" * size)
    monkeypatch.setattr(secrets, "randbelow", lambda most: most - 9)
    puzzle = PROOFS.issue("2017", NOON)
    assert (puzzle.challenge[:16], puzzle.signature[:16]) == ("48c1ef33ac569cc7", "d97a6ce42a7e0ebc")


def test_without_one_there_is_none() -> None:
    assert PROOFS.check(None, "2017", NOON) == (ProofCheck.NONE, b"")


TAMPERED: dict[str, Callable[[Solution], Solution]] = {
    "another number": lambda s: s | {"number": (s["number"] + 1) % 51},
    "a number as text": lambda s: s | {"number": str(s["number"])},
    "no number": lambda s: {key: value for key, value in s.items() if key != "number"},
    "a weaker algorithm": lambda s: s | {"algorithm": "SHA-1"},
    "another challenge": lambda s: s | {"challenge": "0" * 64},
    "another signature": lambda s: s | {"signature": "0" * 64},
    "a signature that is no ASCII": lambda s: s | {"signature": "ß" * 64},
    "a later expiry": lambda s: s | {"salt": s["salt"].replace("expires=1", "expires=2")},
    "another edition": lambda s: s | {"salt": s["salt"].replace("edition=2017", "edition=2018")},
    "another difficulty": lambda s: s | {"salt": s["salt"].replace("maxnumber=50", "maxnumber=5")},
    "another nonce": lambda s: s | {"salt": ("0" if s["salt"][0] != "0" else "1") + s["salt"][1:]},
    "a parameter twice": lambda s: s | {"salt": s["salt"] + "expires=99999999999&"},
}


@pytest.mark.parametrize("change", TAMPERED.values(), ids=TAMPERED.keys())
@pytest.mark.parametrize("consistent", [False, True])
def test_nothing_in_it_can_be_changed(
    puzzle: Puzzle, change: Callable[[Solution], Solution], consistent: bool
) -> None:
    changed = change(solution(puzzle))
    edition = "2018" if "edition=2018" in changed["salt"] else "2017"
    if consistent and "number" in changed and changed["challenge"] != "0" * 64:
        changed = signed_anew(changed)
        if changed == solution(puzzle):
            pytest.skip("what this changes is not in the digest")
    assert check(payload(changed), edition=edition) is ProofCheck.INVALID


def test_digits_cannot_move_between_number_and_salt() -> None:
    """The digest is over both joined, so `…&1` and 23 have the digest of `…&` and 123."""
    given = next(each for each in map(solution, puzzles()) if each["number"] > 10 and each["number"] % 10)
    tens, ones = divmod(given["number"], 10)
    moved = given | {"salt": f"{given['salt']}{tens}", "number": ones}
    assert signed_anew(moved) == moved
    assert check(payload(moved)) is ProofCheck.INVALID


@pytest.mark.parametrize("number", [-1, 51])
def test_a_number_beyond_the_signed_bound_is_not_accepted(puzzle: Puzzle, number: int) -> None:
    """Not even with our own signature: the bound is what stands in the salt."""
    given = signed_anew(solution(puzzle) | {"number": number})
    signed = given | {"signature": signature(KEY, given["challenge"])}
    assert check(payload(signed)) is ProofCheck.INVALID


def test_a_puzzle_made_under_the_key_before_counts_until_that_one_is_forgotten(puzzle: Puzzle) -> None:
    keys = [b"n" * 32, KEY]
    rotated = ProofsOfWork(lambda: keys, maxnumber=50)
    assert rotated.check(solve(puzzle), "2017", NOON)[0] is ProofCheck.RIGHT
    keys.remove(KEY)
    assert rotated.check(solve(puzzle), "2017", NOON)[0] is ProofCheck.INVALID


def test_it_lasts_thirty_minutes_from_issue_to_submission(puzzle: Puzzle) -> None:
    given = solve(puzzle)
    assert puzzle.expires_at == NOON + timedelta(minutes=30)
    assert check(given, after=LIFETIME) is ProofCheck.RIGHT
    assert check(given, after=LIFETIME + timedelta(milliseconds=1)) is ProofCheck.EXPIRED


def test_it_is_bound_to_its_edition(puzzle: Puzzle) -> None:
    assert check(solve(puzzle), edition="2018") is ProofCheck.INVALID


@pytest.mark.parametrize("given", ["", "?", "bm90IGpzb24=", "W10=", "A" * 2047, "ß"])
def test_what_is_no_solution_is_invalid(given: str) -> None:
    assert PROOFS.check(given, "2017", NOON) == (ProofCheck.INVALID, b"")


def test_another_key_does_not_take_it(puzzle: Puzzle) -> None:
    other = ProofsOfWork(b"x" * 32, maxnumber=50)
    assert other.check(solve(puzzle), "2017", NOON)[0] is ProofCheck.INVALID


def test_its_use_is_noted_under_what_is_unique_to_it(puzzle: Puzzle) -> None:
    nonces = {PROOFS.check(solve(PROOFS.issue("2017", NOON)), "2017", NOON)[1] for _ in range(50)}
    own = PROOFS.check(solve(puzzle), "2017", NOON)[1]
    assert len(nonces | {own}) == 51
    assert own == bytes.fromhex(puzzle.id)


def test_digests_are_compared_in_constant_time(puzzle: Puzzle, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def watched(ours: bytes, given: bytes) -> bool:
        compared.append((ours, given))
        return compare(ours, given)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    given = solution(puzzle)
    assert check(payload(given)) is ProofCheck.RIGHT
    assert {mine.decode() for mine, _ in compared} == {given["challenge"], given["signature"]}


def test_numbers_are_spread_over_all_that_may_be() -> None:
    numbers = {solution(PROOFS.issue("2017", NOON))["number"] for _ in range(1000)}
    assert numbers == set(range(51))
