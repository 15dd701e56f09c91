"""Which SMS go out: so many a day, to one phone ever more slowly, and when the alarm rings."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.readiness import Check
from services.verification import metrics, sms_budget
from services.verification.domain.sending import (
    Alarm,
    Cause,
    Limits,
    Postpone,
    Send,
    Spent,
    Totals,
    Verdict,
    Withhold,
    alarms,
    may_send,
)
from services.verification.sms_budget import SmsBudget
from tests.unit.verification.scenario import NOON

LIMITS = Limits(
    per_day=50,
    per_phone=5,
    per_origin=10,
    unknown_origin=7,
    pauses=(timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10)),
    withheld_alarm=20,
)
LATEST = NOON + timedelta(minutes=5)


def verdict(
    spent: Spent, *, known: bool = True, latest: datetime = LATEST, limits: Limits = LIMITS
) -> Verdict:
    return may_send(limits, spent, origin_known=known, now=NOON, latest=latest)


def after(sent: int, *, ago: timedelta) -> Spent:
    return Spent(to_phone=sent, last_to_phone=NOON - ago)


def test_the_first_of_a_day_goes_out_at_once() -> None:
    assert verdict(Spent()) == Send()


@pytest.mark.parametrize(
    ("spent", "known", "cause"),
    [
        (Spent(in_all=50), True, Cause.BUDGET),
        (Spent(in_all=51), False, Cause.BUDGET),
        (Spent(for_origin=10), True, Cause.ORIGIN),
        (Spent(for_origin=11), True, Cause.ORIGIN),
        (Spent(for_origin=7), False, Cause.UNKNOWN_ORIGIN),
        (Spent(for_origin=8), False, Cause.UNKNOWN_ORIGIN),
        (Spent(to_phone=5), True, Cause.PHONE),
        (Spent(to_phone=6), False, Cause.PHONE),
        (Spent(in_all=50, for_origin=10, to_phone=5), True, Cause.PHONE),
        (Spent(in_all=50, for_origin=10), True, Cause.ORIGIN),
        (Spent(in_all=50, for_origin=7), False, Cause.UNKNOWN_ORIGIN),
    ],
)
def test_what_is_over_a_limit_is_withheld_for_the_narrowest(spent: Spent, known: bool, cause: Cause) -> None:
    assert verdict(spent, known=known) == Withhold(cause)


@pytest.mark.parametrize(
    ("spent", "known"),
    [
        (Spent(in_all=49, for_origin=9), True),
        (Spent(in_all=49, for_origin=6), False),
        (Spent(for_origin=7), True),
        (after(4, ago=timedelta(minutes=10)), True),
    ],
)
def test_the_last_below_each_limit_goes_out(spent: Spent, known: bool) -> None:
    assert verdict(spent, known=known) == Send()


@pytest.mark.parametrize(("sent", "seconds"), [(1, 30), (2, 120), (3, 600), (4, 600)])
def test_each_to_the_same_phone_waits_longer_after_the_one_before(sent: int, seconds: int) -> None:
    pause = timedelta(seconds=seconds)
    moment = timedelta(microseconds=1)
    assert verdict(after(sent, ago=pause)) == Send()
    assert verdict(after(sent, ago=pause - moment)) == Postpone(NOON + moment)


def test_a_pause_that_outlasts_the_use_of_the_sms_withholds_it() -> None:
    spent = after(3, ago=timedelta(minutes=5))
    assert verdict(spent) == Postpone(LATEST)
    moment = timedelta(microseconds=1)
    assert verdict(spent, latest=LATEST - moment) == Withhold(Cause.PAUSE)


def test_without_pauses_nothing_waits() -> None:
    assert verdict(after(3, ago=timedelta()), limits=replace(LIMITS, pauses=())) == Send()


@given(
    asks=st.lists(
        st.tuples(st.integers(0, 5), st.integers(-1, 3), st.integers(0, 400)), min_size=100, max_size=300
    )
)
def test_whatever_is_asked_for_no_limit_is_ever_passed(asks: list[tuple[int, int, int]]) -> None:
    now, all_sent = NOON, 0
    phones: dict[int, list[datetime]] = {}
    origins: dict[int, int] = {}
    for phone, origin, seconds in asks:
        now += timedelta(seconds=seconds)
        sent = phones.setdefault(phone, [])
        spent = Spent(all_sent, origins.get(origin, 0), len(sent), sent[-1] if sent else None)
        found = may_send(LIMITS, spent, origin_known=origin >= 0, now=now, latest=now + timedelta(minutes=5))
        if isinstance(found, Send):
            all_sent += 1
            origins[origin] = origins.get(origin, 0) + 1
            sent.append(now)
    assert all_sent <= LIMITS.per_day
    assert all(number <= (10 if origin >= 0 else 7) for origin, number in origins.items())
    for sent in phones.values():
        assert len(sent) <= LIMITS.per_phone
        gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(sent)]
        assert all(gap >= least for gap, least in zip(gaps, (30, 120, 600, 600), strict=False))


@pytest.mark.parametrize(
    ("sent", "withheld", "rings"),
    [
        (39, 19, set()),
        (40, 0, {Alarm.BUDGET_LOW}),
        (49, 0, {Alarm.BUDGET_LOW}),
        (50, 0, {Alarm.BUDGET_LOW, Alarm.BUDGET_EXHAUSTED}),
        (60, 0, {Alarm.BUDGET_LOW, Alarm.BUDGET_EXHAUSTED}),
        (0, 20, {Alarm.WITHHELD_SURGE}),
        (50, 99, set(Alarm)),
    ],
)
def test_the_alarm_rings_at_80_percent_when_nothing_is_left_and_when_many_are_withheld(
    sent: int, withheld: int, rings: set[Alarm]
) -> None:
    assert alarms(LIMITS, Totals(sent, withheld)) == rings


class Log:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def error(self, _: str, *, alarm: str, **facts: int) -> None:
        assert facts.keys() == {"sent_today", "budget", "withheld_this_hour"}
        self.lines.append(("error", alarm))

    def info(self, _: str, *, alarm: str, **_facts: int) -> None:
        self.lines.append(("info", alarm))


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    log = Log()
    monkeypatch.setattr(sms_budget, "log", log)
    return log


def test_each_alarm_is_logged_once_when_it_begins_and_shows_on_the_check_while_it_lasts(log: Log) -> None:
    check = Check("sms_budget", required=False)
    budget = SmsBudget(LIMITS, check)
    budget.seen(Totals(10, 0))
    assert (check.ok, log.lines) == (True, [])
    for sent in (40, 41, 50, 50):
        budget.seen(Totals(sent, 0))
    assert log.lines == [("error", "budget_low"), ("error", "budget_exhausted")]
    assert (check.ok, check.detail) == (False, "budget_exhausted, budget_low")
    assert metrics.SMS_BUDGET_USED._value.get() == 1.0
    budget.seen(Totals(1, 25))  # the next day
    assert log.lines[2:] == [
        ("error", "withheld_surge"),
        ("info", "budget_exhausted"),
        ("info", "budget_low"),
    ]
    budget.seen(Totals(1, 0))
    assert log.lines[5:] == [("info", "withheld_surge")]
    assert (check.ok, check.detail) == (True, "ok")
