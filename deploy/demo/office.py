"""When a Vietnamese office is open. Pure.

Hours are those of city offices; holidays those of article 112 of the Labour Code of 2019, and since 2026 the
day of Vietnamese culture. The two that go by the lunar calendar are data. Days that the government moves each
year (bridges, and the weekends that make up for them) are not.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random

from contracts.city_time import CITY_TIME

LUNAR = {  # the first day of Tết, and the Hùng Kings' day
    2024: (date(2024, 2, 10), date(2024, 4, 18)),
    2025: (date(2025, 1, 29), date(2025, 4, 7)),
    2026: (date(2026, 2, 17), date(2026, 4, 26)),
    2027: (date(2027, 2, 6), date(2027, 4, 16)),
    2028: (date(2028, 1, 26), date(2028, 4, 4)),
    2029: (date(2029, 2, 13), date(2029, 4, 23)),
    2030: (date(2030, 2, 2), date(2030, 4, 12)),
}
MONDAY, FRIDAY, SATURDAY = 0, 4, 5
MORNING, AFTERNOON = (time(7, 30), time(11, 30)), (time(13, 30), time(17))
# How busy the hours are, by half hours from the opening on.
BUSY_MORNING = (4, 7, 9, 9, 8, 6, 4, 2)
BUSY_AFTERNOON = (4, 7, 7, 6, 5, 4, 2)
HALF_HOUR = timedelta(minutes=30)


def holidays(year: int) -> set[date]:
    """Raises KeyError for a year whose lunar days are not known here."""
    tet, hung_kings = LUNAR[year]
    days = {date(year, 1, 1), hung_kings, date(year, 4, 30), date(year, 5, 1)}
    days |= {date(year, 9, 1), date(year, 9, 2)}
    days |= {tet + timedelta(days=n) for n in range(-1, 4)}
    if year >= 2026:
        days.add(date(year, 11, 24))
    return days | set(_made_up_for(days))


def _made_up_for(days: set[date]) -> Iterator[date]:
    """A holiday on a weekend is taken on the next working day."""
    taken = set(days)
    for day in sorted(days):
        if day.weekday() > FRIDAY:
            while day in taken or day.weekday() > FRIDAY:
                day += timedelta(days=1)  # noqa: PLW2901 - the next one
            taken.add(day)
            yield day


def open_days(first: date, last: date, *, saturdays: bool) -> list[date]:
    """The days from `first` to `last`, both included, on which an office is open."""
    closed = set().union(*(holidays(year) for year in range(first.year, last.year + 1)))
    span = (first + timedelta(days=n) for n in range((last - first).days + 1))
    latest = SATURDAY if saturdays else FRIDAY
    return [day for day in span if day.weekday() <= latest and day not in closed]


def moment(day: date, chance: Random) -> datetime:
    """Some moment of an open day; of a Saturday in the morning."""
    halves = [(MORNING[0], n, weight) for n, weight in enumerate(BUSY_MORNING)]
    if day.weekday() != SATURDAY:
        halves += [(AFTERNOON[0], n, weight) for n, weight in enumerate(BUSY_AFTERNOON)]
    [(opening, half, _)] = chance.choices(halves, [weight for *_, weight in halves])
    begun = datetime.combine(day, opening, CITY_TIME) + half * HALF_HOUR
    return begun + timedelta(milliseconds=chance.randrange(int(HALF_HOUR.total_seconds() * 1000)))
