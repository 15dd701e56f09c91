"""What a citizen may be told about their rating."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from contracts.events import RejectionReason
from services.verification.domain.ratings import (
    WITHDRAWABLE,
    Accepted,
    AwaitingPhoneCode,
    Rejected,
    State,
    Withdrawn,
    told_as_accepted,
)

Status = Literal["pending", "phone_code_needed", "accepted", "rejected", "withdrawn"]


@dataclass(frozen=True, slots=True)
class PublicStatus:
    status: Status
    reason: RejectionReason | None = None
    decided_at: datetime | None = None
    code_expires_at: datetime | None = None
    tries_left: int | None = None
    withdrawable_until: datetime | None = None


PENDING = PublicStatus("pending")


def public_status(
    state: State, decided_at: datetime | None, window: timedelta = WITHDRAWABLE
) -> PublicStatus:
    """`window`: how long after its acceptance a citizen can withdraw their rating.

    What is told as accepted (`told_as_accepted`) is told alike ever after, its withdrawal included.
    """
    match state:
        case Accepted() | Rejected() if told_as_accepted(state):
            until = None if decided_at is None else decided_at + window
            return PublicStatus("accepted", decided_at=decided_at, withdrawable_until=until)
        case Rejected():
            return PublicStatus("rejected", state.reason, decided_at)
        case Withdrawn():
            return PublicStatus("withdrawn", decided_at=decided_at)
        case AwaitingPhoneCode():
            return PublicStatus(
                "phone_code_needed", code_expires_at=state.expires_at, tries_left=state.tries_left
            )
    return PENDING
