"""Numbers are found however they are spelt, and nothing else is taken for one."""

import base64
import hashlib

import pytest

from faults.checking.phones import Phones

PHONE = "905123456"


@pytest.mark.parametrize(
    "text",
    [
        "0905123456",
        "+84905123456",
        "84905123456",
        "0084905123456",
        "905123456",
        "0905 123 456",
        "+84 90 512 3456",
        "+84-905-123-456",
        "0905.123.456",
        "(090) 512 3456",
        "/v1/ratings?phone=0905123456&x=1",
        "/v1/ratings?phone=%2B84905123456",
        "0905%20123%20456",
        '{"phone":"0905123456"}',
        "tel0905123456x",
        b"x".hex() + b"0905123456".hex(),
        base64.b64encode(b"0905123456").decode(),
        base64.b64encode(b"x+84905123456").decode(),
        base64.b64encode(b'{"to":"0905123456"}').decode(),
        hashlib.sha256(b"+84905123456").hexdigest(),
        "\\x" + hashlib.sha256(b"0905123456").hexdigest(),
    ],
)
def test_a_number_is_found(text: str) -> None:
    assert list(Phones([PHONE]).found_in(f"before {text} after".encode()))


@pytest.mark.parametrize(
    "text",
    [
        "0905123457",
        "10905123456",  # digits of something longer
        "1795478123.905123",
        "2026-11-24T09:05:12.345678Z",
        "9f051234-5612-4905-9123-456789abcdef",
        base64.b64encode(b"0911111111").decode(),
        "",
    ],
)
def test_what_is_no_number_is_not_taken_for_one(text: str) -> None:
    assert not list(Phones([PHONE]).found_in(f"before {text} after".encode()))
