"""Directory and edition files (docs/directory-files.md), read into events."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.events import (
    EditionPublished,
    Event,
    Identifier,
    Instrument,
    OfficerPublished,
    Policy,
    SealingKey,
    Text,
    UnitPublished,
)
from contracts.topics import key_of


class FileInvalid(Exception):
    """A file cannot be published; the text says where and why, a line each."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Officer(_Strict):
    id: Identifier
    name: str
    title: Text | None = None
    sample: bool = False
    active_from: Any = None
    active_until: Any = None


class _Unit(_Strict):
    id: Identifier
    name: Text
    opened_on: Any = None
    closed_on: Any = None
    officers: list[_Officer] = []


class _Group(_Strict):
    id: Identifier
    name: Text
    units: list[_Unit]


class _Directory(_Strict):
    officer_title: Text
    groups: list[_Group]


class _Edition(_Strict):
    id: Identifier
    title: Text
    opens_on: Any
    closes_on: Any
    policy: Policy = Field(default_factory=Policy)
    instrument: Instrument


class _File(_Strict):
    directory: _Directory | None = None
    edition: _Edition | None = None


def read_events(path: Path, sealing_key: SealingKey | None) -> dict[str, Event]:
    """The events that a file stands for, by key. Raises FileInvalid."""
    try:
        file = _File.model_validate(yaml.safe_load(path.read_text()))
        events: list[Event] = []
        if file.directory is not None:
            events += _directory_events(file.directory)
        if file.edition is not None:
            events.append(_edition_event(path, file.edition, sealing_key))
    except ValidationError as error:
        lines = [f"{path}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise FileInvalid("\n".join(lines)) from error
    except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
        raise FileInvalid(f"{path}: {error}") from error
    by_key = {key_of(event): event for event in events}
    if len(by_key) != len(events):
        keys = [key_of(event) for event in events]
        raise FileInvalid(f"{path}: given twice: {', '.join(sorted({k for k in keys if keys.count(k) > 1}))}")
    return by_key


def _directory_events(directory: _Directory) -> list[Event]:
    events: list[Event] = []
    for group_position, group in enumerate(directory.groups):
        for position, unit in enumerate(group.units):
            events.append(
                UnitPublished(
                    unit_id=unit.id,
                    name=unit.name,
                    group_id=group.id,
                    group_name=group.name,
                    group_position=group_position,
                    position=position,
                    opened_on=unit.opened_on,
                    closed_on=unit.closed_on,
                )
            )
            events += [
                OfficerPublished(
                    officer_id=f"{unit.id}.{officer.id}",
                    unit_id=unit.id,
                    name=officer.name,
                    title=officer.title or directory.officer_title,
                    sample=officer.sample,
                    position=place,
                    active_from=officer.active_from,
                    active_until=officer.active_until,
                )
                for place, officer in enumerate(unit.officers)
            ]
    return events


def _edition_event(path: Path, edition: _Edition, sealing_key: SealingKey | None) -> EditionPublished:
    if sealing_key is None:
        raise FileInvalid(
            f"{path}: an edition needs --sealing-key, as printed by:"
            f" python -m services.verification keys create --edition {edition.id}"
        )
    if any(answer.asks_reasons for answer in edition.instrument.answers) and not edition.instrument.reasons:
        raise FileInvalid(
            f"{path}: edition.instrument.reasons: an answer asks for reasons, and there are none"
        )
    return EditionPublished(
        edition_id=edition.id,
        title=edition.title,
        opens_on=edition.opens_on,
        closes_on=edition.closes_on,
        policy=edition.policy,
        instrument=edition.instrument,
        sealing_key=sealing_key,
    )
