"""Who comes, how they rate, and what must become of it."""

import random
import secrets
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

PREFIXES = ("090", "093", "070", "079", "091", "094", "088", "096", "097", "098", "032", "056", "059")
CHANNELS = {"portal": 6, "web": 2, "qr": 2, "kiosk": 1}

NOW = datetime.max.replace(tzinfo=UTC)
"""Of visits that are posted as they come."""

Scope = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Officer:
    id: str
    unit_id: str
    group_id: str

    @property
    def scopes(self) -> tuple[Scope, ...]:
        return (
            ("officers", self.id),
            ("units", self.unit_id),
            ("groups", self.group_id),
            ("city", ""),
        )


@dataclass(slots=True)
class Visit:
    """One rating to post, and what must become of it: `accepted`, or the reason it is rejected for."""

    officer: Officer
    phone: str
    answer: str
    reasons: list[str]
    channel: str
    expected: str = "accepted"
    sent_twice: bool = False
    at: datetime = NOW


def plan(count: int, officers: list[Officer], edition: dict[str, Any], chance: random.Random) -> list[Visit]:
    """`count` visits, second ratings of an officer last.

    Some officers are busier and better than others; about 1 in 10 citizens is not satisfied, 1 in 20 mistypes
    the code, 1 in 20 rates the same officer again, 1 in 20 sends twice. Each unit is visited at two desks at
    least: figures of a unit with one officer are published in batches, as the officer's are.
    """
    reasons = [reason["id"] for reason in edition["instrument"]["reasons"]]
    busy = [chance.paretovariate(1.5) for _ in officers]
    unhappy = {officer.id: min(0.5, chance.expovariate(10)) for officer in officers}
    again = count // 20
    visits = []
    for officer in chance.choices(officers, busy, k=count - again):
        satisfied = chance.random() >= unhappy[officer.id]
        visits.append(
            Visit(
                officer=officer,
                # From the system's randomness: two runs on one day must not be each other's duplicates.
                phone=chance.choice(PREFIXES) + "".join(secrets.choice("0123456789") for _ in range(7)),
                answer="satisfied" if satisfied else "not_satisfied",
                reasons=[] if satisfied else chance.sample(reasons, chance.choice((1, 1, 2))),
                channel=chance.choices(list(CHANNELS), list(CHANNELS.values()))[0],
                expected="challenge_wrong" if chance.random() < 0.05 else "accepted",
                sent_twice=chance.random() < 0.05,
            )
        )
    counted = [visit for visit in visits if visit.expected == "accepted"]
    _at_two_desks(visits, counted, officers)
    return visits + [
        Visit(first.officer, first.phone, "satisfied", [], first.channel, "duplicate")
        for first in chance.sample(counted, min(again, len(counted)))
    ]


def _at_two_desks(visits: list[Visit], counted: list[Visit], officers: list[Officer]) -> None:
    """Send who would be the only one of a unit to the one that most visit."""
    colleagues: dict[str, list[Officer]] = {}
    for officer in officers:
        colleagues.setdefault(officer.unit_id, []).append(officer)
    of_unit = Counter(visit.officer.unit_id for visit in counted)
    large = [unit for unit, desks in colleagues.items() if len(desks) > 1]
    most = max(large, key=lambda unit: of_unit[unit])
    for visit in visits:
        unit = visit.officer.unit_id
        if len(colleagues[unit]) == 1 or of_unit[unit] < 2:
            visit.officer = colleagues[most][0]
    for unit in {visit.officer.unit_id for visit in counted}:
        there = [visit for visit in counted if visit.officer.unit_id == unit]
        first, second = colleagues[unit][:2]
        if len(there) > 1 and len({visit.officer.id for visit in there}) == 1:
            there[0].officer = second if there[0].officer == first else first


def expected_figures(visits: list[Visit]) -> dict[Scope, Counter[str]]:
    """What the visits must add to every scope."""
    added: dict[Scope, Counter[str]] = {}
    for visit in visits:
        if visit.expected == "accepted":
            items = [f"answer:{visit.answer}", f"channel:{visit.channel}"]
            items += [f"reason:{reason}" for reason in visit.reasons]
        else:
            items = [f"rejection:{visit.expected}"]
        for scope in visit.officer.scopes:
            added.setdefault(scope, Counter()).update(items)
    return added
