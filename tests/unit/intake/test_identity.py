from datetime import date
from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.identity import event_id, fingerprint, identify, origin, pseudonym

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


def test_what_ids_follow_from_never_changes() -> None:
    """Else a repetition that spans a release would count twice, and a receipt would withdraw nothing."""
    found = identify(b"s" * 32, "k" * 16, fingerprint(b"e" * 32, {"phone": "+84905123456", "a": 1}))
    assert found.receipt == "LIIG-P2HW-X4BC-GG65-NL36-JZFT"
    assert str(found.submission_id) == "54dcbbc1-eaf6-8b7b-ab2e-d7a45514b343"
    assert pseudonym(b"e" * 32, "+84905123456").startswith("ebb7eea024105b3c")
    day, blocks = date(2026, 12, 1), {"10.1.2.3": "8e03f70d8b166cc2", "2001:db8:7::9": "fbe6e2cb900ccef3"}
    for address, block in blocks.items():
        assert origin(b"s" * 32, day, ip_address(address)).startswith(block)
