"""Outcomes to fold, as the verification service would have decided them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4, uuid5

from contracts.envelope import Envelope, Message, encode
from contracts.events import Outcome, RatingAccepted, RatingRejected
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
    unit: str = UNIT,
    group: str = GROUP,
) -> RatingAccepted:
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
        assurance="captcha",
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


def message(outcome: Outcome) -> Message:
    return encode(
        Envelope(
            id=uuid5(outcome.submission_id, "outcome"),
            source="urn:hailong:verification",
            subject=outcome.officer_id,
            time=outcome.decided_at,
            correlation_id=outcome.submission_id,
            data=outcome,
        ),
        key=key_of(outcome),
    )
