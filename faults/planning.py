"""Which ratings are posted: each with a known answer, and no two that could be confused."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from deploy.local.layout import CHECKOUT

PROBED = ("ubnd-quan-ngu-hanh-son", "ubnd-quan-cam-le")
"""Units that only probes rate, so that a probe is seen in their figures."""
PHONES = 997  # prime, so that pairs of phone and officer repeat late
REASONS = ("late", "many_visits", "long_wait", "attitude", "other")
CHANNELS = ("portal", "web", "qr", "kiosk")
PREFIXES = ("90", "93", "70", "79", "91", "94", "88", "96", "97", "98", "32", "56", "59")


class Kind(StrEnum):
    """What is special about a rating. Numbers in `WEIGHTS` are how often of 100."""

    PLAIN = "plain"
    WRONG = "wrong"  # another code than the challenge shows
    USED = "used"  # a second rating on the same challenge
    DUPLICATE = "duplicate"  # the same phone and officer again
    REPEATED = "repeated"  # the same request again after its 202
    HASTY = "hasty"  # the same request to both replicas at once
    WITHDRAWN = "withdrawn"  # and withdrawn as soon as it is kept, twice at once
    REUSED_KEY = "reused-key"  # another rating under the same Idempotency-Key
    PHONE = "phone"  # with a code by SMS, entered right
    PHONE_WRONG = "phone-wrong"  # five wrong codes
    PHONE_SILENT = "phone-silent"  # never entered


WEIGHTS = {
    Kind.PLAIN: 64,
    Kind.WRONG: 6,
    Kind.USED: 5,
    Kind.DUPLICATE: 5,
    Kind.REPEATED: 4,
    Kind.HASTY: 4,
    Kind.REUSED_KEY: 3,
    Kind.WITHDRAWN: 3,
    # Each code and each try takes a seventh of a second of a core to hash: more of them, and all that is
    # measured is that.
    Kind.PHONE: 4,
    Kind.PHONE_WRONG: 1,
    Kind.PHONE_SILENT: 1,
}
WITHOUT_CODES = {kind: weight for kind, weight in WEIGHTS.items() if not kind.startswith("phone")}
PAIRED = (Kind.USED, Kind.DUPLICATE, Kind.REUSED_KEY)


@dataclass(frozen=True, slots=True)
class Officer:
    id: str
    unit_id: str
    group_id: str


@dataclass(slots=True)
class Planned:
    """One rating. `phone`: nine digits, without the leading 0. `right`: its challenge's answer is."""

    number: int
    kind: Kind
    key: str
    edition: str
    officer: Officer
    phone: str
    answer: str
    reasons: list[str]
    channel: str
    right: bool = True
    partner: "Planned | None" = None
    challenge: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    receipt: str = ""

    @property
    def asks_code(self) -> bool:
        return self.edition != "faults-captcha"


class Planner:
    """Draws ratings from `chance`; the same seed draws the same ones."""

    def __init__(self, chance: random.Random, weights: Mapping[Kind, int] = WEIGHTS) -> None:
        self._chance = chance
        self._weights = weights
        officers = read_officers()
        self._officers = [each for each in officers if each.unit_id not in PROBED]
        self.probed = [each for each in officers if each.unit_id in PROBED]
        self._used: set[str] = set()
        self._phones = [self._new_phone() for _ in range(PHONES)]
        self._pair = 0
        self._number = 0

    def draw(self) -> list[Planned]:
        """One rating, or two that belong together."""
        kind = self._chance.choices(list(self._weights), list(self._weights.values()))[0]
        first = self._rating(kind)
        if kind not in PAIRED:
            return [first]
        return [first, self.meeting(first, kind)]

    def meeting(self, first: Planned, kind: Kind) -> Planned:
        """One that has a challenge, a key, or phone and officer in common with another."""
        second = self._rating(kind)
        while kind is Kind.USED and second.officer == first.officer:
            second = self._rating(kind)
        second.partner = first
        if kind is Kind.DUPLICATE:
            second.phone, second.officer = first.phone, first.officer
        elif kind is Kind.REUSED_KEY:
            second.key = first.key
        return second

    def probe(self, officer: Officer) -> Planned:
        planned = self._rating(Kind.PLAIN)
        planned.officer, planned.phone = officer, self._new_phone()
        return planned

    def _rating(self, kind: Kind) -> Planned:
        self._number += 1
        chance = self._chance
        satisfied = chance.random() < 0.7
        with_code = kind in (Kind.PHONE, Kind.PHONE_WRONG, Kind.PHONE_SILENT)
        phone, officer = self._next_pair()
        return Planned(
            number=self._number,
            kind=kind,
            key=f"faults-{chance.getrandbits(64):016x}-{self._number}",
            edition=chance.choice(("faults-phone", "faults-both")) if with_code else "faults-captcha",
            officer=officer,
            # A number of its own, so that the text message says which rating it is for.
            phone=self._new_phone() if with_code else phone,
            answer="satisfied" if satisfied else "not_satisfied",
            reasons=[] if satisfied else chance.sample(REASONS, chance.choice((1, 1, 2))),
            channel=chance.choice(CHANNELS),
            right=kind is not Kind.WRONG,
        )

    def _next_pair(self) -> tuple[str, Officer]:
        self._pair += 1
        return self._phones[self._pair % PHONES], self._officers[self._pair % len(self._officers)]

    def _new_phone(self) -> str:
        while True:
            digits = "".join(self._chance.choices("0123456789", k=7))
            phone = self._chance.choice(PREFIXES) + digits
            if phone not in self._used:
                self._used.add(phone)
                return phone


def spelt(phone: str, chance: random.Random) -> str:
    """As people write a number."""
    first, second, third = phone[:2], phone[2:5], phone[5:]
    return chance.choice(
        (
            f"0{phone}",
            f"+84{phone}",
            f"0{first} {second} {third}",
            f"+84 {first} {second} {third}",
            f"0{first}.{second}.{third}",
            f"0{first}-{second}-{third}",
        )
    )


def read_officers(path: Path = CHECKOUT / "data" / "directory-2017.yaml") -> list[Officer]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [
        Officer(f"{unit['id']}.{officer['id']}", unit["id"], group["id"])
        for group in content["directory"]["groups"]
        for unit in group["units"]
        for officer in unit["officers"]
    ]
