"""What the query API says: documents, and how they are made from counts. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field

from contracts.events import Text
from services.aggregation.domain import Level, Measure, Scope
from services.aggregation.edition import NO_DAYS, NOTHING, Published
from services.aggregation.files_handled import Response
from services.aggregation.stored import NEVER, Counts, Mark, items, total
from services.aggregation.uncertainty import CONFIDENCE, wilson

SATISFIED = "satisfied"
NOT_SATISFIED = "not_satisfied"
WITHOUT_UNDERSCORE = ConfigDict(alias_generator=lambda name: name.rstrip("_"), populate_by_name=True)


@dataclass(frozen=True, slots=True)
class Period:
    """What is asked for: an edition or all (None), days of city time or all (None), both inclusive; of units
    with what merged into them or without; as all stands now (None) or stood at the end of a day."""

    edition: str | None = None
    first: date | None = None
    last: date | None = None
    predecessors: bool = False
    as_of: date | None = None


class NamedUnit(BaseModel):
    id: str
    name: Text | None


@dataclass(frozen=True, slots=True)
class Merger:
    """What became of a unit, and what it grew from."""

    closed_on: date | None = None
    merged_into: NamedUnit | None = None
    predecessors: Sequence[NamedUnit] = ()


@dataclass(frozen=True)
class Figures:
    """What is public of one scope. `known`: whether the directory or any figure names it; `decided`: the
    newest revision of all that decides what it shows; `morning`: whether it may show more than revisions
    say; `full`: nothing is left out."""

    scope: Scope
    known: bool
    name: Text | None = None
    parent: Scope | None = None
    parent_name: Text | None = None
    mark: Mark = NEVER
    decided: int = 0
    morning: bool = False
    published: Published = NOTHING
    merger: Merger = Merger()
    full: bool = False

    def shows_the_same(self, other: "Figures | None") -> bool:
        """Whether the documents made of both say the same."""
        return other is not None and (self._said == other._said or self.text == other.text)

    @property
    def _said(self) -> tuple[object, ...]:
        """All that the document is made of."""
        return self.published, self.mark, self.name, self.parent, self.parent_name, self.merger, self.full

    @cached_property
    def text(self) -> str:
        """The document of all days, in JSON, as all who watch the scope get it: without `response`."""
        return satisfaction(self, Period()).model_dump_json(by_alias=True, exclude={"response"})


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
    closed_on: date | None = Field(None, description="First day on which the unit takes no ratings.")
    merged_into: NamedUnit | None = Field(
        None, description="The unit that took over on that day, once it has come."
    )
    predecessors: list[NamedUnit] = Field(
        [], description="All units that have merged into this one; `?with=predecessors` adds their figures."
    )


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


class Funnel(BaseModel):
    """Of the ratings that were sent and decided, how many count, as far as is public. Not `complete`: more
    were rejected for reasons of too few; null: nothing of it is public."""

    decided: int | None
    accepted: int | None
    rejected: int | None
    complete: bool


class Share(BaseModel):
    """Accepted ratings that are published; `rate` is satisfied / total, null without any."""

    suppressed: bool = Field(
        description="There are ratings, but too few to show, or showing them would give away what is too few"
        " elsewhere. All figures are null then."
    )
    partial: bool = Field(
        description="Ratings are left out, of an edition or a unit's day that has too few by itself."
    )
    total: int | None
    satisfied: int | None
    not_satisfied: int | None
    rate: float | None
    interval: ShareInterval | None


class Summary(Share):
    scope: NamedScope
    edition: str | None
    from_: date | None
    to: date | None
    as_of: date | None = Field(
        None,
        description="Of what was accepted by the end of this day; of a unit in which few were accepted since,"
        " or late, by that of an earlier one (`partial`).",
    )
    updated_at: datetime | None
    revision: int

    model_config = WITHOUT_UNDERSCORE


class Satisfaction(Summary):
    """The figures of one scope. `revision` is the one that last changed them. An officer's move in batches,
    as the edition's policy says; those of a unit of which one officer alone was rated follow them."""

    reasons: list[ItemCount]
    channels: list[ItemCount]
    hours: list[ItemCount] = Field(description="By hour of submission, city time: 00 to 23, in clock order.")
    weekdays: list[ItemCount] = Field(description="By day of submission, city time: 1 (Monday) to 7.")
    assurances: list[ItemCount] = Field(
        description="By what stood behind the rating: captcha, a phone code and so on."
    )
    rejected: list[RejectionCount]
    funnel: Funnel
    response: Response | None = Field(
        description="For the calendar year in which the period ends (this year without one), in all editions;"
        " null where the office did not say how many files it handled. Not in the live stream."
    )
    left_out: list[Measure] = Field(
        description="Lists of which items of too few are left out. Of days, no items are shown."
    )


