"""Long histories in weeks and months."""

import datetime as dt
from typing import Any

import pytest

from portal.apis.aggregation import Day
from portal.grouping import grouped, unit_of, wilson
from tests.unit.portal.conftest import Citizen


def day(date: dt.date, satisfied: int | None, rest: int | None) -> Day:
    hidden = satisfied is None or rest is None
    values: dict[str, Any] = {"satisfied": satisfied, "not_satisfied": rest}
    total = None if satisfied is None or rest is None else satisfied + rest
    return Day(day=date, total=total, rate=None, interval=None, suppressed=hidden, partial=hidden, **values)


def days(count: int) -> list[Day]:
    first = dt.date(2026, 1, 1)  # a Thursday
    return [day(first + dt.timedelta(days=n), 3, 1) for n in range(count)]


@pytest.mark.parametrize(
    ("count", "unit"), [(1, "day"), (92, "day"), (93, "week"), (400, "week"), (401, "month")]
)
def test_the_number_of_days_says_what_a_column_is(count: int, unit: str) -> None:
    assert unit_of(count) == unit


def test_weeks_begin_on_mondays_and_months_on_firsts_but_for_the_ends() -> None:
    weeks = grouped(days(100))
    assert (weeks[0].first, weeks[0].last, weeks[0].total) == (dt.date(2026, 1, 1), dt.date(2026, 1, 4), 16)
    assert {week.first.weekday() for week in weeks[1:]} == {0}
    months = grouped(days(410))
    assert [month.first.day for month in months] == [1] * 14
    assert months[-1].last == dt.date(2027, 2, 14)
    assert sum(month.total or 0 for month in months) == 4 * 410


def test_a_week_is_the_sum_of_the_days_that_are_shown_and_says_what_is_missing() -> None:
    span = days(100)
    span[5] = day(span[5].day, None, None)
    second, third = grouped(span)[1:3]
    assert (second.total, second.satisfied, second.partial) == (24, 18, True)
    assert second.interval == wilson(18, 24)
    assert (third.total, third.partial) == (28, False)


def test_a_week_of_which_no_day_is_shown_is_hidden_itself() -> None:
    span = [day(each.day, None, None) if each.day.isocalendar().week == 2 else each for each in days(100)]
    assert grouped(span)[1].suppressed
    assert grouped(span)[1].total is None


def test_intervals_are_the_api_s() -> None:
    found = wilson(1130, 1239)
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (0.895, 0.9266)
    assert wilson(0, 0) is None
    everybody = wilson(5, 5)
    assert everybody is not None
    assert everybody.high == 1.0


async def test_a_history_of_years_is_asked_for_in_parts_that_the_api_gives(citizen: Citizen) -> None:
    citizen.city.count(1130, 109)
    answer = await citizen.get("/ket-qua?from=2024-01-01&to=2026-11-20")
    assert answer.status_code == 200
    asked = [r for r in citizen.city.requests if "/city/history" in r]
    assert len(asked) == 3
    assert "theo tháng" in citizen.page
    assert 'data-unit="month"' in citizen.page
