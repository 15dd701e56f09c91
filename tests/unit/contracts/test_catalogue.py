"""The topic catalogue: keys, what is kept, and what a dead letter says."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from contracts import golden
from contracts.dead_letters import dead_letter
from contracts.envelope import UnsupportedVersion, encode
from contracts.events import (
    ApiClientPublished,
    EditionPublished,
    Event,
    OfficeActionTaken,
    OfficerPublished,
    PaperFormEntered,
    PaperFormsIssued,
    PhoneCodeEntered,
    Policy,
    RatingAccepted,
    RatingRejected,
    RatingSubmitted,
    RatingVoidRequested,
    RatingWithdrawalRequested,
    RatingWithdrawn,
    UnitPublished,
    WaveVoided,
)
from contracts.topics import (
    DAY_MS,
    DIRECTORY,
    FUTURE_MS,
    RATING_OUTCOMES,
    RATING_SUBMISSIONS,
    SEALED,
    SEGMENT_MS,
    TOPICS,
    kept_ms,
    key_of,
    submissions_kept_days,
)

UNIT = "so-thong-tin-va-truyen-thong"
OFFICER = f"{UNIT}.dinh-thi-minh-phuong"
RATING = "0b6b0d6e-3f5e-8c1a-9d7e-0f3a5c2b1e4d"
KEYS = {
    UnitPublished: f"unit:{UNIT}",
    OfficerPublished: f"officer:{OFFICER}",
    EditionPublished: "edition:2017",
    ApiClientPublished: "client:city-portal",
    OfficeActionTaken: f"unit:{UNIT}",
    PaperFormsIssued: f"officer:{OFFICER}",
    PaperFormEntered: "form:000012030",
    RatingSubmitted: RATING,
    PhoneCodeEntered: RATING,
    RatingAccepted: OFFICER,
    RatingRejected: OFFICER,
    RatingWithdrawn: OFFICER,
    RatingWithdrawalRequested: RATING,
    RatingVoidRequested: RATING,
    WaveVoided: "wave:5d1f9b0a-7c3e-4f52-8a16-c9e2d4b70813",
}


@pytest.mark.parametrize("event", golden.EVENTS, ids=lambda event: event.NAME)
def test_events_of_one_thing_share_its_key(event: Event) -> None:
    assert key_of(event) == KEYS[type(event)]


def test_an_event_without_a_key_rule_is_a_mistake_of_ours() -> None:
    class Unheard(Event):
        NAME = "unheard"
        VERSION = (1, 0)

    with pytest.raises(TypeError, match="Unheard"):
        key_of(Unheard())


def test_outcomes_are_kept_for_ever_and_the_directory_is_compacted() -> None:
    assert RATING_OUTCOMES.config["retention.ms"] == "-1"
    assert RATING_OUTCOMES.config["cleanup.policy"] == "delete"
    assert DIRECTORY.config["cleanup.policy"] == "compact"
    assert DIRECTORY.config["retention.ms"] == "-1"


@pytest.mark.parametrize("days", [1, 30, 90])
def test_a_message_is_gone_when_it_was_promised_though_its_segment_and_a_clock_were_late(days: int) -> None:
    checks_ms = 6 * 60 * 1000
    assert 0 < kept_ms(days) + SEGMENT_MS + FUTURE_MS + checks_ms < days * DAY_MS
    assert kept_ms(days) > 0


def test_topics_with_sealed_phones_delete_by_time_and_know_no_message_from_the_future() -> None:
    assert {topic.name for topic in SEALED} == {"rating-submissions", "rating-submissions-dlt"}
    for topic in SEALED:
        assert topic.config["cleanup.policy"] == "delete"
        assert topic.config["retention.ms"] == str(kept_ms(90))
        assert topic.config["segment.ms"] == str(SEGMENT_MS)
        assert topic.config["message.timestamp.type"] == "CreateTime"
        assert topic.config["message.timestamp.after.max.ms"] == str(FUTURE_MS)


@pytest.mark.parametrize(("promised", "kept"), [((), 90), ((90,), 90), ((30, 90), 30), ((365,), 90)])
def test_the_strictest_edition_says_how_long_submissions_are_kept(
    promised: tuple[int, ...], kept: int
) -> None:
    edition = next(event for event in golden.EVENTS if isinstance(event, EditionPublished))
    editions = [edition.model_copy(update={"policy": Policy(phone_retention_days=days)}) for days in promised]
    assert submissions_kept_days(editions) == kept


def test_each_topic_has_one_writer_and_what_is_read_has_a_dead_letter_topic_beside_it() -> None:
    names = [topic.name for topic in TOPICS]
    assert len(names) == len(set(names)) == 7
    for topic in (RATING_SUBMISSIONS, RATING_OUTCOMES, DIRECTORY):
        assert topic.dead_letters in names
        assert topic.writer in {"intake", "verification"}


def test_outcomes_carry_nothing_that_a_citizen_holds_or_that_leads_to_them() -> None:
    personal = {"rating_id", "phone", "phone_pseudonym", "idempotency_token", "challenge", "code"}
    for event in RATING_OUTCOMES.events:
        assert not personal & event.model_fields.keys()
    assert "answer" not in RatingRejected.model_fields


def letter(**changes: object) -> dict[str, bytes]:
    message = encode(golden.envelope(golden.EVENTS[0]), key="k")
    parts = {
        "key": message.key,
        "value": message.value,
        "headers": message.headers,
        "topic": "directory",
        "partition": 3,
        "offset": 41,
        "error": UnsupportedVersion("unit-published v9"),
        "at": datetime(2017, 11, 23, 9, 15, tzinfo=timezone(timedelta(hours=7))),
    } | changes
    written = dead_letter(**parts)  # type: ignore[arg-type]  # one dictionary for all of them
    assert (written.key or b"", written.value) == (parts["key"] or b"", parts["value"])
    names = [name for name, _ in written.headers]
    assert len(names) == len(set(names))
    return dict(written.headers)


def test_a_dead_letter_is_the_original_and_says_why_and_from_where() -> None:
    headers = letter()
    original = dict(encode(golden.envelope(golden.EVENTS[0]), key="k").headers)
    why = {name: content.decode() for name, content in headers.items() if name.startswith("dlt_")}
    assert why == {
        "dlt_reason": "unsupported_version",
        "dlt_detail": "unit-published v9",
        "dlt_topic": "directory",
        "dlt_partition": "3",
        "dlt_offset": "41",
        "dlt_at": datetime(2017, 11, 23, 2, 15, tzinfo=UTC).isoformat(),
    }
    assert {name: content for name, content in headers.items() if name not in why} == original


def test_a_dead_letter_keeps_bytes_that_are_no_text_and_null() -> None:
    assert letter(value=b"\xff\x00", headers=(("x", b"\xfe"),))["x"] == b"\xfe"
    assert letter(value=None, key=None)["dlt_offset"] == b"41"


def test_a_dead_letter_that_dies_again_says_why_it_did_last() -> None:
    headers = letter(headers=tuple(letter().items()), offset=99)
    assert headers["dlt_offset"] == b"99"


def test_a_dead_letters_detail_is_short() -> None:
    assert len(letter(error=UnsupportedVersion("v" * 5000))["dlt_detail"]) == 300
