"""Outcomes to fold, as the verification service would have decided them."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4, uuid5

from contracts.envelope import Envelope, Message, encode
from contracts.events import Outcome, RatingAccepted, RatingRejected, RatingWithdrawn, ScaleAnswer, Withdrawal
from contracts.topics import key_of

GROUP, UNIT = "so-ban-nganh", "so-thong-tin-va-truyen-thong"
MOMENT = datetime(2017, 11, 23, 2, 15, 30, tzinfo=UTC)


def accepted(
    officer: str = f"{UNIT}.dinh-thi-minh-phuong",
    *,
    answer: str = "satisfied",
    reasons: Sequence[str] = (),
    submission: UUID | None = None,
    at: datetime = MOMENT,
    edition: str = "2017",
    channel: str = "portal",
    assurance: str = "captcha",
    unit: str = UNIT,
    group: str = GROUP,
    scales: Sequence[tuple[str, str, str]] = (),
) -> RatingAccepted:
    """`scales`: scale, question and choice of each further answer."""
    return RatingAccepted(
        submission_id=submission or uuid4(),
        edition_id=edition,
        group_id=group,
        unit_id=unit,
        officer_id=officer,
        channel=channel,
        submitted_at=at,
        decided_at=at,
        answer=answer,
        reasons=tuple(reasons),
        assurance=assurance,
        scale_answers=tuple(ScaleAnswer(scale=s, question=q, choice=c) for s, q, c in scales),
    )


def rejected(
    officer: str = f"{UNIT}.dinh-thi-minh-phuong",
    *,
    reason: str = "duplicate",
    submission: UUID | None = None,
    at: datetime = MOMENT,
    unit: str = UNIT,
) -> RatingRejected:
    return RatingRejected(
        submission_id=submission or uuid4(),
        edition_id="2017",
        group_id=GROUP,
        unit_id=unit,
        officer_id=officer,
        channel="portal",
        submitted_at=at,
        decided_at=at,
        reason=reason,
    )


def taken_back(
    rating: RatingAccepted, at: datetime | None = None, kind: Withdrawal = Withdrawal.CITIZEN
) -> RatingWithdrawn:
    """Its withdrawal, at once unless said otherwise."""
    return RatingWithdrawn(
        **{**rating.model_dump(), "decided_at": at or rating.decided_at},
        accepted_at=rating.decided_at,
        kind=kind,
    )


def some(count: int) -> list[Outcome]:
    """`count` accepted ratings over many officers, of which three in four answer a further question, and one
    rejected for every ten."""
    chosen = random.Random(count)
    outcomes: list[Outcome] = [
        accepted(
            f"unit-{chosen.randrange(3)}.o{chosen.randrange(40)}",
            unit=f"unit-{chosen.randrange(3)}",
            answer=chosen.choice(["satisfied", "not_satisfied"]),
            reasons=["late"],
            at=datetime(2017, 3, chosen.randrange(1, 28), chosen.randrange(24), tzinfo=UTC),
            scales=[("points", "time", f"p{place % 3}")] * (place % 4 > 0),
        )
        for place in range(count)
    ]
    return outcomes + [rejected(reason=chosen.choice(["duplicate", "expired"])) for _ in range(count // 10)]


def message(outcome: Outcome) -> Message:
    return encode(
        Envelope(
            id=uuid5(
                outcome.submission_id, "withdrawal" if isinstance(outcome, RatingWithdrawn) else "outcome"
            ),
            source="urn:hailong:verification",
            subject=outcome.officer_id,
            time=outcome.decided_at,
            correlation_id=outcome.submission_id,
            data=outcome,
        ),
        key=key_of(outcome),
    )
