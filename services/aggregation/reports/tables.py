"""The tables of a report, which every format writes in its own way."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.aggregation.comparisons import Change, Child, Span
from services.aggregation.documents import Day, Funnel, ItemCount, Share, Summary
from services.aggregation.domain import Level, Measure
from services.aggregation.files_handled import Response
from services.aggregation.reports.report import Kind, Report
from services.aggregation.reports.words import word

Cell = str | int | float | bool | date | None
Row = Mapping[str, Cell]

SHARE = (
    "total",
    "satisfied",
    "not_satisfied",
    "rate",
    "interval_low",
    "interval_high",
    "suppressed",
    "partial",
)
PLACE = ("id", "name", "parent_id", "edition", "from", "to", *SHARE)
WITH, AS_OF = "with", "as_of"
RANK = ("rank_best", "rank_worst", "rank_of")
DIFFERENCE = ("difference", "difference_low", "difference_high", "more_than_noise")
CHANGE = ("item", "text", "from", "to", *SHARE, *DIFFERENCE)
RESPONSE = ("year", "units", "files", "ratings", "response_rate", "required", "reached")
DAY = ("day", *SHARE)
ITEM = ("item", "text", "count", "suppressed")
FUNNEL = (*ITEM, "complete")
LEVELS = {Level.GROUP: "groups", Level.UNIT: "units", Level.OFFICER: "officers"}


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` name the cells of `columns`; what is missing is empty. `suppressed` is true of a row whose
    figures are of too few, and of one that stands for all items of a list that are."""

    name: str
    columns: Sequence[str]
    rows: Iterable[Row]


def tables(report: Report) -> Iterator[Table]:
    """In the order in which they are read; one for each level below."""
    whole = report.whole
    asked: dict[str, Cell] = {WITH: "predecessors"} if report.joined else {}
    asked |= {} if report.figures.as_of is None else {AS_OF: report.figures.as_of}
    yield Table("figures", (*PLACE, *asked), [{**_place(report, report.figures), **asked}])
    if report.change is not None:
        yield Table("change", CHANGE, list(_change(report, report.change)))
    if report.figures.response is not None:
        yield Table("response", RESPONSE, [_response(report.figures.response)])
    yield Table("days", DAY, map(_day, report.history.days))
    yield Table("reasons", ITEM, list(_items(report, whole.reasons, Measure.REASON)))
    yield Table("channels", ITEM, list(_items(report, whole.channels, Measure.CHANNEL)))
    yield Table("hours", ITEM, list(_items(report, whole.hours, Measure.HOUR)))
    yield Table("weekdays", ITEM, list(_items(report, whole.weekdays, Measure.WEEKDAY)))
    yield Table("assurances", ITEM, list(_items(report, whole.assurances, Measure.ASSURANCE)))
    yield Table("funnel", FUNNEL, list(_funnel(report, whole.funnel)))
    rejected = [ItemCount(id=each.reason, count=each.count) for each in whole.rejected]
    yield Table("rejections", ITEM, list(_items(report, rejected, Measure.REJECTION)))
    for below in report.below:
        yield Table(LEVELS[below.level], (*PLACE, *RANK), [_child(report, place) for place in below.places])


def _place(report: Report, place: Summary) -> Row:
    scope = place.scope
    return {
        "level": scope.level,
        "id": scope.id,
        "name": report.name(place),
        "parent_id": None if scope.parent is None else scope.parent.id,
        "edition": place.edition,
        "from": place.from_,
        "to": place.to,
        **_share(place),
    }


def _child(report: Report, place: Child) -> Row:
    rank = place.rank
    ranks = (None, None, None) if rank is None else (rank.best, rank.worst, rank.of)
    return {**_place(report, place), **dict(zip(RANK, ranks, strict=True))}


def _change(report: Report, change: Change) -> Iterator[Row]:
    """The difference stands with the later of the two."""
    interval = change.interval
    yield {
        **_span(report, "now", change.now),
        "difference": change.difference,
        "difference_low": None if interval is None else interval.low,
        "difference_high": None if interval is None else interval.high,
        "more_than_noise": change.more_than_noise,
    }
    yield _span(report, "before", change.before)


def _span(report: Report, item: str, span: Span) -> Row:
    text = word(f"period.{item}", report.language)
    return {"item": item, "text": text, "from": span.from_, "to": span.to, **_share(span)}


def _response(response: Response) -> Row:
    return {
        "year": response.year,
        "units": response.units,
        "files": response.files,
        "ratings": response.ratings,
        "response_rate": response.rate,
        "required": response.required,
        "reached": response.reached,
    }


def _day(day: Day) -> Row:
    return {"day": day.day, **_share(day)}


def _share(share: Share) -> Row:
    interval = share.interval
    return {
        "total": share.total,
        "satisfied": share.satisfied,
        "not_satisfied": share.not_satisfied,
        "rate": share.rate,
        "interval_low": None if interval is None else interval.low,
        "interval_high": None if interval is None else interval.high,
        "suppressed": share.suppressed,
        "partial": share.partial,
    }


def _items(report: Report, items: Iterable[ItemCount], measure: Measure) -> Iterator[Row]:
    for item in items:
        yield _item(item.id, _text(report, measure, item.id), item.count)
    if report.leaves_out(measure):
        yield {"text": word("suppressed", report.language), "suppressed": True}


def _text(report: Report, measure: Measure, item: str) -> str:
    match measure:
        case Measure.REASON:
            return report.text(Kind.REASON, item)
        case Measure.HOUR:
            return f"{item}:00–{item}:59"
        case _:
            return word(f"{measure}.{item}", report.language)


def _item(item: str, text: str, count: int) -> Row:
    return {"item": item, "text": text, "count": count, "suppressed": False}


def _funnel(report: Report, funnel: Funnel) -> Iterator[Row]:
    for item, count in (
        ("decided", funnel.decided),
        ("accepted", funnel.accepted),
        ("rejected", funnel.rejected),
    ):
        yield {
            "item": item,
            "text": word(f"funnel.{item}", report.language),
            "count": count,
            "suppressed": count is None,
            "complete": funnel.complete,
        }
