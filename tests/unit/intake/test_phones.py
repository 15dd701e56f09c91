import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.phones import NotMobile, by_library, to_e164


@pytest.mark.parametrize(
    "written",
    [
        "0905123456",
        "0905 123 456",
        " 0905.123.456 ",
        "0905-123-456",
        "(0905) 123 456",
        "+84905123456",
        "+84 905 123 456",
        "+84 (0)905 123 456",
        "84905123456",
        "0084905123456",
        "０９０５１２３４５６",
        "\uff0b\uff18\uff14 905 123 456",
        "0905\uff0e123\u3000456",
        "0905\u00a0123\u2013456",
    ],
)
def test_every_usual_spelling_is_the_same_number(written: str) -> None:
    assert to_e164(written) == "+84905123456"


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", NotMobile.MISSING),
        ("   ", NotMobile.MISSING),
        ("0905", NotMobile.UNREADABLE),
        ("0905 123 45x", NotMobile.UNREADABLE),
        ("0905abcdef", NotMobile.UNREADABLE),
        ("09051234567890", NotMobile.UNREADABLE),
        ("01685123456", NotMobile.UNREADABLE),  # eleven digits: gone since 2018
        ("0236 3822 222", NotMobile.NOT_MOBILE),
        ("1900 1000", NotMobile.NOT_MOBILE),
        ("+1 202 555 0100", NotMobile.NOT_VIETNAMESE),
    ],
)
def test_what_is_no_vietnamese_mobile_number_is_refused_for_its_reason(written: str, why: NotMobile) -> None:
    assert to_e164(written) is why


@given(st.text(max_size=60))
def test_any_text_gives_a_number_or_a_reason(written: str) -> None:
    result = to_e164(written)
    assert isinstance(result, NotMobile) or result.startswith("+84")


def test_the_short_way_agrees_with_the_library_for_every_beginning_of_a_number() -> None:
    for beginning in range(10_000):
        written = f"0{beginning:04}{beginning * 7919 % 100_000:05}"
        assert to_e164(written) == by_library(written)


@given(st.from_regex(r"0(?:[ .\-]{0,2}[0-9]){8,10}", fullmatch=True))
def test_the_short_way_agrees_with_the_library_however_it_is_spaced(written: str) -> None:
    assert to_e164(written) == by_library(written)
