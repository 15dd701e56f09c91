"""Whether something grows: a robust slope, and the rule that judges it."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

Points = Sequence[tuple[float, float]]
"""(seconds, value)."""

MOST_POINTS = 250
"""Theil–Sen looks at every pair: of more points, every second, third … one is taken."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What growth is allowed: to count, it must pass a rate an hour, and over the time judged a size and a
    share of what there was.

    The rate finds what would matter over days. The others keep noise from being judged: in a short run, and
    where many parts add up to one number. `wanders`: pools move it up and down within bounds, so that in the
    end it must also be past all that was there in the first half.
    """

    unit: str
    per_hour: float
    at_least: float
    share: float
    wanders: bool = False


@dataclass(frozen=True, slots=True)
class Trend:
    """`slope` an hour; `growth` over the time judged; `first` and `last` are medians of its quarters; `early`
    is the most there was in the first half of the run, warm-up and all."""

    slope: float
    growth: float
    first: float
    last: float
    early: float

    def grows(self, limit: Limit) -> bool:
        size = max(limit.at_least, limit.share * self.first)
        new = self.last > self.early or not limit.wanders
        return self.slope > limit.per_hour and self.growth > size and new


def theil_sen(points: Points) -> float:
    """The median of the slopes of all pairs (Theil 1950, Sen 1968): up to 29% of outliers do not move it."""
    step = -(-len(points) // MOST_POINTS)
    taken = points[::step] if step > 1 else points
    slopes = [
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for place, later in enumerate(taken)
        for earlier in taken[:place]
        if later[0] > earlier[0]
    ]
    return median(slopes) if slopes else 0.0


def trend(points: Points, *, after: float) -> Trend:
    """Of the points later than `after` (seconds). Raises ValueError where there are fewer than 4."""
    judged = [point for point in points if point[0] >= after]
    if len(judged) < 4:
        raise ValueError(f"{len(judged)} samples are too few to judge")
    slope = theil_sen(judged)
    quarter = len(judged) // 4
    return Trend(
        slope=slope * 3600,
        growth=slope * (judged[-1][0] - judged[0][0]),
        first=median(value for _, value in judged[:quarter]),
        last=median(value for _, value in judged[-quarter:]),
        early=max(value for _, value in points[: len(points) // 2]),
    )
