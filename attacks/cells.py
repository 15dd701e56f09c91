"""How many ratings the cells of public lists are of, and what is missing between them. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date

from services.aggregation.domain import Level, Measure, weekday
from services.aggregation.edition import ITEMS, Published
from services.aggregation.stored import items, total
from services.aggregation.tree import PARTITIONS


def cells(level: Level, shown: Published, days: Mapping[date, Published]) -> Iterator[int]:
    """Each item; and, above officers, of whom such lists are not public, what the items of a list that adds
    up to all ratings leave out of them, and the days of a weekday of it. `days` are those that are public."""
    for measure in ITEMS:
        yield from items(shown.counts, measure).values()
    if level is Level.OFFICER:
        return
    for measure in PARTITIONS:
        yield total(shown.counts) - sum(items(shown.counts, measure).values())
    of_days: Counter[str] = Counter()
    for day, published in days.items():
        of_days[weekday(day)] += total(published.counts)
    for each, count in items(shown.counts, Measure.WEEKDAY).items():
        yield count - of_days[each]
