"""Open data: the published ratings of a day, a row for each. Pure.

A row says no more than histories do: it is one of a number that is public, written out. What is not public
together (a reason with its answer, a channel with its unit's day) is in no row.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date

from pydantic import BaseModel, Field

from contracts.events import Text
from services.aggregation.domain import Measure
from services.aggregation.publication import UnitDay
from services.aggregation.stored import items, total


class Rating(BaseModel):
    """One published rating. Rows are in no order of time."""

    day: date = Field(description="When it was submitted, in city time.")
    edition: str
    group: str
    unit: str
    answer: str


class FieldNote(BaseModel):
    name: str
    meaning: Text


class OpenDay(BaseModel):
    day: date
    ratings: int = Field(description="Rows of the day's file.")
    partial: bool = Field(description="Some units' days are of too few to publish, and are not in the file.")
    href: str


class OpenData(BaseModel):
    """The days that have a file, the newest first, and what a row says."""

    fields: list[FieldNote]
    days: list[OpenDay]


DICTIONARY = [
    FieldNote(name=name, meaning=Text(vi=vi, en=en))
    for name, vi, en in (
        ("day", "Ngày gửi, theo giờ thành phố", "The day it was submitted, in city time"),
        ("edition", "Mã đợt khảo sát", "The edition’s id"),
        ("group", "Mã nhóm đơn vị khi được đánh giá", "The id of the unit’s group when it was rated"),
        ("unit", "Mã đơn vị", "The unit’s id"),
        (
            "answer",
            "satisfied: hài lòng; not_satisfied: chưa hài lòng",
            "satisfied, or not_satisfied (yet)",
        ),
    )
]


def catalogue(unit_days: Iterable[UnitDay]) -> OpenData:
    rows: dict[date, int] = defaultdict(int)
    partial: dict[date, bool] = defaultdict(bool)
    for each in unit_days:
        rows[each.day] += total(each.published.counts)
        partial[each.day] |= each.published.partial
    return OpenData(
        fields=DICTIONARY,
        days=[
            OpenDay(day=day, ratings=rows[day], partial=partial[day], href=f"/v1/open-data/{day}.jsonl")
            for day in sorted(rows, reverse=True)
        ],
    )


def lines(day: date, unit_days: Iterable[UnitDay]) -> Iterator[bytes]:
    """The day's file: the lines of a unit's day at a time."""
    for each in sorted(unit_days, key=lambda each: (each.edition, each.group, each.unit)):
        if each.day != day:
            continue
        for answer, count in sorted(items(each.published.counts, Measure.ANSWER).items()):
            rating = Rating(day=day, edition=each.edition, group=each.group, unit=each.unit, answer=answer)
            yield f"{rating.model_dump_json()}\n".encode() * count
