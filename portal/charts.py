"""The geometry of the dashboards' pictures: pure functions from figures to coordinates.

Horizontal places are percentages of the plot's width, so that text keeps its size on every screen; vertical
ones are pixels from the top.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from portal.apis.aggregation import AnsweredQuestion, Count, Interval, Stretch

RATE_HEIGHT = 140
COUNT_HEIGHT = 110


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    value: float


@dataclass(frozen=True, slots=True)
class Column:
    """One day, week or month: its rate with interval in the upper plot, its counts stacked in the lower one.
    Of a `hidden` one there are too few to show."""

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
class HistoryChart:
    columns: list[Column]
    rate_ticks: list[Tick]
    count_ticks: list[Tick]
    time_ticks: list[Tick]
    stretches: Sequence[Stretch]

    @property
    def hides(self) -> bool:
        return any(column.hidden for column in self.columns)

    @property
    def rate_height(self) -> int:
        return RATE_HEIGHT

    @property
    def count_height(self) -> int:
        return COUNT_HEIGHT


def history(stretches: Sequence[Stretch]) -> HistoryChart:
    """The chart over consecutive stretches, oldest first. Of one that is suppressed nothing is drawn."""
    step = 100 / max(len(stretches), 1)
    most = nice_ceiling(max((s.total or 0 for s in stretches), default=0))
    columns = []
    for place, each in enumerate(stretches):
        good = COUNT_HEIGHT * (each.satisfied or 0) / most
        rest = COUNT_HEIGHT * (each.not_satisfied or 0) / most
        columns.append(
            Column(
                middle=round((place + 0.5) * step, 3),
                left=round((place + 0.14) * step, 3),
                width=round(step * 0.72, 3),
                point=None if each.rate is None else _down(each.rate),
                low=None if each.interval is None else _down(each.interval.low),
                high=None if each.interval is None else _down(each.interval.high),
                satisfied_top=round(COUNT_HEIGHT - good, 2),
                satisfied_height=round(good, 2),
                rest_top=round(COUNT_HEIGHT - good - rest, 2),
                rest_height=round(rest, 2),
                hidden=each.suppressed,
            )
        )
    return HistoryChart(
        columns=columns,
        rate_ticks=[Tick(_down(share), share) for share in (0.0, 0.5, 1.0)],
        count_ticks=[Tick(round(COUNT_HEIGHT * (1 - s), 2), most * s) for s in (0.0, 0.5, 1.0)],
        time_ticks=[Tick(columns[i].middle, i) for i in _labelled(len(columns))],
        stretches=stretches,
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
    """One line of a list of bars: `width` in percent of the longest, shares of all (0 to 1)."""

    id: str
    count: int
    width: float
    share: float
    cumulative: float


def pareto(counts: Sequence[Count]) -> list[Bar]:
    """Most frequent first, with the share of all mentions and the running total of shares."""
    return bars(sorted((c for c in counts if c.count > 0), key=lambda c: (-c.count, c.id)))


def bars(counts: Sequence[Count]) -> list[Bar]:
    """In the order given."""
    total = sum(c.count for c in counts)
    longest = max((c.count for c in counts), default=0)
    found, running = [], 0
    for entry in counts:
        running += entry.count
        found.append(
            Bar(
                id=entry.id,
                count=entry.count,
                width=round(100 * entry.count / max(longest, 1), 2),
                share=entry.count / max(total, 1),
                cumulative=running / max(total, 1),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Slot:
    """One of evenly spaced columns, in percent of the plot, `height` of the highest one."""

    left: float
    width: float
    height: float


def slots(bars: Sequence[Bar], ids: Sequence[str]) -> list[Slot]:
    """The columns of `bars` among places for all `ids`."""
    step, places = 100 / len(ids), {each: place for place, each in enumerate(ids)}
    return [
        Slot(round((places[bar.id] + 0.1) * step, 3), round(0.8 * step, 3), bar.width)
        for bar in bars
        if bar.id in places
    ]


@dataclass(frozen=True, slots=True)
class Whisker:
    """A rate with its interval, in percent of an axis."""

    low: float
    point: float
    high: float


@dataclass(frozen=True, slots=True)
class Axis:
    """Shares from `low` to `high`, shared by all that is compared."""

    low: float = 0.0
    high: float = 1.0

    @classmethod
    def around(cls, intervals: Sequence[Interval | None]) -> "Axis":
        """Whole tenths around all intervals, a fifth at least."""
        known = [i for i in intervals if i is not None]
        low = min((math.floor(10 * i.low) for i in known), default=0)
        high = max((math.ceil(10 * i.high) for i in known), default=10)
        low = max(min(low, high - 2), 0)
        return cls(low / 10, max(high, low + 2) / 10)

    def at(self, share: float) -> float:
        return round(100 * (share - self.low) / (self.high - self.low), 2)

    @property
    def ticks(self) -> list[Tick]:
        middle = (self.low + self.high) / 2
        return [Tick(self.at(share), share) for share in (self.low, middle, self.high)]

    def whisker(self, rate: float | None, interval: Interval | None) -> Whisker | None:
        if rate is None or interval is None:
            return None
        return Whisker(self.at(interval.low), self.at(rate), self.at(interval.high))


def sparkline(stretches: Sequence[Stretch], axis: Axis) -> str:
    """The path of the rates in a box of 100 by 100: lines where neighbours are known, dots where not."""
    step = 100 / max(len(stretches) - 1, 1)
    path, drawing = [], False
    for place, each in enumerate(stretches):
        if each.rate is None:
            drawing = False
            continue
        point = f"{place * step:.4g},{100 - axis.at(each.rate):.4g}"
        path.append(f"L{point}" if drawing else f"M{point}h0")
        drawing = True
    return "".join(path)


@dataclass(frozen=True, slots=True)
class Segment:
    """Of a bar, from left to right; the first is darkest."""

    left: float
    width: float
    opacity: float


def answered(question: AnsweredQuestion) -> list[Segment]:
    """How much of all points was given; or else the shares of all choices, in their order."""
    if question.mean is not None:
        return [Segment(0.0, round(100 * question.mean / question.most, 2) if question.most else 0.0, 1.0)]
    found, left = [], 0.0
    for place, choice in enumerate(question.choices):
        width = 100 * (choice.share or 0.0)
        opacity = 1 - 0.8 * place / max(1, len(question.choices) - 1)
        found.append(Segment(round(left, 2), round(width, 2), round(opacity, 2)))
        left += width
    return [each for each in found if each.width]
