"""The event that tells a decision: everything a figure needs, nothing that leads to the citizen."""

from datetime import timedelta
from uuid import UUID, uuid5

import pytest

from contracts.envelope import decode
from contracts.events import Assurance, RatingAccepted, RatingRejected, RatingSubmitted, RejectionReason
from contracts.golden import EVENTS
from services.verification.domain.outcomes import Rated, outcome_message
from services.verification.domain.ratings import Accepted, Decided, Rejected

SUBMISSION = UUID("7d0f6a52-91c4-8e3b-a6f0-5b2d8c4e1f97")
SUBMITTED = next(event for event in EVENTS if isinstance(event, RatingSubmitted))
RATED = Rated.of(SUBMISSION, SUBMITTED)
AT = SUBMITTED.submitted_at + timedelta(milliseconds=65)
ACCEPTED = Accepted(Assurance.CAPTCHA)
DUPLICATE = Rejected(RejectionReason.DUPLICATE, Assurance.PHONE_CODE)


def told(decided: Decided) -> RatingAccepted | RatingRejected:
    message = outcome_message(RATED, decided, AT)
    event = decode(message.value, message.headers).data
    assert isinstance(event, RatingAccepted | RatingRejected)
    return event


def test_an_accepted_rating_is_told_with_its_answer_and_what_stood_behind_it() -> None:
    assert told(ACCEPTED) == next(event for event in EVENTS if isinstance(event, RatingAccepted))


def test_a_rejected_rating_is_told_with_the_reason_and_without_its_answer() -> None:
    wrong = Rejected(RejectionReason.CHALLENGE_WRONG)
    assert told(wrong) == next(event for event in EVENTS if isinstance(event, RatingRejected))


@pytest.mark.parametrize("decided", [ACCEPTED, DUPLICATE])
def test_an_outcome_is_about_the_officer_and_was_caused_by_the_submission(decided: Decided) -> None:
    message = outcome_message(RATED, decided, AT)
    envelope = decode(message.value, message.headers)
    assert (envelope.correlation_id, envelope.causation_id) == (SUBMISSION, SUBMISSION)
    assert (envelope.source, envelope.subject) == ("/hailong/verification", SUBMITTED.officer_id)
    assert envelope.time == AT


def test_outcomes_of_an_officer_share_a_key_and_so_a_partition() -> None:
    assert outcome_message(RATED, ACCEPTED, AT).key == SUBMITTED.officer_id.encode()


def test_told_again_it_is_the_same_event_byte_for_byte() -> None:
    assert outcome_message(RATED, ACCEPTED, AT) == outcome_message(RATED, ACCEPTED, AT)


def test_its_id_follows_from_the_submission_whatever_was_decided_and_when() -> None:
    """So that a reader finds a repetition by its id, and a later release makes no second event of it."""
    for decided, at in ((ACCEPTED, AT), (DUPLICATE, AT + timedelta(days=1))):
        message = outcome_message(RATED, decided, at)
        assert decode(message.value, message.headers).id == uuid5(SUBMISSION, "outcome")


@pytest.mark.parametrize("decided", [ACCEPTED, DUPLICATE])
def test_nothing_in_it_is_known_to_the_citizen_or_leads_to_the_phone(decided: Decided) -> None:
    message = outcome_message(RATED, decided, AT)
    said = b"\n".join([message.key or b"", message.value or b"", *(value for _, value in message.headers)])
    assert SUBMITTED.phone is not None
    assert SUBMITTED.phone_pseudonym is not None
    for secret in (str(SUBMITTED.rating_id), SUBMITTED.phone_pseudonym, SUBMITTED.phone.box):
        assert secret.encode() not in said
