"""A city of 29 units, four officers each, that is rated for a year of working days. Pure."""

import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from uuid import UUID

from contracts.city_time import CITY_TIME
from contracts.events import Outcome, RatingAccepted, RatingRejected

UNITS = {f"unit-{n}": "group-a" if n < 21 else "group-b" for n in range(29)}
OFFICERS = [f"{unit}.{n}" for unit in UNITS for n in range(4)]
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
DAYS = [day for n in range(365) if (day := FIRST + timedelta(days=n)).isoweekday() <= 5]
HOURS = (7, 8, 9, 10, 11, 13, 14, 15, 16)


def outcomes(count: int, seed: int = 1) -> Iterator[Outcome]:
    """In the order of the log."""
    chance = random.Random(seed)
    moments = sorted(
        datetime.combine(chance.choice(DAYS), time(chance.choice(HOURS), chance.randrange(60)), CITY_TIME)
        for _ in range(count)
    )
    for moment in moments:
        officer = chance.choice(OFFICERS)
        unit = officer.partition(".")[0]
        satisfied = chance.random() < 0.9
        decided = RatingAccepted(
            submission_id=UUID(int=chance.getrandbits(128)),
            edition_id="2026",
            group_id=UNITS[unit],
            unit_id=unit,
            officer_id=officer,
            channel=chance.choice(("web", "portal", "kiosk")),
            submitted_at=moment,
            decided_at=moment,
            answer="satisfied" if satisfied else "not_satisfied",
            reasons=() if satisfied else (chance.choice(("late", "attitude", "unclear", "documents")),),
            assurance=chance.choice(("captcha", "phone_code")),
        )
        if chance.random() < 0.95:
            yield decided
        else:
            told = decided.model_dump(exclude={"answer", "reasons", "assurance"})
            yield RatingRejected(**told, reason=chance.choice(("duplicate", "expired")))
