"""Documents that set figures side by side: with those before, and with those of siblings. No I/O."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from pydantic import BaseModel, Field

from services.aggregation.documents import (
    WITHOUT_UNDERSCORE,
    Figures,
    NamedScope,
    Period,
    Share,
    Summary,
    named,
    share,
    summary,
    without_days,
)
from services.aggregation.edition import Published, together
from services.aggregation.uncertainty import CONFIDENCE, Interval, Proportion, newcombe, ranks

ONE_DAY = timedelta(days=1)


class Span(Share):
    """Of all days from `from` to `to`, both inclusive: the sum of those that are published."""

    from_: date
    to: date

    model_config = WITHOUT_UNDERSCORE


class DifferenceInterval(BaseModel):
    """Newcombe's hybrid score interval of a difference of two shares."""

    low: float
    high: float
    confidence: float
    method: str


class Change(BaseModel):
    """A period and the one before it, as long. An officer's days are never shown, nor those of a unit of
    which one officer alone was rated: of theirs there is no change."""

    scope: NamedScope
    now: Span
    before: Span
    difference: float | None = Field(
        description="The rate now less the rate before; null where one of them is null."
    )
    interval: DifferenceInterval | None
    more_than_noise: bool | None = Field(description="Whether the interval leaves 0 out.")


class Rank(BaseModel):
    """The best and the worst place among the siblings `of` which figures are public, as far as intervals
    allow: better are surely only those whose whole interval lies above, worse those whose lies below."""

    best: int
    worst: int
    of: int


class Child(Summary):
    rank: Rank | None


class Children(BaseModel):
    scope: NamedScope
    children: list[Child]


def change(figures: Figures, days: Mapping[date, Published], first: date, last: date) -> Change:
    begin = first - (last - first) - ONE_DAY
    now, before = _span(figures, days, first, last), _span(figures, days, begin, first - ONE_DAY)
    found = newcombe(_proportion(now), _proportion(before))
    return Change(
        scope=named(figures),
        now=now,
        before=before,
        difference=None if found is None else found.value,
        interval=None
        if found is None
        else DifferenceInterval(
            low=found.interval.low, high=found.interval.high, confidence=CONFIDENCE, method="newcombe"
        ),
        more_than_noise=None if found is None else found.more_than_noise,
    )


def ranked(siblings: Sequence[Figures], period: Period) -> list[Child]:
    """The children of one place, each with its rank among them."""
    summaries = [summary(figures, period) for figures in siblings]
    places = ranks(
        [None if s.interval is None else Interval(s.interval.low, s.interval.high) for s in summaries]
    )
    return [
        Child(**dict(each), rank=None if place is None else Rank(**place._asdict()))
        for each, place in zip(summaries, places, strict=True)
    ]


def _span(figures: Figures, days: Mapping[date, Published], first: date, last: date) -> Span:
    parts = [published for day, published in days.items() if first <= day <= last]
    published = together(parts) if parts else without_days(figures)
    return Span(**dict(share(published)), from_=first, to=last)


def _proportion(span: Span) -> Proportion:
    return Proportion(span.satisfied or 0, span.total or 0)
