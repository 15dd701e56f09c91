"""The six digits by SMS: whose they are, how they are told, and what counts as typing them right."""

import base64
import re
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from contracts.events import Sealed
from services.verification.domain.ratings import CodeCheck
from services.verification.phone_codes import PhoneCodes
from services.verification.ports import Unreadable

RATING = UUID("0b6b0d6e-3f5e-8c1a-9d7e-0f3a5c2b1e4d")


class OpenRing:
    """Boxes that hold what their text says; those of another key cannot be opened."""

    def open(self, sealed: Sealed) -> bytes:
        if sealed.key_id != "ours":
            raise Unreadable
        return base64.b64decode(sealed.box)


CODES = PhoneCodes(b"k" * 32, OpenRing())


def entered(code: str, key_id: str = "ours") -> Sealed:
    return Sealed(key_id=key_id, box=base64.b64encode(code.encode()).decode())


def test_a_code_is_six_digits_whatever_the_number_behind_them() -> None:
    codes = [CODES.code(uuid4()) for _ in range(500)]
    assert all(re.fullmatch(r"[0-9]{6}", code) for code in codes)
    assert {code[0] for code in codes} == set("0123456789")


def test_a_code_stays_the_same_over_releases_so_that_an_sms_on_its_way_still_counts() -> None:
    # What `openssl dgst -sha256 -hmac` gives for "phone-code", a zero and the id: 8 bytes of it modulo 10^6.
    assert CODES.code(RATING) == "508049"


def test_another_rating_and_another_key_give_another_code() -> None:
    assert len({CODES.code(uuid4()) for _ in range(20)}) > 15
    assert PhoneCodes(b"x" * 32, OpenRing()).code(RATING) != CODES.code(RATING)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("vi", "Hài Lòng: mã xác thực của ông/bà là {}, có hiệu lực 5 phút."),
        ("en", "Hai Long: your verification code is {}, valid for 5 minutes."),
        ("fr", "Hài Lòng: mã xác thực của ông/bà là {}, có hiệu lực 5 phút."),
    ],
)
def test_the_text_is_in_the_citizens_language_or_else_in_vietnamese(language: str, text: str) -> None:
    assert CODES.text(RATING, language) == text.format(CODES.code(RATING))


@pytest.mark.parametrize("typed", [str, lambda code: f" {code}\n"], ids=["as sent", "with space around"])
def test_the_code_that_was_sent_is_right(typed: Callable[[str], str]) -> None:
    assert CODES.check(RATING, entered(typed(CODES.code(RATING)))) is CodeCheck.RIGHT


def test_another_ratings_code_is_wrong() -> None:
    other = next(code for code in (CODES.code(uuid4()) for _ in range(9)) if code != CODES.code(RATING))
    assert CODES.check(RATING, entered(other)) is CodeCheck.WRONG


@pytest.mark.parametrize("typed", [" ", "12345", "1234567", "mười hai"])
def test_what_is_no_code_is_wrong(typed: str) -> None:
    assert CODES.check(RATING, entered(typed)) is CodeCheck.WRONG


def test_a_code_in_a_box_that_nobody_can_open_is_neither_right_nor_wrong() -> None:
    assert CODES.check(RATING, entered(CODES.code(RATING), "lost")) is CodeCheck.UNREADABLE
