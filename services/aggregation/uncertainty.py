"""What shares say beyond chance, at 95 % confidence. Pure."""

import math
from collections.abc import Sequence
from typing import NamedTuple

CONFIDENCE = 0.95
_Z = 1.959963984540054  # the normal quantile of (1 + CONFIDENCE) / 2


class Interval(NamedTuple):
    low: float
    high: float


class Proportion(NamedTuple):
    """So many satisfied of so many."""

    satisfied: int
    total: int


class Difference(NamedTuple):
    """By how much a share is higher than another, and where the true difference may lie."""

    value: float
    interval: Interval

    @property
    def more_than_noise(self) -> bool:
        return self.interval.low > 0 or self.interval.high < 0


class Rank(NamedTuple):
    """The best and the worst place that a share may have `of` so many."""

    best: int
    worst: int
    of: int


def wilson(satisfied: int, total: int) -> Interval | None:
    """The score interval of a share; None without ratings.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22 (1927), 209–212.
    """
    if total == 0:
        return None
    share, z2 = satisfied / total, _Z * _Z
    middle = share + z2 / (2 * total)
    half = _Z * math.sqrt(share * (1 - share) / total + z2 / (4 * total * total))
    scale = 1 + z2 / total
    low = 0.0 if satisfied == 0 else (middle - half) / scale
    high = 1.0 if satisfied == total else (middle + half) / scale
    return Interval(low, high)


def newcombe(now: Proportion, before: Proportion) -> Difference | None:
    """How much higher `now` is, with the hybrid score interval; None where either has no ratings.

    Source: R. G. Newcombe, "Interval estimation for the difference between independent proportions:
    comparison of eleven methods", Statistics in Medicine 17 (1998), 873–890, method 10.
    """
    one, other = wilson(*now), wilson(*before)
    if one is None or other is None:
        return None
    p, q = now.satisfied / now.total, before.satisfied / before.total
    below, above = math.hypot(p - one.low, other.high - q), math.hypot(one.high - p, q - other.low)
    return Difference(p - q, Interval(p - q - below, p - q + above))


def ranks(intervals: Sequence[Interval | None]) -> list[Rank | None]:
    """The place of each among all, as far as intervals allow: whoever's lies wholly above may only be better,
    and whoever's wholly below only worse. None has none."""
    known = [interval for interval in intervals if interval is not None]
    return [
        None
        if mine is None
        else Rank(
            best=1 + sum(other.low > mine.high for other in known),
            worst=len(known) - sum(other.high < mine.low for other in known),
            of=len(known),
        )
        for mine in intervals
    ]
