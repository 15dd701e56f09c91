"""Whether an edition is open at a moment, and which window for duplicates the moment falls in."""

from datetime import date, datetime

from contracts.city_time import city_day
from contracts.events import EditionPublished


def is_open(edition: EditionPublished, moment: datetime) -> bool:
    return edition.opens_on <= city_day(moment) <= edition.closes_on


def window(edition: EditionPublished, moment: datetime) -> int:
    """The number of the window that `moment` falls in: 0 begins with the day on which the edition opened."""
    return _number(edition, city_day(moment))


def whole_edition(edition: EditionPublished) -> int:
    """The window of what counts once in the edition: its last, so that it is kept as long as any."""
    return _number(edition, edition.closes_on)


def _number(edition: EditionPublished, day: date) -> int:
    return (day - edition.opens_on).days // edition.policy.duplicate_window_days
