"""How often things happened lately: counts over a sliding window, in bounded memory.

The window is kept in slices. A slice is forgotten as a whole, once all of it is older than the window: so
something counts for the window's length at least, and for one slice longer at most.
"""

import math
from collections import Counter
from collections.abc import Hashable, Iterable

SLICES = 15
REMEMBERED = 1_000_000
"""Counts, of some 110 bytes each. With more than that, the oldest slice is forgotten early."""


class Tally:
    """Times are in seconds, on any clock; `now` never has to grow. Things may be counted in any order."""

    def __init__(self, window: float, *, remembered: int = REMEMBERED) -> None:
        self.window = window
        self._length = window / SLICES
        self._remembered = remembered
        self._slices: dict[int, Counter[int]] = {}

    def add(self, things: Iterable[Hashable], *, at: float, now: float) -> None:
        """Count each of `things` once, as of `at`: not later than now, whatever another clock says."""
        number = self._slice(min(at, now))
        if number < self._first(now):
            return
        counts = self._slices.setdefault(number, Counter())
        for thing in things:
            counts[hash(thing)] += 1
        self._forget(now)

    def count(self, thing: Hashable, *, now: float) -> int:
        key, first = hash(thing), self._first(now)
        found = 0
        for number, counts in self._slices.items():
            if key in counts and number >= first:
                found += counts[key]
        return found

    def below(self, most: int, thing: Hashable, *, now: float) -> float:
        """When the count will be below `most`, if nothing is added until then."""
        key, first = hash(thing), self._first(now)
        left = self.count(thing, now=now)
        for number in sorted(self._slices):
            if left < most:
                break
            if number >= first and (counted := self._slices[number].get(key, 0)):
                left -= counted
                now = (number + 1) * self._length + self.window
        return now

    def _slice(self, at: float) -> int:
        return math.floor(at / self._length)

    def _first(self, now: float) -> int:
        """The oldest slice that counts."""
        return self._slice(now) - SLICES

    def _forget(self, now: float) -> None:
        first = self._first(now)
        for number in [number for number in self._slices if number < first]:
            del self._slices[number]
        while len(self._slices) > 1 and sum(map(len, self._slices.values())) > self._remembered:
            del self._slices[min(self._slices)]
