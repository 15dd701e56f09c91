"""The city's clock: which day a moment falls on, for every service and every published figure."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

CITY_TIME = ZoneInfo("Asia/Ho_Chi_Minh")


def city_day(moment: datetime) -> date:
    """The day of an aware `moment` in the city."""
    return moment.astimezone(CITY_TIME).date()
