"""Which letters are redriven, and what an operator sees of one."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

from chassis.dead_letters import showing
from chassis.dead_letters.commands import commands
from chassis.dead_letters.redriving import Wanted, select
from chassis.dead_letters.topic import Entry, Record, entries_of
from chassis.kafka import KafkaClient
from contracts.dead_letters import dead_letter, marker
from contracts.envelope import InvalidData, InvalidMessage, Message, UnknownType
from contracts.topics import RATING_OUTCOMES, RATING_SUBMISSIONS
from tests.support.dead_letters import command

AT = datetime(2017, 11, 23, 2, 15, tzinfo=UTC)
LATER = datetime(2017, 11, 24, 2, 15, tzinfo=UTC)
ESCAPE = "\x1b[31m"


def letter(
    offset: int,
    *,
    error: InvalidMessage | None = None,
    topic: str = RATING_SUBMISSIONS.name,
    value: bytes | None = b"v",
) -> Message:
    """That of the message at partition 3 and the offset."""
    return dead_letter(
        key=b"k",
        value=value,
        headers=(("ce_type", b"t.v1"),),
        topic=topic,
        partition=3,
        offset=offset,
        error=error or InvalidData("why"),
        at=AT,
    )


def entries(*messages: Message) -> list[Entry]:
    """Of a topic that holds these, from offset 0 on."""
    return entries_of(
        Record(offset, each.headers, len(each.value or b"")) for offset, each in enumerate(messages)
    )


def chosen(found: list[Entry], wanted: Wanted) -> list[int]:
    return [entry.offset for entry in select(found, wanted, RATING_SUBMISSIONS).chosen]


def left(found: list[Entry], wanted: Wanted) -> dict[int, str]:
    return {entry.offset: why for entry, why in select(found, wanted, RATING_SUBMISSIONS).left}


def test_a_letter_with_a_marker_was_redriven_and_a_marker_is_no_letter() -> None:
    found = entries(letter(7), letter(8), marker(0, LATER))
    assert [(entry.offset, entry.redriven_at) for entry in found] == [(0, LATER), (1, None)]


def test_of_two_letters_of_one_message_one_marker_speaks_for_both() -> None:
    found = entries(letter(7), letter(7), marker(1, LATER))
    assert [entry.redriven_at for entry in found] == [LATER, LATER]


def test_a_message_that_failed_again_is_another_letter() -> None:
    found = entries(letter(7), marker(0, LATER), letter(9))
    assert chosen(found, Wanted()) == [2]


def test_letters_are_chosen_by_offset_by_reason_or_all() -> None:
    found = entries(letter(1), letter(2, error=UnknownType("u")), letter(3))
    assert chosen(found, Wanted(offsets=(2, 0))) == [0, 2]
    assert chosen(found, Wanted(reason="unknown_type")) == [1]
    assert chosen(found, Wanted()) == [0, 1, 2]


def test_what_was_redriven_is_left_unless_someone_insists() -> None:
    found = entries(letter(1), letter(2), marker(0, LATER))
    assert chosen(found, Wanted()) == [1]
    assert "--again" in left(found, Wanted())[0]
    assert chosen(found, Wanted(again=True)) == [0, 1]


def test_of_two_letters_of_one_message_one_is_sent() -> None:
    found = entries(letter(1), letter(1))
    assert chosen(found, Wanted(again=True)) == [0]
    assert left(found, Wanted()) == {1: "is the same message as 0"}


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (letter(1, topic=RATING_OUTCOMES.name), "not of rating-submissions"),
        (letter(1, value=bytes(4 * 1024 * 1024)), "too large to keep"),
        (Message(b"k", b"v", ()), "no dead letter"),
    ],
    ids=["another topic's", "without its value", "no letter"],
)
def test_what_cannot_be_sent_as_it_was_is_left_with_the_reason(message: Message, why: str) -> None:
    found = entries(message)
    assert not chosen(found, Wanted(offsets=(0,), again=True))
    assert why in left(found, Wanted(offsets=(0,), again=True))[0]


def test_an_offset_without_a_letter_is_named() -> None:
    found = entries(letter(1), marker(0, LATER))
    assert select(found, Wanted(offsets=(1, 0, 9)), RATING_SUBMISSIONS).absent == [1, 9]


# --- what is shown --------------------------------------------------------------------------------------


def shown(value: bytes | None, *, most: int = 4096, key: bytes | None = b"k") -> str:
    written = letter(7, value=value)
    return showing.whole(SimpleNamespace(offset=5, key=key, value=value, headers=written.headers), most=most)


def test_json_is_shown_indented_with_its_letters() -> None:
    text = shown('{"name":"Hài lòng","n":1}'.encode())
    assert '  "name": "Hài lòng",\n  "n": 1' in text
    assert "invalid_data: why" in text
    assert "rating-submissions, partition 3, offset 7" in text


def test_other_bytes_are_shown_as_hexadecimal_and_text() -> None:
    assert "00000000  ff 00 47 6f 6f 64" in shown(b"\xff\x00Good")
    assert "..Good" in shown(b"\xff\x00Good")


@pytest.mark.parametrize("value", [b'"' + b"x" * 5000 + b'"', b"\xff" * 5000], ids=["JSON", "bytes"])
def test_no_more_is_shown_than_was_asked_for(value: bytes) -> None:
    text = shown(value, most=100)
    assert len(text) < 1500
    assert "more (--bytes)" in text


def test_null_is_told_from_nothing() -> None:
    assert "value (null)" in shown(None)
    assert "value (0 bytes)" in shown(b"")
    assert "key         null" in shown(b"v", key=None)


@given(st.binary(max_size=300))
def test_nothing_that_others_wrote_steers_the_terminal(value: bytes) -> None:
    text = shown(value, key=value)
    assert all(character == "\n" or character.isprintable() for character in text)


def test_no_reason_or_type_steers_the_terminal_from_the_table() -> None:
    headers = (*letter(1, error=InvalidData(ESCAPE)).headers[1:], ("ce_type", f"[red]{ESCAPE}".encode()))
    [entry] = entries(Message(b"k", b"v", headers))
    console = Console(width=200)
    with console.capture() as capture:
        console.print(showing.table([entry]))
    assert ESCAPE not in capture.get()
    assert "[red]" in capture.get()


def test_a_json_line_says_what_the_table_says() -> None:
    [entry] = entries(letter(7), marker(0, LATER))
    assert showing.document(entry) == {
        "dlt_offset": 0,
        "at": AT.isoformat(),
        "reason": "invalid_data",
        "detail": "why",
        "topic": "rating-submissions",
        "partition": 3,
        "offset": 7,
        "type": "t.v1",
        "size": 1,
        "left_out": "",
        "redriven_at": LATER.isoformat(),
    }


# --- what is typed --------------------------------------------------------------------------------------


def nobody_asks() -> KafkaClient:
    raise AssertionError("Kafka is not needed for this")


app = commands(RATING_SUBMISSIONS, program="python -m x", client=nobody_asks)


@pytest.mark.parametrize("arguments", [[], ["--all", "--reason", "r"], ["--offset", "1", "--all"]])
def test_redriving_needs_one_clear_choice(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, ["redrive", *arguments])
    assert result.exit_code == 2
    assert "--offset N" in result.output


@pytest.mark.parametrize("name", ["list", "show", "redrive"])
def test_each_command_explains_itself_with_an_example(name: str) -> None:
    said = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"}).output
    assert f"Example: python -m x dead-letters {name}" in " ".join(said.split())


async def test_a_broker_that_is_not_there_is_one_line_and_exit_code_1() -> None:
    code, out, err = await command(
        "services.verification", "list", environment={"VERIFICATION_KAFKA_BOOTSTRAP": "127.0.0.1:1"}
    )
    assert (code, out) == (1, "")
    [line] = err.splitlines()
    assert line.startswith("Kafka at 127.0.0.1:1 does not answer")
