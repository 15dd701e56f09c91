"""Ratings as citizens would send them, each with what its challenge shows: requests, and submissions as
intake would have written them."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from contracts.envelope import Envelope, Message, encode
from contracts.events import ChallengeAnswer, RatingSubmitted, Sealed
from contracts.topics import key_of
from faults import citizens
from faults.overloading.wire import request_of
from faults.planning import PREFIXES, Officer, read_officers
from services.verification.challenges import Challenges

REASONS = ("late", "many_visits", "long_wait", "attitude", "other")
SATISFIED, WRONG = 0.85, 0.1


@dataclass(frozen=True, slots=True)
class Rated:
    officer: Officer
    answer: str
    reasons: list[str]
    phone: str


def draw(chance: random.Random, officers: Sequence[Officer]) -> Rated:
    satisfied = chance.random() < SATISFIED
    phone = chance.choice(PREFIXES) + "".join(chance.choices("0123456789", k=7))
    return Rated(
        chance.choice(officers),
        "satisfied" if satisfied else "not_satisfied",
        [] if satisfied else [chance.choice(REASONS)],
        phone,
    )


def requests(
    port: int,
    edition: str,
    portal_key: str,
    seed: int,
    *,
    challenges: Challenges | None = None,
    officers: Sequence[Officer] = (),
) -> Iterator[tuple[Rated, bytes]]:
    """Without end. With `challenges` each carries one of its own, rightly answered."""
    chance = random.Random(seed)
    from_ = officers or read_officers()
    number = 0
    while True:
        number += 1
        rated = draw(chance, from_)
        challenge = {"id": f"bench-{seed}-{number}", "answer": "123456"}
        if challenges is not None:
            issued = challenges.issue(edition, datetime.now(UTC))
            challenge = {"id": issued.id, "answer": issued.digits}
        body = {
            "edition_id": edition,
            "officer_id": rated.officer.id,
            "answer": rated.answer,
            "reasons": rated.reasons,
            "phone": f"0{rated.phone}",
            "consent": True,
            "challenge": challenge,
            "channel": "portal",
            "language": "vi",
        }
        headers = citizens.headers(portal_key, chance)
        key = f"bench-{seed:08}-{number:08}"
        yield rated, request_of(port, json.dumps(body).encode(), key, headers)


def submissions(
    count: int, edition: str, seed: int, *, challenges: Challenges, phone: Sealed
) -> Iterator[tuple[UUID, bool, Message]]:
    """The submission's id, whether its code is right, and the message. One sealed phone for all: with the
    policy `captcha` nobody opens it; the pseudonyms by which duplicates are found differ."""
    chance = random.Random(f"submissions {seed}")
    officers = read_officers()
    now = datetime.now(UTC)
    for _ in range(count):
        rated, right = draw(chance, officers), chance.random() >= WRONG
        issued = challenges.issue(edition, now)
        submission_id = UUID(int=chance.getrandbits(128))
        event = RatingSubmitted(
            rating_id=UUID(int=chance.getrandbits(128)),
            idempotency_token=f"{chance.getrandbits(256):064x}",
            edition_id=edition,
            group_id=rated.officer.group_id,
            unit_id=rated.officer.unit_id,
            officer_id=rated.officer.id,
            answer=rated.answer,
            reasons=tuple(rated.reasons),
            channel="portal",
            language="vi",
            phone=phone,
            phone_pseudonym=f"{chance.getrandbits(256):064x}",
            challenge=ChallengeAnswer(id=issued.id, answer=issued.digits if right else "111111"),
            submitted_at=now,
        )
        envelope = Envelope(
            id=submission_id,
            source="/hailong/intake",
            subject=str(event.rating_id),
            time=now,
            correlation_id=submission_id,
            data=event,
        )
        yield submission_id, right, encode(envelope, key=key_of(event))
