"""What offsets become where a partition is filled again without the gaps that it had."""

from datetime import UTC, datetime

from contracts.dead_letters import dead_letter, letter_of, marker, redriven_of
from contracts.envelope import InvalidData, Message
from contracts.topics import DIRECTORY, OFFICE_ACTIONS, RATING_OUTCOMES, RATING_SUBMISSIONS, TOPICS
from deploy.backup.records import Record
from deploy.backup.renumbering import At, Places, restored
from deploy.backup.topics import effects_first

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SOURCE = At(RATING_SUBMISSIONS.name, 2)
LETTERS = At(RATING_SUBMISSIONS.dead_letters, 0)


def kept(message: Message, offset: int) -> Record:
    return Record(offset, 0, message.key, message.value, message.headers)


def letter(origin: int) -> Message:
    return dead_letter(
        key=b"k",
        value=b"{",
        headers=[("ce_id", b"1")],
        topic=SOURCE.topic,
        partition=SOURCE.partition,
        offset=origin,
        error=InvalidData("no JSON"),
        at=NOW,
    )


def test_a_records_new_offset_is_its_place() -> None:
    places = Places([10, 11, 14])
    assert [places.of(old) for old in (10, 11, 14)] == [0, 1, 2]


def test_who_was_to_go_on_somewhere_goes_on_at_the_first_record_not_read() -> None:
    places = Places([10, 11, 14])
    assert [places.next_offset(old) for old in (0, 10, 11, 12, 13, 14, 15, 99)] == [0, 0, 1, 2, 2, 2, 3, 3]


def test_no_two_records_share_an_offset_though_one_had_gone() -> None:
    places = Places([10, 11, 14])
    assert places.of(12) < 0
    assert places.of(12) != places.of(13)


def test_a_dead_letter_names_the_place_where_its_message_is_now() -> None:
    places = {SOURCE: Places([7, 9, 12]), LETTERS: Places([4])}
    record = restored(kept(letter(9), 4), LETTERS, places)
    said = letter_of((name, value) for name, value in record.headers if value is not None)
    assert said is not None
    assert (record.offset, said.origin.partition, said.origin.offset) == (0, 2, 1)
    assert record.headers[0] == ("ce_id", b"1")


def test_what_was_sent_again_counts_as_sent_again_after_the_restore() -> None:
    places = {SOURCE: Places([7]), LETTERS: Places([4, 6, 8])}
    record = restored(kept(marker(6, NOW), 8), LETTERS, places)
    mark = redriven_of((name, value) for name, value in record.headers if value is not None)
    assert mark is not None
    assert (record.offset, mark.offset) == (2, 1)


def test_headers_of_any_other_topic_are_nobodys_to_change() -> None:
    record = kept(letter(9), 3)
    assert restored(record, SOURCE, {SOURCE: Places([3])}).headers == record.headers


def test_a_record_of_nothing_gets_an_empty_key() -> None:
    nothing = Record(5, 0, None, None, ())
    assert restored(nothing, SOURCE, {SOURCE: Places([5])}).key == b""


def test_where_topics_end_is_taken_of_effects_before_their_causes() -> None:
    names = [topic.name for topic in effects_first(reversed(TOPICS))]
    causes = [DIRECTORY.name, RATING_SUBMISSIONS.name, RATING_OUTCOMES.name]
    assert names[-1:-5:-1] == [OFFICE_ACTIONS.name, *causes]
    assert {name + "-dlt" for name in causes} == set(names[:3])
