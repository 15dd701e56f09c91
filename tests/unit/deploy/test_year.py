"""The simulated year: when offices are open, who comes, and what its ledger takes for a difference."""

import random
from collections import Counter
from datetime import date, datetime, time, timedelta

import pytest

from contracts.city_time import CITY_TIME
from deploy.demo.city import Shown
from deploy.demo.office import holidays, moment, open_days
from deploy.demo.simulating import difference
from deploy.demo.visits import Officer, Visit
from deploy.demo.year import DAYS, Merger, Year, plan

LAST, MERGED = date(2026, 11, 24), date(2026, 5, 26)
OFFICERS = [Officer(f"u{n % 4}.o{n}", f"u{n % 4}", "g") for n in range(12)]
MERGER = Merger("u0", "u1", MERGED, [Officer(f"u1.moved{n}", "u1", "g") for n in range(3)])


def planned(seed: int = 3, count: int = 6000) -> Year:
    chance = random.Random(seed)
    return plan(count, OFFICERS, ["late", "rude", "lost"], merger=MERGER, last=LAST, chance=chance)


@pytest.fixture(scope="module")
def year() -> Year:
    return planned()


def day(visit: Visit) -> date:
    return visit.at.astimezone(CITY_TIME).date()


def test_offices_are_closed_over_tet_on_holidays_and_on_what_is_given_for_them() -> None:
    tet = [date(2026, 2, 16) + timedelta(days=n) for n in range(5)]
    assert holidays(2026) >= {*tet, date(2026, 4, 26), date(2026, 4, 27), date(2026, 11, 24)}
    assert date(2025, 11, 24) not in holidays(2025)
    days = open_days(date(2026, 2, 13), date(2026, 2, 23), saturdays=True)
    assert days == [date(2026, 2, each) for each in (13, 14, 21, 23)]
    assert [each.weekday() for each in open_days(date(2026, 3, 2), date(2026, 3, 8), saturdays=False)] == [
        0, 1, 2, 3, 4,
    ]  # fmt: skip


def test_citizens_come_while_the_office_is_open_and_on_saturdays_in_the_morning() -> None:
    chance = random.Random(1)
    times = [moment(date(2026, 3, 2), chance).timetz().replace(tzinfo=None) for _ in range(500)]
    assert all(time(7, 30) <= each < time(11, 30) or time(13, 30) <= each < time(17) for each in times)
    saturday = [moment(date(2026, 3, 7), chance).timetz().replace(tzinfo=None) for _ in range(200)]
    assert max(saturday) < time(11, 30)


def test_a_year_has_as_many_ratings_as_asked_for_in_the_order_in_which_they_came(year: Year) -> None:
    assert len(year.visits) == 6000
    assert year.visits == sorted(year.visits, key=lambda visit: visit.at)
    assert (year.last - year.first).days == DAYS - 1
    assert all(year.first <= day(visit) <= year.last for visit in year.visits)
    ended = Counter(visit.expected for visit in year.visits)
    assert ended["duplicate"] == 180
    assert min(ended["challenge_wrong"], ended["challenge_expired"]) > 20


def test_from_the_merger_on_all_go_to_the_unit_that_took_over(year: Year) -> None:
    before, after = (
        Counter(visit.officer.unit_id for visit in year.visits if (day(visit) >= MERGED) is later)
        for later in (False, True)
    )
    moved = [visit for visit in year.visits if visit.officer in MERGER.moved]
    assert before["u0"] > 50
    assert after["u0"] == 0
    assert len(moved) > 50
    assert all(day(visit) >= MERGED for visit in moved)


def test_one_officer_gets_better(year: Year) -> None:
    half = year.first + timedelta(days=DAYS // 2)
    shares = []
    for later in (False, True):
        theirs = [v for v in year.visits if v.officer == year.better and (day(v) >= half) is later]
        shares.append(sum(v.answer == "satisfied" for v in theirs) / len(theirs))
    assert shares[1] - shares[0] > 0.1


def test_a_second_rating_says_on_the_same_day_what_the_first_said(year: Year) -> None:
    first = {(v.phone, v.officer): v for v in year.visits if v.expected == "accepted"}
    for again in (v for v in year.visits if v.expected == "duplicate"):
        before = first[again.phone, again.officer]
        assert (again.answer, again.reasons, again.channel) == (before.answer, before.reasons, before.channel)
        assert day(again) == day(before)
        assert again.at > before.at


def test_the_same_seed_is_the_same_year_but_for_the_phones(year: Year) -> None:
    def told(of: Year) -> list[tuple[datetime, Officer, str, str]]:
        return [(v.at, v.officer, v.answer, v.channel) for v in of.visits]

    again = planned()
    assert told(again) == told(year)
    assert [v.phone for v in again.visits[:9]] != [v.phone for v in year.visits[:9]]


@pytest.mark.parametrize(
    ("scope", "shown", "left_out", "right"),
    [
        ("units", {"answer:satisfied": 9, "rejection:duplicate": 6}, [], True),
        ("units", {"answer:satisfied": 8, "rejection:duplicate": 6}, [], False),
        ("units", {"answer:satisfied": 10, "rejection:duplicate": 6}, [], False),
        ("units", {"answer:satisfied": 9}, [], False),
        ("units", {"answer:satisfied": 9}, ["rejection"], True),
        ("units", {"answer:satisfied": 9, "rejection:duplicate": 7}, [], False),
        ("officers", {"answer:satisfied": 5}, [], True),
        ("officers", {"answer:satisfied": 4}, [], False),
        ("officers", {"answer:satisfied": 10}, [], False),
    ],
)
def test_figures_are_those_of_the_ledger_but_for_an_officers_last_batch(
    scope: str, shown: dict[str, int], left_out: list[str], right: bool
) -> None:
    wanted = Counter({"answer:satisfied": 9, "rejection:duplicate": 6})
    said = Shown(Counter(shown), left_out=frozenset(left_out))
    assert (difference((scope, "x"), said, wanted, 5) == "") is right
