"""What an action of the office changes in the directory, and how it is told."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from contracts.events import DirectoryChange, Event, FieldChange, OfficerPublished
from contracts.topics import key_of
from services.intake.domain.directory import Directory

LONGEST = 500


class Kind(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    MOVED = "moved"
    CLOSED = "closed"
    REOPENED = "reopened"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Change:
    """One entry's next state, None where it goes, and its present one, None where it is new."""

    key: str
    kind: Kind
    after: Event | None
    before: Event | None = None

    @property
    def fields(self) -> tuple[FieldChange, ...]:
        return () if self.before is None else tuple(_differences(self.before, self.after))

    @property
    def told(self) -> DirectoryChange:
        return DirectoryChange(key=self.key, change=self.kind, fields=self.fields)


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why something cannot be done: `code` names a text, `field` a field or column, `row` a row of a file."""

    code: str
    field: str = ""
    row: int | None = None
    values: Mapping[str, str] = dataclasses.field(default_factory=dict)


class Impossible(Exception):
    """What was asked cannot be done, for these reasons."""

    def __init__(self, *flaws: Flaw) -> None:
        super().__init__(", ".join(flaw.code for flaw in flaws))
        self.flaws = flaws


def changed(before: Event | None, after: Event, kind: Kind = Kind.CHANGED) -> list[Change]:
    """Nothing, where nothing changes. `kind` is what a change of something present is called."""
    if before == after:
        return []
    return [Change(key_of(after), Kind.ADDED if before is None else kind, after, before)]


def with_changes(directory: Directory, changes: Iterable[Change]) -> Directory:
    return directory.with_({change.key: change.after for change in changes})


def _differences(before: Event, after: Event | None) -> Iterator[FieldChange]:
    old = dict(_flat(before.model_dump(mode="json")))
    new = {} if after is None else dict(_flat(after.model_dump(mode="json")))
    nameless = isinstance(before, OfficerPublished)
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name):
            # The trail is kept for ever; a person's name need not be.
            hidden = nameless and name == "name"
            yield (
                FieldChange(name=name)
                if hidden
                else FieldChange(name=name, before=old.get(name), after=new.get(name))
            )


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _flat(part, f"{path}.{name}" if path else name)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for number, part in enumerate(value, start=1):
            yield from _flat(part, f"{path}.{number}")
    elif value is not None:
        yield path, str(value)[:LONGEST]
