"""Finding units and officers without diacritics, case or exact words: "so thong tin" finds the department."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from contracts.events import OfficerPublished, UnitPublished
from services.intake.domain.directory import Directory

_WORD = re.compile(r"[a-z0-9]+")


def fold(text: str) -> tuple[str, ...]:
    """The words of a text in plain Latin letters: "Đinh Thị" is ("dinh", "thi")."""
    plain = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return tuple(_WORD.findall("".join(c for c in plain if not unicodedata.combining(c))))


@dataclass(frozen=True, slots=True)
class _Entry:
    own: tuple[str, ...]
    around: tuple[str, ...]

    def matches(self, wanted: tuple[str, ...]) -> bool:
        """Every word begins one of the entry's, and at least one of those is its own."""
        begun = [any(word.startswith(part) for word in self.own) for part in wanted]
        return any(begun) and all(
            found or any(word.startswith(part) for word in self.around)
            for found, part in zip(begun, wanted, strict=True)
        )


@dataclass(frozen=True, slots=True)
class Found:
    units: list[UnitPublished]
    officers: list[OfficerPublished]


class Index:
    """What can be found on one day in one state of the directory."""

    def __init__(self, directory: Directory, day: date) -> None:
        self._units: list[tuple[_Entry, UnitPublished]] = []
        self._officers: list[tuple[_Entry, OfficerPublished]] = []
        for unit in directory.open_units(day):
            names = fold(unit.name.vi) + fold(unit.name.en)
            self._units.append((_Entry(names, ()), unit))
            for officer in directory.active_officers(unit.unit_id, day):
                self._officers.append((_Entry(fold(officer.name), names), officer))

    def find(self, query: str, limit: int) -> Found:
        """At most `limit` units and as many officers, in order. An empty one finds none."""
        wanted = fold(query)
        if not wanted:
            return Found([], [])
        return Found(
            [unit for entry, unit in self._units if entry.matches(wanted)][:limit],
            [officer for entry, officer in self._officers if entry.matches(wanted)][:limit],
        )
