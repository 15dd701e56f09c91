"""Whether an SMS may go out. Each costs money, and rings at somebody who may not have asked for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

WARN_PERCENT = 80


@dataclass(frozen=True, slots=True)
class Limits:
    """How many SMS a city day. `pauses` are the least between those to one phone, the last for all further.

    As many withheld within an hour as `withheld_alarm` are no accident.
    """

    per_day: int
    per_phone: int
    per_origin: int
    unknown_origin: int
    pauses: Sequence[timedelta]
    withheld_alarm: int


@dataclass(frozen=True, slots=True)
class Spent:
    """SMS of the day: all, those for the same address block, and those to the same phone."""

    in_all: int = 0
    for_origin: int = 0
    to_phone: int = 0
    last_to_phone: datetime | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    sent_today: int
    withheld_this_hour: int


class Cause(StrEnum):
    PHONE = "phone"
    PAUSE = "pause"
    ORIGIN = "origin"
    UNKNOWN_ORIGIN = "unknown_origin"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True)
class Send:
    pass


@dataclass(frozen=True, slots=True)
class Postpone:
    until: datetime


@dataclass(frozen=True, slots=True)
class Withhold:
    cause: Cause


Verdict = Send | Postpone | Withhold


def may_send(limits: Limits, spent: Spent, *, origin_known: bool, now: datetime, latest: datetime) -> Verdict:
    """`latest` is when it is of no more use."""
    if spent.to_phone >= limits.per_phone:
        return Withhold(Cause.PHONE)
    if origin_known and spent.for_origin >= limits.per_origin:
        return Withhold(Cause.ORIGIN)
    if not origin_known and spent.for_origin >= limits.unknown_origin:
        return Withhold(Cause.UNKNOWN_ORIGIN)
    if spent.in_all >= limits.per_day:
        return Withhold(Cause.BUDGET)
    allowed = _after_pause(limits.pauses, spent)
    if allowed is None or allowed <= now:
        return Send()
    return Postpone(allowed) if allowed <= latest else Withhold(Cause.PAUSE)


def _after_pause(pauses: Sequence[timedelta], spent: Spent) -> datetime | None:
    if spent.last_to_phone is None or not pauses:
        return None
    return spent.last_to_phone + pauses[min(spent.to_phone, len(pauses)) - 1]


class Alarm(StrEnum):
    BUDGET_LOW = "budget_low"
    BUDGET_EXHAUSTED = "budget_exhausted"
    WITHHELD_SURGE = "withheld_surge"


def alarms(limits: Limits, totals: Totals) -> frozenset[Alarm]:
    ringing = {
        Alarm.BUDGET_LOW: totals.sent_today * 100 >= limits.per_day * WARN_PERCENT,
        Alarm.BUDGET_EXHAUSTED: totals.sent_today >= limits.per_day,
        Alarm.WITHHELD_SURGE: totals.withheld_this_hour >= limits.withheld_alarm,
    }
    return frozenset(alarm for alarm, rings in ringing.items() if rings)
