"""What the attack counts in public lists."""

from datetime import date

from attacks.cells import cells
from services.aggregation.domain import Level, Measure
from services.aggregation.edition import TOO_FEW, Published

LISTS = {
    (Measure.ANSWER, "satisfied"): 20,
    (Measure.REASON, "late"): 6,
    (Measure.CHANNEL, "web"): 20,
    (Measure.ASSURANCE, "captcha"): 13,
    (Measure.HOUR, "08"): 11,
    (Measure.HOUR, "09"): 9,
    (Measure.WEEKDAY, "4"): 20,
}


def test_of_a_unit_it_counts_items_what_lists_lack_and_what_weekdays_have_beyond_their_days() -> None:
    thursday, next_thursday = date(2017, 11, 23), date(2017, 11, 30)
    days = {thursday: Published({(Measure.ANSWER, "satisfied"): 17}), next_thursday: TOO_FEW}
    found = list(cells(Level.UNIT, Published(LISTS), days))
    assert sorted(found) == sorted([6, 20, 13, 11, 9, 20, *(0, 7, 0, 0), 3])


def test_of_an_officer_whose_lists_are_not_public_it_counts_the_items_alone() -> None:
    assert list(cells(Level.OFFICER, Published({(Measure.REASON, "late"): 6}), {})) == [6]


def test_of_what_is_suppressed_there_is_nothing_to_count() -> None:
    assert not any(cells(Level.UNIT, TOO_FEW, {date(2017, 11, 23): TOO_FEW}))
