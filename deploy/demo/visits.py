"""Who comes, how they rate, and what must become of it."""

import random
import secrets
from collections import Counter
from dataclasses import dataclass
from typing import Any

PREFIXES = ("090", "093", "070", "079", "091", "094", "088", "096", "097", "098", "032", "056", "059")
CHANNELS = {"portal": 6, "web": 2, "qr": 2, "kiosk": 1}

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


def plan(count: int, officers: list[Officer], edition: dict[str, Any], chance: random.Random) -> list[Visit]:
    """`count` visits, second ratings of an officer last.

    Some officers are busier and better than others; about 1 in 10 citizens is not satisfied, 1 in 20 mistypes
    the code, 1 in 20 rates the same officer again, 1 in 20 sends twice.
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
    return visits + [
        Visit(first.officer, first.phone, "satisfied", [], first.channel, "duplicate")
        for first in chance.sample(counted, min(again, len(counted)))
    ]


def expected_figures(visits: list[Visit]) -> dict[Scope, Counter[str]]:
    """What the visits must add to every scope."""
    added: dict[Scope, Counter[str]] = {}
    for visit in visits:
        if visit.expected == "accepted":
            items = [f"answer:{visit.answer}", f"channel:{visit.channel}"]
            items += [f"reason:{reason}" for reason in visit.reasons]
        else:
            items = [f"rejected:{visit.expected}"]
        for scope in visit.officer.scopes:
            added.setdefault(scope, Counter()).update(items)
    return added
