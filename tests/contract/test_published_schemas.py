"""A published version never changes, and nothing breaks within a major version."""

import copy
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts import generate
from contracts.compatibility import incompatibilities
from contracts.events import EVENTS, Event
from deploy.local.layout import CHECKOUT

Schema = dict[str, Any]
OTHER_KEYWORDS = {
    **{"pattern": "^x$", "maxLength": 3, "minLength": 7, "format": "ipv4", "enum": ["x"], "const": "x"},
    **{"minimum": 5, "maximum": 6, "minItems": 3, "maxItems": 4},
}


def parts_of(schema: Schema) -> dict[str, Schema]:
    """The event's own schema, and those of what is inside it."""
    return {"$": schema, **schema.get("$defs", {})}


def broken(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Copies of a schema, each with one change that an old reader or old data would not survive."""
    for at, part in parts_of(schema).items():

        def copied(at: str = at) -> tuple[Schema, Schema]:
            whole = copy.deepcopy(schema)
            return whole, parts_of(whole)[at]

        if "enum" in part:
            for values in (part["enum"][1:], [*part["enum"], "another"]):
                whole, changed = copied()
                changed["enum"] = values
                yield f"{at} takes {values}", whole
            continue
        whole, changed = copied()
        changed["properties"]["added"] = {"type": "string"}
        changed["required"] = [*part.get("required", []), "added"]
        yield f"{at} has a new required field", whole
        for name, field in part["properties"].items():
            required = set(part.get("required", []))
            whole, changed = copied()
            del changed["properties"][name]
            changed["required"] = sorted(required - {name})
            yield f"{at}.{name} removed", whole
            whole, changed = copied()
            changed["required"] = sorted(required ^ {name})
            yield f"{at}.{name} {'not ' * (name in required)}required", whole
            whole, changed = copied()
            changed["properties"][name] = {"type": "null" if field.get("type") == "boolean" else "boolean"}
            yield f"{at}.{name} of another type", whole
            for keyword, value in OTHER_KEYWORDS.items() if "$ref" not in field else ():
                whole, changed = copied()
                changed["properties"][name][keyword] = value
                yield f"{at}.{name} with another {keyword}", whole
            if "items" in field:
                whole, changed = copied()
                changed["properties"][name]["items"] = {"type": "boolean"}
                yield f"{at}.{name} with other items", whole
                whole, changed = copied()
                del changed["properties"][name]["items"]
                yield f"{at}.{name} with any items", whole


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.NAME)
def test_every_breaking_change_is_named(event: type[Event]) -> None:
    schema = generate.schema(event)
    changes = dict(broken(schema))
    assert len(changes) > 20
    assert [what for what, changed in changes.items() if not incompatibilities(schema, changed)] == []


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.NAME)
def test_an_optional_field_may_be_added_anywhere(event: type[Event]) -> None:
    changed = copy.deepcopy(generate.schema(event))
    for part in parts_of(changed).values():
        if "properties" in part:
            part["properties"]["added"] = {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}
    changed["description"] = "Texts for people may change."
    assert incompatibilities(generate.schema(event), changed) == []


def test_an_old_field_may_not_take_null_from_one_day_to_the_next() -> None:
    old = {"properties": {"unit_id": {"type": "string"}}, "required": ["unit_id"]}
    new = {
        "properties": {"unit_id": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
        "required": ["unit_id"],
    }
    assert incompatibilities(old, new)
    assert incompatibilities(new, old)


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what is committed, in which tests may publish."""
    for folder in ("schemas", "examples"):
        shutil.copytree(generate.HERE / folder, tmp_path / "contracts" / folder)
    shutil.copy(generate.HERE / "asyncapi.json", tmp_path / "contracts")
    monkeypatch.setattr(generate, "HERE", tmp_path / "contracts")
    return tmp_path / "contracts"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["generate", *arguments])
    return generate.main()


def test_what_is_committed_is_what_the_models_give() -> None:
    command = [sys.executable, "-m", "contracts.generate", "--check"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "name", ["asyncapi.json", "schemas/unit-published.1.1.json", "examples/unit-published.1.1.json"]
)
def test_a_file_that_is_missing_is_stale_and_written_anew(
    published: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    text = (published / name).read_text()
    (published / name).unlink()
    assert run(monkeypatch, "--check") == 1
    assert not (published / name).exists(), "a check writes nothing"
    assert run(monkeypatch) == 0
    assert (published / name).read_text() == text
    assert run(monkeypatch, "--check") == 0


def test_a_published_schema_is_refused_a_change_that_is_harmless_too(
    published: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = published / "schemas" / "unit-published.1.1.json"
    schema = json.loads(path.read_text())
    schema["properties"]["was_there"] = {"type": "string"}
    path.write_text(json.dumps(schema))
    before = path.read_text()
    assert run(monkeypatch) == 1
    assert "raise UnitPublished.VERSION" in capsys.readouterr().err
    assert path.read_text() == before


def test_a_new_minor_version_may_not_break_one_published_before(
    published: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [unit_published] = [event for event in EVENTS if event.NAME == "unit-published"]
    monkeypatch.setattr(unit_published, "VERSION", (1, 2))
    assert run(monkeypatch) == 0, "the same fields under a new minor"
    assert (published / "schemas" / "unit-published.1.2.json").exists()
    old = published / "schemas" / "unit-published.1.1.json"
    schema = json.loads(old.read_text())
    schema["required"].append("position")
    old.write_text(json.dumps(schema))
    assert run(monkeypatch, "--check") == 1
    assert "unit-published.1.1.json: $.position: no longer required" in capsys.readouterr().err


def test_a_new_major_version_stands_beside_the_old_one(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [unit_published] = [event for event in EVENTS if event.NAME == "unit-published"]
    monkeypatch.setattr(unit_published, "VERSION", (2, 0))
    whole = generate.schema
    shrunk = {"type": "object", "properties": {}}
    monkeypatch.setattr(generate, "schema", lambda event: shrunk if event is unit_published else whole(event))
    assert run(monkeypatch) == 0
    assert {path.name for path in (published / "schemas").glob("unit-published.*")} == {
        "unit-published.1.0.json",
        "unit-published.1.1.json",
        "unit-published.2.0.json",
    }
