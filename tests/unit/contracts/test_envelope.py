"""What can never be read is named, whatever is wrong with it; what can be read is read."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contracts import golden
from contracts.envelope import (
    Envelope,
    InvalidData,
    InvalidEnvelope,
    InvalidMessage,
    UnknownType,
    UnsupportedVersion,
    decode,
    decode_data,
    encode,
)
from contracts.events import EVENTS, Event, OfficerPublished, RatingAccepted, RatingSubmitted
from contracts.topics import key_of

SUBMITTED = next(event for event in golden.EVENTS if isinstance(event, RatingSubmitted))
OFFICER = next(event for event in golden.EVENTS if isinstance(event, OfficerPublished))
REQUIRED = ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_correlationid")


def written(event: Event = SUBMITTED) -> tuple[bytes, dict[str, bytes]]:
    message = encode(golden.envelope(event), key=key_of(event))
    assert message.value is not None
    return message.value, dict(message.headers)


def changed(event: Event = SUBMITTED, **values: Any) -> bytes:
    return json.dumps(json.loads(written(event)[0]) | values).encode()


def refused(
    kind: type[InvalidMessage], value: bytes | None, headers: dict[str, bytes], *, saying: str = ""
) -> None:
    with pytest.raises(kind) as caught:
        decode(value, headers.items())
    assert type(caught.value) is kind
    assert saying in str(caught.value)
    assert only_data(value, list(headers.items())) == (kind, str(caught.value))


def only_data(value: bytes | None, headers: list[tuple[str, bytes]]) -> Event | tuple[type, str]:
    """What `decode_data` makes of it: an event, or why not."""
    try:
        return decode_data(value, headers)
    except InvalidMessage as error:
        return type(error), str(error)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.NAME)
@pytest.mark.parametrize(
    "form", ["{7D0F6A52-91C4-8E3B-A6F0-5B2D8C4E1F97}", "7d0f6a5291c48e3ba6f05b2d8c4e1f97", "7d0f6a52-91c4"]
)
def test_the_data_alone_is_the_data_of_the_whole_however_ids_are_written(
    event: type[Event], form: str
) -> None:
    example = next(each for each in golden.EVENTS if type(each) is event)
    value, headers = written(example)
    assert only_data(value, list(headers.items())) == decode(value, headers.items()).data == example
    for name in ("ce_id", "ce_correlationid", "ce_causationid"):
        only_invalid_message(value, list({**headers, name: form.encode()}.items()))


@pytest.mark.parametrize("name", REQUIRED)
def test_a_header_that_is_missing_is_named(name: str) -> None:
    value, headers = written()
    del headers[name]
    refused(InvalidEnvelope, value, headers, saying=name)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ce_specversion", b"0.3"),
        ("ce_id", b"not-a-uuid"),
        ("ce_id", b"\xff\xfe"),
        ("ce_correlationid", b""),
        ("ce_causationid", b"7"),
        ("ce_time", b"yesterday"),
        ("ce_time", b"2017-11-23T02:15:30"),
        ("ce_time", b"0001-01-01T00:00:00+14:00"),
        ("ce_time", b"9999-12-31T23:59:59-14:00"),
        ("content-type", b"text/plain"),
    ],
)
def test_a_header_that_makes_no_sense_is_an_invalid_envelope(name: str, content: bytes) -> None:
    value, headers = written()
    refused(InvalidEnvelope, value, headers | {name: content})


@pytest.mark.parametrize(
    "kind",
    [
        b"",
        b"rating-submitted",
        b"com.example.rating-submitted.v1",
        b"vn.danang.hailong.rating-forgotten.v1",
        b"vn.danang.hailong.rating-submitted",
        b"vn.danang.hailong.rating-submitted.v0",
        b"vn.danang.hailong.rating-submitted.v1\n",
        b"vn.danang.hailong.rating-submitted.v" + b"9" * 5000,
    ],
)
def test_a_type_nobody_has_heard_of_is_unknown(kind: bytes) -> None:
    value, headers = written()
    refused(UnknownType, value, headers | {"ce_type": kind})


def test_a_major_version_of_the_future_is_unsupported_though_its_data_would_fit() -> None:
    value, headers = written()
    headers["ce_type"] = b"vn.danang.hailong.rating-submitted.v3"
    refused(UnsupportedVersion, value, headers, saying="v3")


def test_an_old_major_version_without_an_upcaster_is_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    value, headers = written()
    monkeypatch.setattr(RatingSubmitted, "VERSION", (3, 0))
    refused(UnsupportedVersion, value, headers, saying="no upcaster")


@pytest.mark.parametrize(
    "value", [None, b"", b"{", b"\xff", b"null", b"[]", b'"text"', b"17", b"[" * 100_000, b"9" * 5000]
)
@pytest.mark.parametrize("major", [b"1", b"2"], ids=["of an old major", "of the current major"])
def test_data_that_is_no_json_object_is_invalid_data(value: bytes | None, major: bytes) -> None:
    _, headers = written(OFFICER)
    refused(InvalidData, value, headers | {"ce_type": b"vn.danang.hailong.officer-published.v" + major})


def test_an_old_version_that_lacks_what_its_upcaster_needs_is_invalid_data() -> None:
    _, headers = written(OFFICER)
    headers["ce_type"] = b"vn.danang.hailong.officer-published.v1"
    refused(InvalidData, b'{"officer_id": "a.b", "unit_id": "a", "name": "A"}', headers)


@pytest.mark.parametrize(
    ("event", "field", "value"),
    [
        (SUBMITTED, "officer_id", None),
        (SUBMITTED, "officer_id", "Not An Identifier"),
        (SUBMITTED, "submitted_at", "2017-11-23T02:15:30"),
        (SUBMITTED, "submitted_at", "9999-12-31T23:59:59Z"),
        (SUBMITTED, "submitted_at", 1e300),
        (SUBMITTED, "phone_pseudonym", "a7"),
        (OFFICER, "name", ""),
        (OFFICER, "name", "Đinh\0Phương"),
        (OFFICER, "position", 2**31),
        (OFFICER, "active_until", "0001-01-01"),
    ],
)
def test_a_field_that_no_reader_could_use_is_named(event: Event, field: str, value: Any) -> None:
    _, headers = written(event)
    refused(InvalidData, changed(event, **{field: value}), headers, saying=field)


def test_what_is_said_of_invalid_data_repeats_none_of_it() -> None:
    _, headers = written()
    secret = "0905 123 456"
    with pytest.raises(InvalidData) as caught:
        decode(changed(answer=secret, phone={"key_id": secret, "box": secret}), headers.items())
    assert "phone.box" in str(caught.value)
    assert secret not in str(caught.value)


def test_times_come_out_in_utc_whatever_zone_they_went_in() -> None:
    city = timezone(timedelta(hours=7))
    envelope = golden.envelope(SUBMITTED)
    local = Envelope(
        id=envelope.id,
        source=envelope.source,
        subject=envelope.subject,
        time=datetime(2017, 11, 23, 0, 30, tzinfo=city),
        correlation_id=envelope.correlation_id,
        data=envelope.data,
    )
    message = encode(local, key="k")
    assert dict(message.headers)["ce_time"] == b"2017-11-22T17:30:00Z"
    read = decode(message.value, message.headers)
    assert (read.time, read.time.tzinfo) == (local.time, UTC)


def test_an_event_cannot_be_changed() -> None:
    accepted = next(event for event in golden.EVENTS if isinstance(event, RatingAccepted))
    with pytest.raises(ValueError, match="frozen"):
        setattr(accepted, "answer", "satisfied")  # noqa: B010 - as code that is not type-checked would


TYPES = st.sampled_from([f"vn.danang.hailong.{event.NAME}.v{n}" for event in EVENTS for n in (1, 2, 3)])
TEXT = st.text(max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
)


@st.composite
def nearly_right(draw: st.DrawFn) -> tuple[bytes | None, list[tuple[str, bytes]]]:
    """A golden example with some of its headers and fields replaced by anything at all."""
    value, headers = written(draw(st.sampled_from(golden.EVENTS)))
    for name in draw(st.sets(st.sampled_from(sorted(headers)), max_size=3)):
        headers[name] = draw(st.binary(max_size=40) | TEXT.map(lambda t: t.encode("utf-8", "replace")))
    data = json.loads(value)
    for field in draw(st.sets(st.sampled_from(sorted(data)), max_size=3)):
        data[field] = draw(
            JSON | st.datetimes().map(lambda m: f"{m.isoformat()}+14:00") | st.dates().map(str)
        )
    return json.dumps(data).encode(), list(headers.items())


def only_invalid_message(value: bytes | None, headers: list[tuple[str, bytes]]) -> None:
    """Raises what `decode` raises, but for what it may raise; reading the data alone comes to the same."""
    alone, refusal = only_data(value, headers), None
    try:
        envelope = decode(value, headers)
    except InvalidMessage as error:
        refusal = type(error), str(error)
    assert alone == (refusal or envelope.data)
    if refusal is None:
        again = encode(envelope, key=key_of(envelope.data))
        assert decode(again.value, again.headers) == envelope


@given(st.binary() | st.none(), st.lists(st.tuples(TEXT, st.binary(max_size=60)), max_size=8))
@example(b"", [("", b"")])
def test_any_bytes_and_headers_are_read_or_refused(
    value: bytes | None, headers: list[tuple[str, bytes]]
) -> None:
    only_invalid_message(value, headers)


@given(
    TYPES,
    JSON.map(lambda data: json.dumps(data).encode()) | st.binary() | st.none(),
    st.dictionaries(st.sampled_from([*REQUIRED, "ce_causationid", "content-type"]), st.binary(max_size=60)),
)
def test_any_data_under_any_type_is_read_or_refused(
    kind: str, value: bytes | None, others: dict[str, bytes]
) -> None:
    headers = written()[1] | others | {"ce_type": kind.encode()}
    only_invalid_message(value, list(headers.items()))


@given(nearly_right())
def test_an_event_with_anything_in_some_of_its_fields_is_read_or_refused(
    message: tuple[bytes | None, list[tuple[str, bytes]]],
) -> None:
    only_invalid_message(*message)
