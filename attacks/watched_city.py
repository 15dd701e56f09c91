"""A small city that is rated for some days: what an attack on its figures tries to find out."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID

from contracts.city_time import CITY_TIME, city_day
from contracts.events import Outcome, RatingAccepted, RatingRejected

EDITIONS = ("2017", "2018")
REASONS = ("late", "attitude")
OFFICERS = {"a1": 1, "a2": 2, "a3": 4, "b1": 1, "b2": 1, "b3": 3}
"""How many each unit has; its letter is its group."""
FIRST_DAY = datetime(2017, 11, 20, 8, tzinfo=CITY_TIME)
TAG = "rating_"


@dataclass(frozen=True, slots=True)
class Rating:
    """One that somebody sent, and what nobody but them should know."""

    number: int
    unit: str
    officer: str
    edition: str
    at: datetime
    accepted: bool
    satisfied: bool
    reasons: tuple[str, ...]

    def outcome(self) -> Outcome:
        """As the observer takes it in: with an answer of its own."""
        decided = RatingAccepted(
            submission_id=UUID(int=self.number),
            edition_id=self.edition,
            group_id=self.unit[0],
            unit_id=self.unit,
            officer_id=self.officer,
            channel=("portal", "portal", "kiosk")[self.number % 3],
            submitted_at=self.at,
            decided_at=self.at,
            answer=f"{TAG}{self.number}",
            reasons=self.reasons,
            assurance=("captcha", "captcha", "captcha", "phone_code")[self.number % 4],
        )
        if self.accepted:
            return decided
        told = decided.model_dump(exclude={"answer", "reasons", "assurance"})
        return RatingRejected(**told, reason="duplicate")


def drawn(count: int, seed: int) -> Iterator[Rating]:
    """Ratings of some days, busy ones and quiet ones."""
    chance, at = random.Random(seed), FIRST_DAY
    for number in range(count):
        if chance.random() < 0.06:
            at = datetime.combine(city_day(at) + timedelta(days=1), time(8), CITY_TIME)
        at += timedelta(minutes=chance.randrange(1, 9))
        unit = chance.choice(list(OFFICERS))
        satisfied = chance.random() < 0.6
        yield Rating(
            number,
            unit,
            f"{unit}.{chance.randrange(OFFICERS[unit])}",
            chance.choices(EDITIONS, (4, 1))[0],
            at,
            chance.random() < 0.95,
            satisfied,
            () if satisfied else tuple(chance.sample(REASONS, chance.randrange(3))),
        )
