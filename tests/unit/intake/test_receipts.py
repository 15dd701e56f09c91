"""A receipt leads to its rating by intake's secret alone, and only its citizen has it."""

import base64
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.identity import RECEIPT_CHARACTERS, identify, received

SECRET, OTHER = b"s" * 32, b"o" * 32
WHO = identify(SECRET, "key-1", b"body")


def test_a_receipt_leads_to_its_rating_however_it_is_typed() -> None:
    bare = WHO.receipt.replace("-", "")
    for typed in (
        WHO.receipt,
        bare,
        bare.lower(),
        f"  {WHO.receipt.replace('-', ' ')}\n",
        bare[:9] + "\u2009" + bare[9:],
    ):
        assert received(SECRET, typed) == WHO.rating_id
    misread = WHO.receipt.replace("O", "0").replace("I", "1").replace("B", "8")
    assert received(SECRET, misread) == WHO.rating_id


def test_the_same_request_has_the_same_receipt_and_another_one_another() -> None:
    assert identify(SECRET, "key-1", b"body").receipt == WHO.receipt
    others = {identify(SECRET, *each).receipt for each in (("key-2", b"body"), ("key-1", b"other"))}
    assert len(others | {WHO.receipt}) == 3


@given(st.integers(0, RECEIPT_CHARACTERS - 1), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
def test_a_slip_of_the_pen_is_no_receipt(place: int, instead: str) -> None:
    bare = WHO.receipt.replace("-", "")
    typed = bare[:place] + instead + bare[place + 1 :]
    assert received(SECRET, typed) == (WHO.rating_id if typed == bare else None)


@given(st.text(max_size=60))
def test_whatever_is_typed_is_answered(typed: str) -> None:
    assert received(SECRET, typed) is None


def test_neither_the_ratings_id_nor_another_secret_gives_the_receipt() -> None:
    assert received(OTHER, WHO.receipt) is None
    for each in (WHO.rating_id, WHO.submission_id):
        assert received(SECRET, base64.b32encode(each.bytes).decode().rstrip("=")) is None
    hidden = base64.b32decode(WHO.receipt.replace("-", ""))
    assert hidden[:12].hex() not in WHO.rating_id.hex
    assert isinstance(received(SECRET, WHO.receipt), UUID)
