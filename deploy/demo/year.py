"""A year at a city's desks, as one might have been: who came when, and how they rated. Pure.

Units differ in size, in how well they serve and in what is wrong with them; on some, Saturday mornings are
open. One officer gets better. One unit merges into another half-way through, and its officers move.
"""

import random
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from deploy.demo.office import SATURDAY, moment, open_days
from deploy.demo.visits import CHANNELS, PREFIXES, Officer, Visit

DAYS = 365
MONTHS = (1.1, 0.85, 1.15, 1.0, 1.0, 1.1, 1.2, 1.25, 1.05, 1.0, 1.0, 1.15)
WEEKDAYS = (1.2, 1.1, 1.0, 0.95, 0.9, 0.4)
WRONG, LATE, AGAIN = 0.04, 0.01, 0.03
WORST, BEST = 0.62, 0.97
"""The shares satisfied with the officer who gets better, at the beginning and at the end."""


@dataclass(frozen=True, slots=True)
class Unit:
    """`saturdays`: open on their mornings. `reasons`: how often each is why somebody is not satisfied."""

    id: str
    size: float
    satisfied: float
    reasons: Mapping[str, float]
    saturdays: bool


@dataclass(frozen=True, slots=True)
class Merger:
    """From `day` on those who went to `old` go to `heir`, whose officers `moved` came from there."""

    old: str
    heir: str
    day: date
    moved: Sequence[Officer]


@dataclass(slots=True)
class Year:
    """`visits` in the order in which they happened; `better`: the officer who got so."""

    first: date
    last: date
    visits: list[Visit]
    better: Officer
    units: list[Unit] = field(default_factory=list)


def plan(
    count: int,
    officers: Sequence[Officer],
    reasons: Sequence[str],
    *,
    merger: Merger,
    last: date,
    chance: random.Random,
) -> Year:
    """A year of `count` ratings up to `last`. `officers` are those of its first day, `merger.old`'s too."""
    first = last - timedelta(days=DAYS - 1)
    desks: dict[str, list[Officer]] = {}
    for officer in officers:
        desks.setdefault(officer.unit_id, []).append(officer)
    units = [_unit(unit, reasons, chance) for unit in sorted(desks)]
    skill = {
        officer.id: min(0.995, max(0.5, unit.satisfied + chance.gauss(0, 0.02)))
        for unit in units
        for officer in desks[unit.id]
    }
    for one, before in zip(merger.moved, desks[merger.old], strict=True):
        skill[one.id] = skill[before.id]
    better = desks[max((u for u in units if u.id != merger.old), key=lambda unit: unit.size).id][0]
    days = {saturdays: open_days(first, last, saturdays=saturdays) for saturdays in (True, False)}
    busy = {key: [_busy(day) for day in each] for key, each in days.items()}
    again = round(count * AGAIN)
    visits = []
    for unit in chance.choices(units, [unit.size for unit in units], k=count - again):
        [day] = chance.choices(days[unit.saturdays], busy[unit.saturdays])
        merged = unit.id == merger.old and day >= merger.day
        officer = chance.choice(merger.moved if merged else desks[unit.id])
        share = skill[officer.id]
        if officer == better:
            share = WORST + (BEST - WORST) * (day - first).days / DAYS
        visits.append(_visit(officer, unit, day, share, chance))
    visits += _second_thoughts(visits, again, chance)
    visits.sort(key=lambda visit: visit.at)
    return Year(first, last, visits, better, units)


def _unit(unit_id: str, reasons: Sequence[str], chance: random.Random) -> Unit:
    return Unit(
        unit_id,
        size=0.3 + chance.lognormvariate(0, 0.7),
        satisfied=0.8 + 0.19 * chance.betavariate(4, 2),
        reasons={reason: chance.paretovariate(1.2) for reason in reasons},
        saturdays=chance.random() < 0.3,
    )


def _busy(day: date) -> float:
    return MONTHS[day.month - 1] * WEEKDAYS[min(day.weekday(), SATURDAY)]


def _visit(officer: Officer, unit: Unit, day: date, share: float, chance: random.Random) -> Visit:
    satisfied = chance.random() < share
    named = [] if satisfied else chance.choices(list(unit.reasons), list(unit.reasons.values()), k=2)
    fate = chance.random()
    return Visit(
        officer=officer,
        # From the system's randomness: no two runs share a citizen.
        phone=chance.choice(PREFIXES) + "".join(secrets.choice("0123456789") for _ in range(7)),
        answer="satisfied" if satisfied else "not_satisfied",
        reasons=sorted(set(named[: chance.choice((1, 1, 2))])),
        channel=chance.choices(list(CHANNELS), list(CHANNELS.values()))[0],
        expected="challenge_wrong"
        if fate < WRONG
        else "challenge_expired"
        if fate < WRONG + LATE
        else "accepted",
        at=moment(day, chance),
    )


def _second_thoughts(visits: Sequence[Visit], count: int, chance: random.Random) -> Iterable[Visit]:
    """Some send the same again after a few minutes. Which of the two counts, the log decides: they say the
    same, so that no figure depends on it."""
    counted = [visit for visit in visits if visit.expected == "accepted"]
    for first in chance.sample(counted, min(count, len(counted))):
        at = first.at + timedelta(minutes=chance.randint(1, 9))
        yield Visit(
            first.officer, first.phone, first.answer, first.reasons, first.channel, "duplicate", at=at
        )
