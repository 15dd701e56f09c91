"""Days as days, weeks or months, so that a long history can be read. Pure."""

import math
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Literal

from portal.apis.aggregation import Day, Interval, Stretch

Unit = Literal["day", "week", "month"]
MOST_AS_DAYS = 92  # a quarter
MOST_AS_WEEKS = 400
_Z = 1.959963984540054  # the normal quantile of 0.975
_BEGINNINGS: dict[Unit, Callable[[date], date]] = {
    "day": lambda day: day,
    "week": lambda day: day - timedelta(days=day.weekday()),
    "month": lambda day: day.replace(day=1),
}


def unit_of(days: int) -> Unit:
    if days <= MOST_AS_DAYS:
        return "day"
    return "week" if days <= MOST_AS_WEEKS else "month"


def grouped(days: Sequence[Day]) -> list[Stretch]:
    """Consecutive days, oldest first, by what their number asks for. The first and the last week or month
    may be of fewer days."""
    beginning = _BEGINNINGS[unit_of(len(days))]
    return [together(list(part)) for _, part in groupby(days, key=lambda day: beginning(day.day))]


def together(days: Sequence[Day]) -> Stretch:
    """The sum of the days that are shown, as the API itself sums days."""
    ends = {"from": days[0].day, "to": days[-1].day}
    partial = any(day.suppressed or day.partial for day in days)
    total = sum(day.total or 0 for day in days)
    if not total and any(day.suppressed for day in days):
        nothing = dict.fromkeys(("total", "satisfied", "not_satisfied", "rate", "interval"))
        return Stretch.model_validate({**ends, **nothing, "suppressed": True, "partial": True})
    satisfied = sum(day.satisfied or 0 for day in days)
    return Stretch.model_validate(
        {
            **ends,
            "partial": partial,
            "total": total,
            "satisfied": satisfied,
            "not_satisfied": sum(day.not_satisfied or 0 for day in days),
            "rate": satisfied / total if total else None,
            "interval": wilson(satisfied, total),
        }
    )


def wilson(satisfied: int, total: int) -> Interval | None:
    """The 95% interval, as the API reckons it."""
    if not total:
        return None
    rate, square = satisfied / total, _Z * _Z
    middle = (rate + square / (2 * total)) / (1 + square / total)
    half = _Z / (1 + square / total) * math.sqrt(rate * (1 - rate) / total + square / (4 * total * total))
    return Interval(
        low=0.0 if satisfied == 0 else middle - half, high=1.0 if satisfied == total else middle + half
    )
