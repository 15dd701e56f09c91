"""What a citizen is told about their rating, and what nobody can find out about someone else's."""

import pytest

from contracts.events import Assurance, RejectionReason, Withdrawal
from services.verification.domain.ratings import (
    WITHDRAWABLE,
    Accepted,
    AwaitingPhoneCode,
    Rejected,
    Undecided,
    Withdrawn,
)
from services.verification.domain.status import PublicStatus, public_status
from tests.unit.verification.scenario import NOON


def test_a_rating_that_has_not_been_read_yet_is_pending() -> None:
    assert public_status(Undecided(), None) == PublicStatus("pending")


@pytest.mark.parametrize("assurance", Assurance)
def test_an_accepted_rating_is_told_with_the_time(assurance: Assurance) -> None:
    assert public_status(Accepted(assurance), NOON) == PublicStatus(
        "accepted", decided_at=NOON, withdrawable_until=NOON + WITHDRAWABLE
    )


@pytest.mark.parametrize("reason", sorted(set(RejectionReason) - {RejectionReason.DUPLICATE}))
def test_a_rejected_rating_is_told_with_reason_and_time(reason: RejectionReason) -> None:
    assert public_status(Rejected(reason), NOON) == PublicStatus("rejected", reason=reason, decided_at=NOON)


def test_while_a_code_is_awaited_it_says_how_long_and_how_many_tries_are_left() -> None:
    said = public_status(AwaitingPhoneCode(NOON, 3, Assurance.PHONE_CODE), None)
    assert said == PublicStatus("phone_code_needed", code_expires_at=NOON, tries_left=3)


PHONE_PROVED = {each for each in Assurance if "phone_code" in each}


@pytest.mark.parametrize("assurance", sorted(set(Assurance) - PHONE_PROVED))
def test_without_proof_of_the_phone_a_duplicate_looks_exactly_like_a_rating_that_counts(
    assurance: Assurance,
) -> None:
    duplicate = Rejected(RejectionReason.DUPLICATE, assurance)
    assert public_status(duplicate, NOON) == public_status(Accepted(assurance), NOON)


@pytest.mark.parametrize("assurance", sorted(PHONE_PROVED))
def test_who_proved_to_hold_the_phone_is_told_of_the_duplicate(assurance: Assurance) -> None:
    said = public_status(Rejected(RejectionReason.DUPLICATE, assurance), NOON)
    assert said == PublicStatus("rejected", reason=RejectionReason.DUPLICATE, decided_at=NOON)


@pytest.mark.parametrize("kind", Withdrawal)
def test_what_is_withdrawn_is_told_alike_whoever_did_it_and_whether_it_ever_counted(kind: Withdrawal) -> None:
    accepted = Accepted(Assurance.CAPTCHA)
    duplicate = Rejected(RejectionReason.DUPLICATE, Assurance.CAPTCHA)
    for state in (Withdrawn(accepted, kind), Withdrawn(duplicate, kind)):
        assert public_status(state, NOON) == PublicStatus("withdrawn", decided_at=NOON)
