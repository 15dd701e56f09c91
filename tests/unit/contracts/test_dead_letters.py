"""A dead letter says where it is from and always fits its topic; a marker says that it was redriven."""

from datetime import UTC, datetime

import pytest

from contracts.dead_letters import (
    Letter,
    Origin,
    Redriven,
    dead_letter,
    letter_of,
    marker,
    original_headers,
    redriven_of,
    size_of,
)
from contracts.envelope import InvalidData, Message
from contracts.topics import DEAD_LETTER_BYTES, MESSAGE_BYTES

AT = datetime(2017, 11, 23, 2, 15, tzinfo=UTC)
MIB = 1024 * 1024
HEADERS = (("ce_type", b"t"), ("x", b"\xfe"))


def letter(
    key: bytes | None = b"k", value: bytes | None = b"v", headers: tuple[tuple[str, bytes], ...] = HEADERS
) -> Message:
    return dead_letter(
        key=key,
        value=value,
        headers=headers,
        topic="rating-submissions",
        partition=3,
        offset=41,
        error=InvalidData("Đ" * 1000),
        at=AT,
    )


def test_what_a_letter_says_is_read_from_it() -> None:
    assert letter_of(letter().headers) == Letter(
        "invalid_data", "Đ" * 300, Origin("rating-submissions", 3, 41), AT
    )


def test_a_letter_gives_the_original_headers_back_and_none_of_its_own() -> None:
    assert original_headers(letter().headers) == HEADERS


def test_a_letter_of_a_redriven_message_says_only_where_it_was_found_last() -> None:
    again = letter(headers=(*letter().headers, *marker(7, AT).headers))
    assert original_headers(again.headers) == HEADERS
    assert redriven_of(again.headers) is None


def test_a_letter_keeps_a_null_key_apart_from_an_empty_one() -> None:
    assert (letter(key=None).key, letter(key=b"").key) == (None, b"")


def test_a_letter_has_a_key_or_a_value_because_clients_write_no_other() -> None:
    assert (letter(key=None, value=None).key, letter(key=None, value=None).value) == (b"", None)
    assert letter(key=None, value=bytes(2 * MIB)).key == b""


def test_a_marker_names_the_letter_and_is_none_itself() -> None:
    written = marker(7, AT)
    assert (written.key, written.value) == (b"", None)
    assert redriven_of(written.headers) == Redriven(7, AT)
    assert letter_of(written.headers) is None


@pytest.mark.parametrize(
    "headers",
    [(), (("dlt_reason", b"r"),), (("dlt_redriven_offset", b"x"), ("dlt_redriven_at", b"y"))],
    ids=["none", "half", "no number"],
)
def test_what_is_neither_letter_nor_marker_is_no_error(headers: tuple[tuple[str, bytes], ...]) -> None:
    assert letter_of(headers) is None
    assert redriven_of(headers) is None


def test_the_largest_message_that_its_topic_takes_is_kept_whole() -> None:
    original = Message(b"k", bytes(MIB), (("h", bytes(MESSAGE_BYTES - MIB - 256)),))
    assert MESSAGE_BYTES - 256 < size_of(original) <= MESSAGE_BYTES
    found = letter(original.key, original.value, original.headers)
    assert (found.key, found.value, original_headers(found.headers)) == (
        original.key,
        original.value,
        original.headers,
    )
    assert size_of(found) <= DEAD_LETTER_BYTES


@pytest.mark.parametrize(
    ("large", "left_out"),
    [
        ({"value": bytes(2 * MIB)}, "value"),
        ({"value": b"v", "headers": (("h", bytes(2 * MIB)),)}, "value, headers"),
        ({"key": bytes(2 * MIB)}, "value, headers, key"),
    ],
    ids=["value", "headers", "key"],
)
def test_what_was_larger_before_it_was_compressed_is_left_out_by_name(
    large: dict[str, bytes], left_out: str
) -> None:
    found = letter(**large)  # type: ignore[arg-type]  # one of the three
    assert found.value is None
    assert size_of(found) <= DEAD_LETTER_BYTES
    said = letter_of(found.headers)
    assert said is not None
    assert (said.left_out, said.reason, said.origin.offset) == (left_out, "invalid_data", 41)
