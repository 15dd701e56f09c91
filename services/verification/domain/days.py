"""City time: which day a moment falls on, and which window for duplicates."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from contracts.events import EditionPublished

CITY = ZoneInfo("Asia/Ho_Chi_Minh")


def city_day(moment: datetime) -> date:
    return moment.astimezone(CITY).date()


def is_open(edition: EditionPublished, moment: datetime) -> bool:
    return edition.opens_on <= city_day(moment) <= edition.closes_on


def window(edition: EditionPublished, moment: datetime) -> int:
    """The number of the window that `moment` falls in: 0 begins with the day on which the edition opened."""
    return (city_day(moment) - edition.opens_on).days // edition.policy.duplicate_window_days
