"""The six digits by SMS: whose they are, how they are told and kept, and what counts as typing them right."""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from contracts.events import Sealed
from services.verification.domain.ratings import PHONE_CODE_LIFETIME, CodeCheck
from services.verification.phone_codes import NewCode, PhoneCodes
from services.verification.ports import HashedCodes, Unreadable
from tests.unit.verification.scenario import NOON

RATING = UUID("0b6b0d6e-3f5e-8c1a-9d7e-0f3a5c2b1e4d")
KEY = b"k" * 32


class OpenRing:
    """Boxes that hold what their text says; those of another key cannot be opened."""

    def open(self, sealed: Sealed) -> bytes:
        if sealed.key_id != "ours":
            raise Unreadable
        return base64.b64decode(sealed.box)


@pytest.fixture
def codes() -> PhoneCodes:
    return PhoneCodes(KEY, OpenRing())


def entered(code: str, key_id: str = "ours") -> Sealed:
    return Sealed(key_id=key_id, box=base64.b64encode(code.encode()).decode())


def kept(*made: NewCode) -> HashedCodes:
    return HashedCodes(made[0].salt, tuple(each.hashed for each in made))


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


@pytest.fixture
def costs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Of each hash: length of the salt, and scrypt's parameters."""
    found: list[tuple[int, ...]] = []
    scrypt = hashlib.scrypt

    def noted(password: bytes, *, salt: bytes, n: int, r: int, p: int, dklen: int) -> bytes:
        found.append((len(salt), n, r, p, dklen))
        return scrypt(password, salt=salt, n=n, r=r, p=p, dklen=dklen)

    monkeypatch.setattr("hashlib.scrypt", noted)
    return found


def test_a_code_is_six_digits_whatever_the_number_behind_them(
    codes: PhoneCodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lowest(below: int) -> int:
        assert below == 1_000_000
        return 42

    monkeypatch.setattr("secrets.randbelow", lowest)
    assert codes.make(RATING, None, NOON).code == "000042"


def test_codes_are_drawn_anew_each_time_with_a_salt_of_their_own(codes: PhoneCodes) -> None:
    made = [codes.make(RATING, None, NOON) for _ in range(6)]
    assert all(re.fullmatch(r"[0-9]{6}", each.code) for each in made)
    assert len({each.code for each in made}) > 4
    assert len({each.salt for each in made}) == 6
    assert {len(each.salt) for each in made} == {16}


def test_what_is_kept_is_the_digest_that_scrypt_gives(codes: PhoneCodes) -> None:
    made = codes.make(RATING, None, NOON)
    peppered = hmac.digest(KEY, b"phone-code\0" + RATING.bytes + made.code.encode(), "sha256")
    assert made.hashed.digest == hashlib.scrypt(peppered, salt=made.salt, n=16384, r=8, p=1, dklen=32)
    assert made.hashed.expires_at == NOON + PHONE_CODE_LIFETIME == NOON + timedelta(minutes=5)


def test_a_later_code_for_the_rating_has_the_same_salt_so_that_a_try_costs_one_hash(
    codes: PhoneCodes, costs: list[tuple[int, ...]]
) -> None:
    first = codes.make(RATING, None, NOON)
    second = codes.make(RATING, first.salt, NOON)
    assert second.salt == first.salt
    assert codes.check(RATING, entered(first.code), NOON, kept(second, first)) is CodeCheck.RIGHT
    assert len(costs) == 3


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("vi", "Hài Lòng: mã xác thực của ông/bà là {}, có hiệu lực 5 phút."),
        ("en", "Hai Long: your verification code is {}, valid for 5 minutes."),
        ("fr", "Hài Lòng: mã xác thực của ông/bà là {}, có hiệu lực 5 phút."),
    ],
)
def test_the_text_is_in_the_citizens_language_or_else_in_vietnamese(
    language: str, text: str, codes: PhoneCodes
) -> None:
    made = codes.make(RATING, None, NOON)
    assert made.text(language) == text.format(made.code)


@pytest.mark.parametrize("typed", [str, lambda code: f" {code}\n"], ids=["as sent", "with space around"])
def test_the_code_that_was_sent_is_right(typed: Callable[[str], str], codes: PhoneCodes) -> None:
    made = codes.make(RATING, None, NOON)
    assert codes.check(RATING, entered(typed(made.code)), NOON, kept(made)) is CodeCheck.RIGHT


def test_either_of_the_two_codes_that_are_kept_is_right_until_its_own_time(codes: PhoneCodes) -> None:
    first = codes.make(RATING, None, NOON)
    second = codes.make(RATING, first.salt, NOON + timedelta(minutes=2))
    until = NOON + PHONE_CODE_LIFETIME

    def check(made: NewCode, at: timedelta) -> CodeCheck:
        return codes.check(RATING, entered(made.code), until + at, kept(second, first))

    moment = timedelta(microseconds=1)
    assert check(first, timedelta()) is CodeCheck.RIGHT
    assert check(first, moment) is CodeCheck.EXPIRED
    assert check(second, moment) is CodeCheck.RIGHT
    assert check(second, timedelta(minutes=2) + moment) is CodeCheck.EXPIRED


def test_a_wrong_code_is_wrong_although_the_time_of_all_codes_has_passed(codes: PhoneCodes) -> None:
    made = codes.make(RATING, None, NOON)
    late = NOON + timedelta(minutes=6)
    assert codes.check(RATING, entered(other_than(made.code)), late, kept(made)) is CodeCheck.WRONG


def test_another_ratings_code_is_wrong_even_with_that_ratings_hash_in_its_place(codes: PhoneCodes) -> None:
    made = codes.make(uuid4(), None, NOON)
    assert codes.check(RATING, entered(made.code), NOON, kept(made)) is CodeCheck.WRONG


def test_the_right_code_is_wrong_under_another_key(codes: PhoneCodes) -> None:
    made = codes.make(RATING, None, NOON)
    other = PhoneCodes(b"x" * 32, OpenRing())
    assert other.check(RATING, entered(made.code), NOON, kept(made)) is CodeCheck.WRONG


@pytest.mark.parametrize("typed", [" ", "12345", "1234567", "mười hai"])
def test_what_is_no_code_is_wrong(typed: str, codes: PhoneCodes) -> None:
    made = codes.make(RATING, None, NOON)
    assert codes.check(RATING, entered(typed), NOON, kept(made)) is CodeCheck.WRONG


def test_where_no_code_was_sent_every_code_is_wrong_and_takes_as_long_to_check(
    codes: PhoneCodes, costs: list[tuple[int, ...]]
) -> None:
    sent = codes.make(RATING, None, NOON)
    assert codes.check(RATING, entered("123456"), NOON, HashedCodes(None, ())) is CodeCheck.WRONG
    assert codes.check(RATING, entered(other_than(sent.code)), NOON, kept(sent)) is CodeCheck.WRONG
    assert costs == [(16, 16384, 8, 1, 32)] * 3


def test_for_a_rating_that_awaits_none_nothing_is_hashed(
    codes: PhoneCodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("hashlib.scrypt")
    assert codes.check(RATING, entered("123456"), NOON, None) is CodeCheck.WRONG


def test_a_code_in_a_box_that_nobody_can_open_is_neither_right_nor_wrong(codes: PhoneCodes) -> None:
    made = codes.make(RATING, None, NOON)
    assert codes.check(RATING, entered(made.code, "lost"), NOON, kept(made)) is CodeCheck.UNREADABLE
