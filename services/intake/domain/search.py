"""Finding units and officers without diacritics, case or exact words: "so thong tin" finds the department."""

import re
import unicodedata
from bisect import bisect_left
from dataclasses import dataclass

from contracts.events import OfficerPublished, UnitPublished
from services.intake.domain.directory import Roster
from services.intake.domain.merging import merged

_WORD = re.compile(r"[a-z0-9]+")
_AFTER_ALL = "\x7f"  # sorts after every letter that a folded word has


def fold(text: str) -> tuple[str, ...]:
    """The words of a text in plain Latin letters: "Đinh Thị" is ("dinh", "thi")."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("đ", "d"))
    return tuple(_WORD.findall("".join(c for c in plain if not unicodedata.combining(c))))


@dataclass(frozen=True, slots=True)
class Found:
    units: list[UnitPublished]
    officers: list[OfficerPublished]


class Index:
    """What can be found on one day in one state of the directory: its words, sorted, and where they are."""

    def __init__(self, roster: Roster) -> None:
        self._entries: list[UnitPublished | OfficerPublished] = []
        own: list[tuple[str, int]] = []
        around: list[tuple[str, int]] = []
        predecessors = merged(roster.directory.units, roster.day)
        for unit in roster.units:
            names = tuple(
                word
                for each in (unit, *predecessors.get(unit.unit_id, ()))
                for word in fold(each.name.vi) + fold(each.name.en)
            )
            own += [(word, len(self._entries)) for word in names]
            self._entries.append(unit)
            for officer in roster.officers_of(unit.unit_id):
                own += [(word, len(self._entries)) for word in fold(officer.name)]
                around += [(word, len(self._entries)) for word in names]
                self._entries.append(officer)
        self._own, self._around = sorted(own), sorted(around)

    def find(self, query: str, limit: int) -> Found:
        """At most `limit` units and as many officers, in the directory's order. An empty query finds none.

        Every word must begin a word of the entry; the names of what merged into a unit count as its own, its
        own as its officers', but one word at least must begin an officer's name.
        """
        wanted = set(fold(query))
        own = [_begun(self._own, word) for word in wanted]
        if not own:
            return Found([], [])
        begun = [found | _begun(self._around, word) for found, word in zip(own, wanted, strict=True)]
        named: set[int] = set().union(*own)
        matching = sorted(named.intersection(*begun))
        found = [self._entries[number] for number in matching]
        return Found(
            [entry for entry in found if isinstance(entry, UnitPublished)][:limit],
            [entry for entry in found if isinstance(entry, OfficerPublished)][:limit],
        )


def _begun(words: list[tuple[str, int]], beginning: str) -> set[int]:
    """The entries that have a word with this beginning."""
    first = bisect_left(words, (beginning, -1))
    return {number for _, number in words[first : bisect_left(words, (beginning + _AFTER_ALL, -1))]}
