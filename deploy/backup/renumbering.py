"""Offsets after a restore: a partition is filled anew from 0, without the gaps that it had.

What aborted transactions, their ends and compaction leave out has no place in an empty partition. So a
record's new offset is its place in the file, and whatever is kept of an offset is put in the new numbers.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from contracts.dead_letters import PREFIX, letter_of, redriven_of
from contracts.topics import DLT_SUFFIX
from deploy.backup.records import Record

_ORIGIN, _REDRIVEN = f"{PREFIX}offset", f"{PREFIX}redriven_offset"


class At(NamedTuple):
    topic: str
    partition: int


class Places:
    """The offsets that a partition's records had."""

    def __init__(self, offsets: Iterable[int]) -> None:
        self._offsets = array("q", offsets)

    def __len__(self) -> int:
        return len(self._offsets)

    def next_offset(self, before: int) -> int:
        """Where who was to go on at `before` goes on: at the first record that it had not read."""
        return bisect_left(self._offsets, before)

    def of(self, offset: int) -> int:
        """Where the record is now. One that had gone gets a number below 0, which is nobody's."""
        place = bisect_left(self._offsets, offset)
        there = place < len(self._offsets) and self._offsets[place] == offset
        return place if there else -1 - offset


def restored(record: Record, at: At, places: Mapping[At, Places]) -> Record:
    """The record as it is written into the empty partition.

    Dead letters, and the marks of those sent again, name offsets. A record with neither key nor value gets an
    empty key, because not every client can write such a one.
    """
    key = b"" if record.key is None and record.value is None else record.key
    headers = record.headers
    if at.topic.endswith(DLT_SUFFIX):
        headers = _renumbered(headers, at, places)
    return record._replace(offset=places[at].of(record.offset), key=key, headers=headers)


def _renumbered(
    headers: tuple[tuple[str, bytes | None], ...], at: At, places: Mapping[At, Places]
) -> tuple[tuple[str, bytes | None], ...]:
    known = [(name, value) for name, value in headers if value is not None]
    letter, mark = letter_of(known), redriven_of(known)
    changed: dict[str, int] = {}
    if letter is not None:
        origin = At(letter.origin.topic, letter.origin.partition)
        changed[_ORIGIN] = places.get(origin, Places(())).of(letter.origin.offset)
    if mark is not None:
        changed[_REDRIVEN] = places[at].of(mark.offset)
    return tuple((name, str(changed[name]).encode() if name in changed else value) for name, value in headers)