class Day(Share):
    day: date


class History(BaseModel):
    """Groups and the city show what their units show by day. The days of an officer are never shown, nor
    those of a unit of which one officer alone was rated."""

    scope: NamedScope
    as_of: date | None = Field(
        None,
        description="Each day as it stood at the end of this one. Where small figures are hidden, days that"
        " have changed since are `suppressed`.",
    )
    days: list[Day]


def named(figures: Figures) -> NamedScope:
    parent = figures.parent
    return NamedScope(
        level=figures.scope.level,
        id=figures.scope.id,
        name=figures.name,
        parent=None
        if parent is None
        else ParentScope(level=parent.level, id=parent.id, name=figures.parent_name),
        closed_on=figures.merger.closed_on,
        merged_into=figures.merger.merged_into,
        predecessors=list(figures.merger.predecessors),
    )


def share(published: Published) -> Share:
    if published.suppressed:
        return Share(
            suppressed=True,
            partial=True,
            total=None,
            satisfied=None,
            not_satisfied=None,
            rate=None,
            interval=None,
        )
    counts = published.counts
    satisfied, every = counts.get((Measure.ANSWER, SATISFIED), 0), total(counts)
    interval = wilson(satisfied, every)
    return Share(
        suppressed=False,
        partial=published.partial,
        total=every,
        satisfied=satisfied,
        not_satisfied=counts.get((Measure.ANSWER, NOT_SATISFIED), 0),
        rate=satisfied / every if every else None,
        interval=None
        if interval is None
        else ShareInterval(low=interval.low, high=interval.high, confidence=CONFIDENCE, method="wilson"),
    )


def summary(figures: Figures, period: Period) -> Summary:
    return Summary(
        **dict(share(figures.published)),
        scope=named(figures),
        edition=period.edition,
        from_=period.first,
        to=period.last,
        as_of=period.as_of,
        updated_at=figures.mark.updated_at,
        revision=figures.mark.revision,
    )


def satisfaction(figures: Figures, period: Period) -> Satisfaction:
    counts = figures.published.counts
    return Satisfaction(
        **dict(summary(figures, period)),
        reasons=_ranked(counts, Measure.REASON),
        channels=_ranked(counts, Measure.CHANNEL),
        hours=_in_order(counts, Measure.HOUR),
        weekdays=_in_order(counts, Measure.WEEKDAY),
        assurances=_ranked(counts, Measure.ASSURANCE),
        rejected=[
            RejectionCount(reason=item.id, count=item.count) for item in _ranked(counts, Measure.REJECTION)
        ],
        funnel=_funnel(figures.published),
        response=None,
        left_out=sorted(figures.published.left_out),
    )


def _funnel(published: Published) -> Funnel:
    if published.suppressed:
        return Funnel(decided=None, accepted=None, rejected=None, complete=False)
    complete = Measure.REJECTION not in published.left_out
    accepted, reasons = total(published.counts), items(published.counts, Measure.REJECTION)
    rejected = sum(reasons.values()) if reasons or complete else None
    decided = None if rejected is None else accepted + rejected
    return Funnel(decided=decided, accepted=accepted, rejected=rejected, complete=complete)


def history(
    figures: Figures, days: Mapping[date, Published], first: date, last: date, *, as_of: date | None = None
) -> History:
    """Every day from `first` to `last`, those without ratings too."""
    span = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    usual = without_days(figures)
    return History(
        scope=named(figures),
        as_of=as_of,
        days=[Day(day=day, **dict(share(days.get(day, usual)))) for day in span],
    )


def without_days(figures: Figures) -> Published:
    """What is public of days of which nothing was read."""
    return NO_DAYS if figures.scope.level is Level.OFFICER and not figures.full else NOTHING


def _ranked(counts: Counts, measure: Measure) -> list[ItemCount]:
    """Most frequent first; ties by id, so that the same figures give the same document."""
    return sorted(_in_order(counts, measure), key=lambda item: -item.count)


def _in_order(counts: Counts, measure: Measure) -> list[ItemCount]:
    return [ItemCount(id=item, count=count) for item, count in sorted(items(counts, measure).items())]
