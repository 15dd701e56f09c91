from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.identity import event_id, fingerprint, identify, pseudonym

SECRET, OTHER = b"s" * 32, b"o" * 32
texts = st.text(min_size=1, max_size=30)


def test_the_same_key_and_body_are_the_same_rating() -> None:
    assert identify(SECRET, "key-1", b"body") == identify(SECRET, "key-1", b"body")


def test_another_body_under_the_key_is_another_rating_with_the_same_token() -> None:
    one, other = identify(SECRET, "key-1", b"body"), identify(SECRET, "key-1", b"other body")
    assert one.rating_id != other.rating_id
    assert one.submission_id != other.submission_id
    assert one.idempotency_token == other.idempotency_token


@given(texts, st.binary(max_size=32), texts, st.binary(max_size=32))
def test_no_two_submissions_share_an_id(key: str, body: bytes, key2: str, body2: bytes) -> None:
    one, other = identify(SECRET, key, body), identify(SECRET, key2, body2)
    assert (one == other) == ((key, body) == (key2, body2))


def test_what_the_citizen_holds_is_not_what_the_log_holds() -> None:
    who = identify(SECRET, "key-1", b"body")
    assert who.rating_id != who.submission_id
    assert who.rating_id.version == who.submission_id.version == 8


def test_nothing_can_be_computed_without_the_secret() -> None:
    assert identify(SECRET, "key-1", b"body").rating_id != identify(OTHER, "key-1", b"body").rating_id
    assert pseudonym(SECRET, "+84905123456") != pseudonym(OTHER, "+84905123456")
    assert fingerprint(SECRET, {"phone": "1"}) != fingerprint(OTHER, {"phone": "1"})


def test_the_order_of_a_bodys_fields_does_not_matter() -> None:
    assert fingerprint(SECRET, {"a": 1, "b": 2}) == fingerprint(SECRET, {"b": 2, "a": 1})
    assert fingerprint(SECRET, {"a": 1, "b": 2}) != fingerprint(SECRET, {"a": 2, "b": 1})


def test_parts_cannot_run_into_each_other() -> None:
    assert event_id(SECRET, "phone-code", "ab", "c") != event_id(SECRET, "phone-code", "a", "bc")
