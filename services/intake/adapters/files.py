"""Directory and edition files (docs/directory-files.md), read into events."""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from contracts.events import (
    AnswerChoice,
    EditionPublished,
    Event,
    Instrument,
    OfficerPublished,
    Policy,
    Publication,
    Reason,
    Scale,
    ScaleChoice,
    ScaleQuestion,
    SealingKey,
    Text,
    UnitPublished,
)
from contracts.topics import key_of
from contracts.values import Day, Identifier, Short
from services.intake import office_faults
from services.intake.adapters.strict_yaml import Loader
from services.intake.domain import instruments
from services.intake.domain.merging import flaws


class FileInvalid(Exception):
    """Files cannot be published; the text says where and why, a line each."""


class _Strict(BaseModel):
    """Files are written by hand: a field that nobody knows is a slip of the pen."""

    model_config = ConfigDict(extra="forbid")


class _Text(Text, _Strict):
    pass


class _Publication(Publication, _Strict):
    pass


class _Policy(Policy, _Strict):
    publication: _Publication = Field(default_factory=_Publication)


class _Answer(AnswerChoice, _Strict):
    text: _Text


class _Reason(Reason, _Strict):
    text: _Text


class _ScaleChoice(ScaleChoice, _Strict):
    text: _Text


class _ScaleQuestion(ScaleQuestion, _Strict):
    text: _Text
    choices: tuple[_ScaleChoice, ...] = Field(min_length=2)


class _Scale(Scale, _Strict):
    title: _Text
    questions: tuple[_ScaleQuestion, ...] = Field(min_length=1)


class _Instrument(Instrument, _Strict):
    question: _Text
    answers: tuple[_Answer, ...] = Field(min_length=2)
    reasons: tuple[_Reason, ...] = ()
    scales: tuple[_Scale, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "_Instrument":
        found = [office_faults.say(flaw, "en") for flaw in instruments.flaws(self)]
        if found:
            raise ValueError(" ".join(found))
        return self


class _Officer(_Strict):
    id: Identifier
    name: Short
    title: _Text | None = None
    sample: bool = False
    active_from: Day | None = None
    active_until: Day | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "_Officer":
        _in_order(active_from=self.active_from, active_until=self.active_until)
        return self


class _Unit(_Strict):
    id: Identifier
    name: _Text
    opened_on: Day | None = None
    closed_on: Day | None = None
    merged_into: Identifier | None = None
    officers: list[_Officer] = []

    @model_validator(mode="after")
    def _consistent(self) -> "_Unit":
        _in_order(opened_on=self.opened_on, closed_on=self.closed_on)
        _once(officer.id for officer in self.officers)
        return self


class _Group(_Strict):
    id: Identifier
    name: _Text
    units: list[_Unit]


class _Directory(_Strict):
    officer_title: _Text
    groups: list[_Group]

    @model_validator(mode="after")
    def _consistent(self) -> "_Directory":
        _once(group.id for group in self.groups)
        _once(unit.id for group in self.groups for unit in group.units)
        return self


class _Edition(_Strict):
    id: Identifier
    title: _Text
    opens_on: Day
    closes_on: Day
    policy: _Policy = Field(default_factory=_Policy)
    instrument: _Instrument

    @model_validator(mode="after")
    def _consistent(self) -> "_Edition":
        if self.closes_on < self.opens_on:
            raise ValueError("closes_on is before opens_on")
        return self


class _File(_Strict):
    directory: _Directory | None = None
    edition: _Edition | None = None

    @model_validator(mode="after")
    def _holds_something(self) -> "_File":
        if self.directory is None and self.edition is None:
            raise ValueError("neither a directory nor an edition")
        return self


def read_files(paths: Sequence[Path], sealing_key: SealingKey | None) -> dict[str, Event]:
    """The events that the files stand for, by key. Raises FileInvalid with all that is wrong."""
    events: dict[str, Event] = {}
    wrong: list[str] = []
    for path in paths:
        try:
            file = _File.model_validate(yaml.load(path.read_text(encoding="utf-8"), Loader))  # noqa: S506
            for event in _events_of(file, sealing_key):
                key = key_of(event)
                if key in events:
                    wrong.append(f"{path}: {key} is in another file too")
                events[key] = event
        except ValidationError as error:
            wrong += [f"{path}: {_place(e['loc'])}{e['msg']}" for e in error.errors()]
        except (yaml.YAMLError, OSError, ValueError) as error:
            wrong.append(f"{path}: {error}")
    wrong += [f"{key_of(unit)}: merged_into: {flaw}" for unit, flaw in flaws(_units(events))]
    if wrong:
        raise FileInvalid("\n".join(wrong))
    return events


def _units(events: Mapping[str, Event]) -> dict[str, UnitPublished]:
    return {event.unit_id: event for event in events.values() if isinstance(event, UnitPublished)}


def _events_of(file: _File, sealing_key: SealingKey | None) -> Iterator[Event]:
    if file.directory is not None:
        for group_position, group in enumerate(file.directory.groups):
            for position, unit in enumerate(group.units):
                yield UnitPublished(
                    unit_id=unit.id,
                    name=_plain(unit.name),
                    group_id=group.id,
                    group_name=_plain(group.name),
                    group_position=group_position,
                    position=position,
                    opened_on=unit.opened_on,
                    closed_on=unit.closed_on,
                    merged_into=unit.merged_into,
                )
                yield from _officers_of(unit, file.directory.officer_title)
    if file.edition is not None:
        yield _edition_event(file.edition, sealing_key)


def _officers_of(unit: _Unit, title: _Text) -> Iterator[Event]:
    for position, officer in enumerate(unit.officers):
        yield OfficerPublished(
            officer_id=f"{unit.id}.{officer.id}",
            unit_id=unit.id,
            name=officer.name,
            title=_plain(officer.title or title),
            sample=officer.sample,
            position=position,
            active_from=officer.active_from,
            active_until=officer.active_until,
        )


def _edition_event(edition: _Edition, key: SealingKey | None) -> EditionPublished:
    """Raises ValueError where the key is missing or cannot be the edition's."""
    how = f"python -m services.verification keys create --edition {edition.id}"
    if key is None:
        raise ValueError(f"edition: needs --sealing-key, as printed by: {how}")
    if not key.key_id.startswith(f"{edition.id}-"):
        raise ValueError(
            f"edition: --sealing-key is {key.key_id}, another edition's; print its own with: {how}"
        )
    try:
        public_key = base64.b64decode(key.public_key, validate=True)
    except binascii.Error as error:
        raise ValueError("edition: --sealing-key holds no base64") from error
    if len(public_key) != 32:
        raise ValueError("edition: --sealing-key does not hold 32 bytes")
    # By way of plain data: events are equal only to events of their own classes.
    content = edition.model_dump(exclude={"id"})
    return EditionPublished.model_validate({"edition_id": edition.id, **content, "sealing_key": key})


def _plain(text: Text) -> Text:
    return Text(vi=text.vi, en=text.en)


def _once(ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for each in ids:
        if each in seen:
            raise ValueError(f"{each} is there twice")
        seen.add(each)


def _in_order(**days: date | None) -> None:
    (first_name, first), (last_name, last) = days.items()
    if first is not None and last is not None and last <= first:
        raise ValueError(f"{last_name} is not after {first_name}")


def _place(path: Sequence[int | str]) -> str:
    """`directory.groups[0].name: ` for the path of pydantic."""
    parts = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return f"{parts.removeprefix('.')}: " if parts else ""
