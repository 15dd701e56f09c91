"""Rounds in turns, and what follows from them: medians, spreads, ratios. Pure.

Sides are measured in turns, so that what slows the machine for a while slows all alike; so a ratio is taken
within each round, and its spread is that of the rounds.
"""

from collections.abc import Sequence
from math import ceil
from statistics import median
from typing import NamedTuple, Self


class Spread(NamedTuple):
    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Raises ValueError for no values."""
        if not values:
            raise ValueError("no rounds")
        return cls(median(values), min(values), max(values))


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Round by round; rounds that one side lacks are left out."""
    return [ours_ / theirs_ for ours_, theirs_ in zip(ours, theirs, strict=False) if theirs_ > 0]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share is not above. Raises ValueError for no values."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def turns(sides: Sequence[str], number: int) -> list[str]:
    """The order of round `number`: every side begins a round as often as another."""
    first = number % len(sides)
    return [*sides[first:], *sides[:first]]
