"""What a citizen may be told about their rating."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from contracts.events import Assurance, RejectionReason
from services.verification.domain.ratings import Accepted, AwaitingPhoneCode, Rejected, State

Status = Literal["pending", "phone_code_needed", "accepted", "rejected"]


@dataclass(frozen=True, slots=True)
class PublicStatus:
    status: Status
    reason: RejectionReason | None = None
    decided_at: datetime | None = None
    code_expires_at: datetime | None = None
    tries_left: int | None = None


_PHONE_PROVED = {
    Assurance.PHONE_CODE,
    Assurance.CAPTCHA_AND_PHONE_CODE,
    Assurance.PROOF_OF_WORK_AND_PHONE_CODE,
    Assurance.CAPTCHA_AND_PROOF_OF_WORK_AND_PHONE_CODE,
}
PENDING = PublicStatus("pending")


def public_status(state: State, decided_at: datetime | None) -> PublicStatus:
    """A duplicate is named only to who proved to hold the phone.

    With the image code or proof of work alone, anyone could type anyone's number; being told "duplicate"
    would tell whether, and whom, that person has rated. So there a duplicate is told as accepted.
    """
    match state:
        case Accepted():
            return PublicStatus("accepted", decided_at=decided_at)
        case Rejected(RejectionReason.DUPLICATE) if state.assurance not in _PHONE_PROVED:
            return PublicStatus("accepted", decided_at=decided_at)
        case Rejected():
            return PublicStatus("rejected", state.reason, decided_at)
        case AwaitingPhoneCode():
            return PublicStatus(
                "phone_code_needed", code_expires_at=state.expires_at, tries_left=state.tries_left
            )
    return PENDING
