"""The geometry of the dashboards' pictures: pure functions from figures to coordinates.

Horizontal places are percentages of the plot's width, so that text keeps its size on every screen; vertical
ones are pixels from the top.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from portal.apis.aggregation import Count, Day, Interval

RATE_HEIGHT = 140
COUNT_HEIGHT = 110


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    value: float


@dataclass(frozen=True, slots=True)
class Column:
    """One day: its rate with interval in the upper plot, its counts stacked in the lower one. Of a `hidden`
    one there are too few to show."""

    day: date
    middle: float
    left: float
    width: float
    point: float | None
    low: float | None
    high: float | None
    satisfied_top: float
    satisfied_height: float
    rest_top: float
    rest_height: float
    hidden: bool


@dataclass(frozen=True, slots=True)
class DailyChart:
    columns: list[Column]
    rate_ticks: list[Tick]
    count_ticks: list[Tick]
    day_ticks: list[Tick]
    days: list[date]

    @property
    def hides(self) -> bool:
        return any(column.hidden for column in self.columns)

    @property
    def rate_height(self) -> int:
        return RATE_HEIGHT

    @property
    def count_height(self) -> int:
        return COUNT_HEIGHT


def daily(days: Sequence[Day]) -> DailyChart:
    """The daily chart over consecutive days, oldest first. Of a day that is suppressed nothing is drawn."""
    step = 100 / max(len(days), 1)
    most = nice_ceiling(max((d.total or 0 for d in days), default=0))
    columns = []
    for place, day in enumerate(days):
        good = COUNT_HEIGHT * (day.satisfied or 0) / most
        rest = COUNT_HEIGHT * (day.not_satisfied or 0) / most
        columns.append(
            Column(
                day=day.day,
                middle=round((place + 0.5) * step, 3),
                left=round((place + 0.14) * step, 3),
                width=round(step * 0.72, 3),
                point=None if day.rate is None else _down(day.rate),
                low=None if day.interval is None else _down(day.interval.low),
                high=None if day.interval is None else _down(day.interval.high),
                satisfied_top=round(COUNT_HEIGHT - good, 2),
                satisfied_height=round(good, 2),
                rest_top=round(COUNT_HEIGHT - good - rest, 2),
                rest_height=round(rest, 2),
                hidden=day.suppressed,
            )
        )
    return DailyChart(
        columns=columns,
        rate_ticks=[Tick(_down(share), share) for share in (0.0, 0.5, 1.0)],
        count_ticks=[Tick(round(COUNT_HEIGHT * (1 - s), 2), most * s) for s in (0.0, 0.5, 1.0)],
        day_ticks=[Tick(columns[i].middle, i) for i in _labelled(len(columns))],
        days=[day.day for day in days],
    )


def nice_ceiling(value: int) -> int:
    """The smallest even 1, 2 or 5 times a power of ten that is not below `value` (2 at least)."""
    if value <= 2:
        return 2
    power: int = 10 ** math.floor(math.log10(value))
    return next(m * power for m in (1, 2, 4, 6, 8, 10) if m * power >= value and m * power % 2 == 0)


def _labelled(count: int) -> list[int]:
    """Up to five places, evenly spread."""
    if count <= 5:
        return list(range(count))
    return sorted({round(i * (count - 1) / 4) for i in range(5)})


def _down(share: float) -> float:
    return round(RATE_HEIGHT * (1 - share), 2)


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a Pareto list: `width` in percent of the longest, shares of all mentions (0 to 1)."""

    id: str
    count: int
    width: float
    share: float
    cumulative: float


def pareto(counts: Sequence[Count]) -> list[Bar]:
    """Most frequent first, with the share of all mentions and the running total of shares."""
    ordered = sorted((c for c in counts if c.count > 0), key=lambda c: (-c.count, c.id))
    total = sum(c.count for c in ordered)
    bars, running = [], 0
    for entry in ordered:
        running += entry.count
        bars.append(
            Bar(
                id=entry.id,
                count=entry.count,
                width=round(100 * entry.count / ordered[0].count, 2),
                share=entry.count / total,
                cumulative=running / total,
            )
        )
    return bars


@dataclass(frozen=True, slots=True)
class Whisker:
    """A rate with its interval on a line from 0 to 100 percent."""

    low: float
    point: float
    high: float


def whisker(rate: float | None, interval: Interval | None) -> Whisker | None:
    if rate is None or interval is None:
        return None
    return Whisker(round(100 * interval.low, 2), round(100 * rate, 2), round(100 * interval.high, 2))
