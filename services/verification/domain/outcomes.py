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
    RatingWithdrawn,
    ScaleAnswer,
)
from contracts.topics import key_of
from contracts.values import Code, Identifier
from services.verification.domain.ratings import Accepted, Decided, Rejected, Withdrawn

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
    scale_answers: tuple[ScaleAnswer, ...] = ()
    respondent: Code = "citizen"
    deciding_unit_id: Identifier | None = None

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
            scale_answers=submission.scale_answers,
            respondent=submission.respondent,
            deciding_unit_id=submission.deciding_unit_id,
        )

    def counted(self) -> dict[str, Any]:
        """What it counts as, but for what stood behind it."""
        return {
            "answer": self.answer,
            "reasons": self.reasons,
            "scale_answers": self.scale_answers,
            "respondent": self.respondent,
            "deciding_unit_id": self.deciding_unit_id,
        }


def outcome_message(rated: Rated, decided: Decided, decided_at: datetime) -> Message:
    """The outcome, encoded. Its id follows from the submission's, so a repetition is the same event."""
    shared = _shared(rated, decided_at)
    if isinstance(decided, Accepted):
        outcome: Outcome = RatingAccepted(**shared, **rated.counted(), assurance=decided.assurance)
    else:
        outcome = RatingRejected(**shared, reason=decided.reason)
    return _message(rated, outcome, "outcome")


def withdrawal_message(
    rated: Rated, withdrawn: Withdrawn, accepted_at: datetime, at: datetime
) -> Message | None:
    """The same of its withdrawal, which says what the rating counted as; None where it never counted."""
    if isinstance(withdrawn.of, Rejected):
        return None
    outcome = RatingWithdrawn(
        **_shared(rated, at),
        **rated.counted(),
        assurance=withdrawn.of.assurance,
        accepted_at=accepted_at,
        kind=withdrawn.kind,
        reason=withdrawn.reason,
        wave_id=withdrawn.wave_id,
    )
    return _message(rated, outcome, "withdrawal")


def _message(rated: Rated, outcome: Outcome, label: str) -> Message:
    envelope = Envelope(
        id=uuid5(rated.submission_id, label),
        source=SOURCE,
        subject=rated.officer_id,
        time=outcome.decided_at,
        correlation_id=rated.submission_id,
        causation_id=rated.submission_id,
        data=outcome,
    )
    return encode(envelope, key=key_of(outcome))


def _shared(rated: Rated, decided_at: datetime) -> dict[str, Any]:
    return {
        "submission_id": rated.submission_id,
        "edition_id": rated.edition_id,
        "group_id": rated.group_id,
        "unit_id": rated.unit_id,
        "officer_id": rated.officer_id,
        "channel": rated.channel,
        "submitted_at": rated.submitted_at,
        "decided_at": decided_at,
    }
