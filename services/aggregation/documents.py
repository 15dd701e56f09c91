"""What the query API says: documents, and how they are made from counts. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from pydantic import BaseModel

from contracts.events import Text
from services.aggregation.domain import CONFIDENCE, Level, Measure, Scope, wilson

SATISFIED = "satisfied"
NOT_SATISFIED = "not_satisfied"

Counts = Mapping[tuple[Measure, str], int]


@dataclass(frozen=True, slots=True)
class Period:
    """What is asked for: an edition or all (None), days of city time or all (None), both inclusive."""

    edition: str | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """One scope as stored. `known`: whether the directory or any figure names it."""

    scope: Scope
    known: bool
    name: Text | None = None
    parent: Scope | None = None
    parent_name: Text | None = None
    revision: int = 0
    updated_at: datetime | None = None
    counts: Counts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Figures as of `revision`: all changes up to it are in them, and none after it."""

    revision: int
    figures: Sequence[Figures]


class ParentScope(BaseModel):
    level: Level
    id: str
    name: Text | None


class NamedScope(BaseModel):
    level: Level
    id: str
    name: Text | None
    parent: ParentScope | None


class ShareInterval(BaseModel):
    """The Wilson score interval of the satisfied share."""

    low: float
    high: float
    confidence: float
    method: str


class ItemCount(BaseModel):
    id: str
    count: int


class RejectionCount(BaseModel):
    reason: str
    count: int


class Share(BaseModel):
    """Accepted ratings; `rate` is satisfied / total, null without any."""

    total: int
    satisfied: int
    not_satisfied: int
    rate: float | None
    interval: ShareInterval | None


class Summary(Share):
    scope: NamedScope
    edition: str | None
    from_: date | None
    to: date | None
    updated_at: datetime | None
    revision: int

    model_config = {"alias_generator": lambda name: name.rstrip("_"), "populate_by_name": True}


class Satisfaction(Summary):
    """The figures of one scope. `revision` is the one that last changed them."""

    reasons: list[ItemCount]
    channels: list[ItemCount]
    rejected: list[RejectionCount]


class Day(Share):
    day: date


class History(BaseModel):
    scope: NamedScope
    days: list[Day]


class Children(BaseModel):
    scope: NamedScope
    children: list[Summary]


def named(figures: Figures) -> NamedScope:
    parent = figures.parent
    return NamedScope(
        level=figures.scope.level,
        id=figures.scope.id,
        name=figures.name,
        parent=None
        if parent is None
        else ParentScope(level=parent.level, id=parent.id, name=figures.parent_name),
    )


def share(counts: Counts) -> Share:
    satisfied = counts.get((Measure.ANSWER, SATISFIED), 0)
    total = sum(_items(counts, Measure.ANSWER).values())
    interval = wilson(satisfied, total)
    return Share(
        total=total,
        satisfied=satisfied,
        not_satisfied=counts.get((Measure.ANSWER, NOT_SATISFIED), 0),
        rate=satisfied / total if total else None,
        interval=None
        if interval is None
        else ShareInterval(low=interval.low, high=interval.high, confidence=CONFIDENCE, method="wilson"),
    )


def summary(figures: Figures, period: Period) -> Summary:
    return Summary(
        **dict(share(figures.counts)),
        scope=named(figures),
        edition=period.edition,
        from_=period.first,
        to=period.last,
        updated_at=figures.updated_at,
        revision=figures.revision,
    )


def satisfaction(figures: Figures, period: Period) -> Satisfaction:
    return Satisfaction(
        **dict(summary(figures, period)),
        reasons=_ranked(figures.counts, Measure.REASON),
        channels=_ranked(figures.counts, Measure.CHANNEL),
        rejected=[
            RejectionCount(reason=item.id, count=item.count)
            for item in _ranked(figures.counts, Measure.REJECTION)
        ],
    )


def history(figures: Figures, days: Mapping[date, Counts], first: date, last: date) -> History:
    """Every day from `first` to `last`, those without ratings too."""
    span = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return History(
        scope=named(figures), days=[Day(day=day, **dict(share(days.get(day, {})))) for day in span]
    )


def _items(counts: Counts, measure: Measure) -> dict[str, int]:
    return {item: count for (kind, item), count in counts.items() if kind == measure}


def _ranked(counts: Counts, measure: Measure) -> list[ItemCount]:
    """Most frequent first; ties by id, so that the same figures give the same document."""
    items = sorted(_items(counts, measure).items(), key=lambda item: (-item[1], item[0]))
    return [ItemCount(id=name, count=count) for name, count in items]
