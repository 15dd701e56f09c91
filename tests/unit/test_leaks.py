"""A search for leaks proves something only if it finds them."""

import base64

import pytest

from tests.support.leaks import spellings

NUMBER = "905123456"


@pytest.mark.parametrize(
    "text",
    [
        *("+84905123456", "84905123456", "0905123456", "0905 123 456", "0905.123.456", "905-123-456"),
        *("+84 90 512 3456", "(+84) 90.512.3456", "090 5123456", "(090) 512-3456"),
        *("0905+123+456", "0905%20123%20456", "%30%39%30%35%31%32%33%34%35%36", "０９０５１２３４５６"),
    ],
)
def test_it_finds_a_number_as_people_write_it(text: str) -> None:
    assert any(needle in f"<{text}>".encode() for needle in spellings("0905 123 456"))


@pytest.mark.parametrize("lead", ["", "0", "+84", '{"phone":"0'])
def test_it_finds_a_number_that_was_encoded(lead: str) -> None:
    plain = f"{lead}{NUMBER}!".encode()
    for encoded in (base64.b64encode(plain), plain.hex().encode()):
        assert any(needle in encoded for needle in spellings("0905 123 456"))


def test_it_takes_no_other_number_for_it() -> None:
    others = b"906123456 0905 123 457 905 12345 " + base64.b64encode(b"0916234567")
    assert not any(needle in others for needle in spellings("0905 123 456"))
