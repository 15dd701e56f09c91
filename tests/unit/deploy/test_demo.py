"""The demonstration's plan and its ledger."""

import random
from collections import Counter

import pytest

from deploy.demo.__main__ import flaw
from deploy.demo.city import Shown
from deploy.demo.visits import Officer, Visit, expected_figures, plan

OFFICERS = [Officer(f"unit-{n % 3}.officer-{n}", f"unit-{n % 3}", f"group-{n % 2}") for n in range(9)]
EDITION = {"instrument": {"reasons": [{"id": "late"}, {"id": "attitude"}, {"id": "other"}]}}


def planned(count: int = 1000, seed: int = 1) -> list[Visit]:
    return plan(count, OFFICERS, EDITION, random.Random(seed))


def test_a_plan_has_as_many_visits_as_asked_for() -> None:
    for count in (1, 19, 20, 200):
        assert len(planned(count)) == count


def test_some_are_not_satisfied_mistype_come_again_or_send_twice() -> None:
    visits = planned()
    assert 40 < sum(v.answer == "not_satisfied" for v in visits) < 250
    assert 20 < sum(v.expected == "challenge_wrong" for v in visits) < 100
    assert sum(v.expected == "duplicate" for v in visits) == 50
    assert 20 < sum(v.sent_twice for v in visits) < 100


def test_only_those_who_are_not_satisfied_say_why() -> None:
    assert all(bool(v.reasons) == (v.answer == "not_satisfied") for v in planned())


def test_a_second_rating_is_by_the_phone_of_one_that_counts_and_for_the_same_officer() -> None:
    visits = planned()
    counted = {(v.phone, v.officer) for v in visits if v.expected == "accepted"}
    again = [(v.phone, v.officer) for v in visits if v.expected == "duplicate"]
    assert set(again) <= counted
    assert len(set(again)) == len(again)


def test_the_same_seed_plans_the_same_visits_with_phones_of_their_own() -> None:
    first, second = planned(seed=7), planned(seed=7)
    assert [(v.officer, v.answer, v.channel) for v in first] == [
        (v.officer, v.answer, v.channel) for v in second
    ]
    assert not {v.phone for v in first} & {v.phone for v in second}


def test_the_ledger_adds_a_visit_to_its_officer_unit_group_and_the_city() -> None:
    officer = OFFICERS[1]
    visits = [
        Visit(officer, "0905123456", "not_satisfied", ["late", "other"], "qr"),
        Visit(officer, "0905123456", "satisfied", [], "web", "duplicate"),
        Visit(OFFICERS[4], "0905123457", "satisfied", [], "web"),
    ]
    own = Counter({"answer:not_satisfied": 1, "channel:qr": 1, "reason:late": 1, "reason:other": 1})
    own["rejection:duplicate"] = 1
    both = own + Counter({"answer:satisfied": 1, "channel:web": 1})
    assert expected_figures(visits) == {
        ("officers", officer.id): own,
        ("officers", OFFICERS[4].id): Counter({"answer:satisfied": 1, "channel:web": 1}),
        ("units", "unit-1"): both,
        ("groups", "group-1"): own,
        ("groups", "group-0"): Counter({"answer:satisfied": 1, "channel:web": 1}),
        ("city", ""): both,
    }


@pytest.mark.parametrize(
    ("scope", "shown", "right"),
    [
        (("officers", "o"), 1, False),  # a whole batch is missing
        (("officers", "o"), 2, True),  # four wait
        (("officers", "o"), 10, True),  # and four that waited before
        (("officers", "o"), 11, False),
        (("units", "u"), 5, False),
        (("units", "u"), 6, True),
        (("city", ""), 5, False),
    ],
)
def test_figures_may_differ_from_the_ledger_by_what_waits_for_its_batch_alone(
    scope: tuple[str, str], shown: int, right: bool
) -> None:
    rule = {"officer_batch": 5, "suppress_below": 5}
    said = Shown(Counter({"answer:satisfied": shown}))
    assert (flaw(scope, said, Counter({"answer:satisfied": 6}), rule, units=3) == "") is right
