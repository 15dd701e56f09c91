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


@pytest.fixture
def codes() -> PhoneCodes:
    return PhoneCodes(b"k" * 32, OpenRing())


def entered(code: str, key_id: str = "ours") -> Sealed:
    return Sealed(key_id=key_id, box=base64.b64encode(code.encode()).decode())


def test_a_code_is_six_digits_whatever_the_number_behind_them(codes: PhoneCodes) -> None:
    some = [codes.code(uuid4()) for _ in range(500)]
    assert all(re.fullmatch(r"[0-9]{6}", code) for code in some)
    assert {code[0] for code in some} == set("0123456789")


def test_a_code_stays_the_same_over_releases_so_that_an_sms_on_its_way_still_counts(
    codes: PhoneCodes,
) -> None:
    # What `openssl dgst -sha256 -hmac` gives for "phone-code", a zero and the id: 8 bytes of it modulo 10^6.
    assert codes.code(RATING) == "508049"


def test_another_rating_and_another_key_give_another_code(codes: PhoneCodes) -> None:
    assert len({codes.code(uuid4()) for _ in range(20)}) > 15
    assert PhoneCodes(b"x" * 32, OpenRing()).code(RATING) != codes.code(RATING)


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
    assert codes.text(RATING, language) == text.format(codes.code(RATING))


@pytest.mark.parametrize("typed", [str, lambda code: f" {code}\n"], ids=["as sent", "with space around"])
def test_the_code_that_was_sent_is_right(typed: Callable[[str], str], codes: PhoneCodes) -> None:
    assert codes.check(RATING, entered(typed(codes.code(RATING)))) is CodeCheck.RIGHT


def test_another_ratings_code_is_wrong(codes: PhoneCodes) -> None:
    other = next(code for code in (codes.code(uuid4()) for _ in range(9)) if code != codes.code(RATING))
    assert codes.check(RATING, entered(other)) is CodeCheck.WRONG


@pytest.mark.parametrize("typed", [" ", "12345", "1234567", "mười hai"])
def test_what_is_no_code_is_wrong(typed: str, codes: PhoneCodes) -> None:
    assert codes.check(RATING, entered(typed)) is CodeCheck.WRONG


def test_a_code_in_a_box_that_nobody_can_open_is_neither_right_nor_wrong(codes: PhoneCodes) -> None:
    assert codes.check(RATING, entered(codes.code(RATING), "lost")) is CodeCheck.UNREADABLE
