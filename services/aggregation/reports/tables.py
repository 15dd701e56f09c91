"""The tables of a report, which every format writes in its own way."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.aggregation.documents import Day, Share, Summary
from services.aggregation.domain import Level, Measure
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
DAY = ("day", *SHARE)
ITEM = ("item", "text", "count", "suppressed")
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
    yield Table("figures", PLACE, [_place(report, report.figures)])
    yield Table("days", DAY, map(_day, report.history.days))
    yield Table("reasons", ITEM, list(_reasons(report)))
    yield Table("channels", ITEM, list(_channels(report)))
    yield Table("rejections", ITEM, list(_rejections(report)))
    for below in report.below:
        yield Table(LEVELS[below.level], PLACE, [_place(report, place) for place in below.places])


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


def _reasons(report: Report) -> Iterator[Row]:
    for item in report.whole.reasons:
        yield _item(item.id, report.text(Kind.REASON, item.id), item.count)
    yield from _left_out(report, Measure.REASON)


def _channels(report: Report) -> Iterator[Row]:
    for item in report.whole.channels:
        yield _item(item.id, word(f"channel.{item.id}", report.language), item.count)
    yield from _left_out(report, Measure.CHANNEL)


def _rejections(report: Report) -> Iterator[Row]:
    for item in report.whole.rejected:
        yield _item(item.reason, word(f"rejection.{item.reason}", report.language), item.count)
    yield from _left_out(report, Measure.REJECTION)


def _item(item: str, text: str, count: int) -> Row:
    return {"item": item, "text": text, "count": count, "suppressed": False}


def _left_out(report: Report, measure: Measure) -> Iterator[Row]:
    if report.whole.suppressed or measure in report.whole.left_out:
        yield {"text": word("suppressed", report.language), "suppressed": True}
