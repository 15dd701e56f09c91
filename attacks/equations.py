"""What sums of unknown answers tell of single ones. Pure."""

from collections.abc import Collection, Iterator
from fractions import Fraction

Row = dict[int, Fraction]
VALUE = -1
"""Stands in a row for its sum; unknowns are numbered from 0."""


class Equations:
    """Sums of unknowns that are each 0 or 1, kept as a reduced row echelon form."""

    def __init__(self) -> None:
        self._rows: dict[int, Row] = {}  # by pivot, which stands in no other row
        self._seen: set[frozenset[int]] = set()

    def add(self, members: Collection[int], value: int) -> None:
        """So many of the members are 1."""
        key = frozenset(members)
        if key not in self._seen:
            self._seen.add(key)
            self._reduce({**dict.fromkeys(key, Fraction(1)), VALUE: Fraction(value)})

    def solved(self) -> dict[int, int]:
        """The unknowns that adding and subtracting sums leads to."""
        return {pivot: int(row.get(VALUE, 0)) for pivot, row in self._rows.items() if len(_unknown(row)) == 1}

    def forced(self) -> dict[int, int]:
        """These, and the unknowns of sums that are as small or as large as can be, with all that follows."""
        found = self.solved()
        rows = list(self._rows.values())
        while more := {unknown: value for row in rows for unknown, value in _without_choice(row, found)}:
            found |= more
        return found

    def _reduce(self, row: Row) -> None:
        for pivot in [unknown for unknown in row if unknown in self._rows]:
            _subtract(row, self._rows[pivot], row[pivot])
        if not (left := _unknown(row)):
            return
        pivot = left[0]
        first = row[pivot]
        for unknown in row:
            row[unknown] /= first
        for other in self._rows.values():
            if pivot in other:
                _subtract(other, row, other[pivot])
        self._rows[pivot] = row


def _unknown(row: Row) -> list[int]:
    return [unknown for unknown in row if unknown != VALUE]


def _subtract(row: Row, other: Row, times: Fraction) -> None:
    for unknown, factor in other.items():
        row[unknown] = row.get(unknown, Fraction(0)) - times * factor
        if not row[unknown] and unknown != VALUE:
            del row[unknown]


def _without_choice(row: Row, known: dict[int, int]) -> Iterator[tuple[int, int]]:
    """The unknowns of a row of which only one combination gives its sum."""
    left = {unknown: row[unknown] for unknown in _unknown(row) if unknown not in known}
    value = row[VALUE] - sum(row[unknown] * known[unknown] for unknown in _unknown(row) if unknown in known)
    most = sum(factor for factor in left.values() if factor > 0)
    least = sum(factor for factor in left.values() if factor < 0)
    if value in (most, least):
        for unknown, factor in left.items():
            yield unknown, int((factor > 0) == (value == most))
