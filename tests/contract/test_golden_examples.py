"""What is committed as an example of each event is what we write, and what we can read."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from contracts import generate, golden
from contracts.envelope import Envelope, decode, decode_data, encode
from contracts.events import EVENTS, Event, OfficerPublished
from contracts.topics import TOPICS, key_of

EXAMPLES = sorted((generate.HERE / "examples").glob("*.json"))
CURRENT = {generate.name_of(event) for event in EVENTS}


def committed(path: Path) -> dict[str, Any]:
    example: dict[str, Any] = json.loads(path.read_text())
    return example


def read(example: dict[str, Any]) -> Envelope[Event]:
    headers = [(name, text.encode()) for name, text in example["headers"].items()]
    return decode(json.dumps(example["value"]).encode(), headers)


def named(value: object) -> str:
    return value.NAME if isinstance(value, Event) else getattr(value, "stem", str(value))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.NAME)
def test_every_event_has_a_golden_example_of_its_current_version(event: type[Event]) -> None:
    assert generate.HERE / "examples" / f"{generate.name_of(event)}.json" in EXAMPLES


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.NAME)
def test_every_event_travels_on_one_topic(event: type[Event]) -> None:
    assert len([topic for topic in TOPICS if event in topic.events]) == 1


@pytest.mark.parametrize("path", EXAMPLES, ids=named)
def test_every_committed_example_can_be_read(path: Path) -> None:
    example = committed(path)
    envelope = read(example)
    assert str(envelope.id) == example["headers"]["ce_id"]
    assert key_of(envelope.data) == example["key"]
    headers = [(name, text.encode()) for name, text in example["headers"].items()]
    assert decode_data(json.dumps(example["value"]).encode(), headers) == envelope.data


@pytest.mark.parametrize("event", golden.EVENTS, ids=named)
def test_what_is_written_is_what_is_committed_byte_for_byte(event: Event) -> None:
    example = committed(generate.HERE / "examples" / f"{generate.name_of(type(event))}.json")
    message = encode(golden.envelope(event), key=key_of(event))
    assert message.key == example["key"].encode()
    assert {name: value.decode() for name, value in message.headers} == example["headers"]
    compact = json.dumps(example["value"], ensure_ascii=False, separators=(",", ":"))
    assert message.value == compact.encode()


@pytest.mark.parametrize("event", golden.EVENTS, ids=named)
def test_what_is_written_reads_back_the_same(event: Event) -> None:
    envelope = golden.envelope(event)
    message = encode(envelope, key=key_of(event))
    assert decode(message.value, message.headers) == envelope
    assert encode(decode(message.value, message.headers), key=key_of(event)) == message


@pytest.mark.parametrize("path", [path for path in EXAMPLES if path.stem in CURRENT], ids=named)
def test_every_example_satisfies_the_schema_it_names(path: Path) -> None:
    example = committed(path)
    schema = json.loads((generate.HERE / "schemas" / path.name).read_text())
    assert schema["$id"] == example["headers"]["ce_dataschema"]
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(example["value"])


@pytest.mark.parametrize("path", [path for path in EXAMPLES if path.stem in CURRENT], ids=named)
def test_an_extra_field_of_a_newer_minor_version_is_ignored(path: Path) -> None:
    example = committed(path)
    wanted = read(example)
    example["value"]["added_in_a_later_minor"] = {"anything": [1, None]}
    example["headers"]["ce_dataschema"] += "9"
    example["headers"]["ce_traceparent"] = "an extension this reader has never heard of"
    assert read(example) == wanted


def test_an_officer_of_version_1_reads_as_todays_model() -> None:
    old = committed(generate.HERE / "examples" / "officer-published.1.0.json")
    assert old["headers"]["ce_type"].endswith(".v1")
    officer = read(old).data
    assert isinstance(officer, OfficerPublished)
    assert officer.title.vi == officer.title.en == old["value"]["title"]
    assert officer.active_until is not None, "who was not active then takes no ratings now"
    old["value"]["active"] = True
    assert read(old).data == officer.model_copy(update={"active_until": None})
