"""From a decision to the event that tells it, the same bytes every time."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID, uuid5

from pydantic import AwareDatetime

from contracts.envelope import Envelope, Message, encode
from contracts.events import (
    Frozen,
    Outcome,
    RatingAccepted,
    RatingRejected,
    RatingSubmitted,
)
from contracts.topics import key_of
from contracts.values import Code, Identifier
from services.verification.domain.ratings import Accepted, Decided

SOURCE = "/hailong/verification"


class Rated(Frozen):
    """What an outcome says of its submission: no phone, no pseudonym, nothing that the citizen holds."""

    submission_id: UUID
    edition_id: Identifier
    group_id: Identifier
    unit_id: Identifier
    officer_id: Identifier
    answer: Code
    reasons: tuple[Code, ...]
    channel: Code
    submitted_at: AwareDatetime

    @classmethod
    def of(cls, submission_id: UUID, submission: RatingSubmitted) -> Self:
        return cls(
            submission_id=submission_id,
            edition_id=submission.edition_id,
            group_id=submission.group_id,
            unit_id=submission.unit_id,
            officer_id=submission.officer_id,
            answer=submission.answer,
            reasons=submission.reasons,
            channel=submission.channel,
            submitted_at=submission.submitted_at,
        )


def outcome_message(rated: Rated, decided: Decided, decided_at: datetime) -> Message:
    """The outcome, encoded. Its id follows from the submission's, so a repetition is the same event."""
    outcome = _outcome(rated, decided, decided_at)
    envelope = Envelope(
        id=uuid5(rated.submission_id, "outcome"),
        source=SOURCE,
        subject=rated.officer_id,
        time=decided_at,
        correlation_id=rated.submission_id,
        causation_id=rated.submission_id,
        data=outcome,
    )
    return encode(envelope, key=key_of(outcome))


def _outcome(rated: Rated, decided: Decided, decided_at: datetime) -> Outcome:
    shared: dict[str, Any] = {
        "submission_id": rated.submission_id,
        "edition_id": rated.edition_id,
        "group_id": rated.group_id,
        "unit_id": rated.unit_id,
        "officer_id": rated.officer_id,
        "channel": rated.channel,
        "submitted_at": rated.submitted_at,
        "decided_at": decided_at,
    }
    if isinstance(decided, Accepted):
        return RatingAccepted(
            **shared, answer=rated.answer, reasons=rated.reasons, assurance=decided.assurance
        )
    return RatingRejected(**shared, reason=decided.reason)
