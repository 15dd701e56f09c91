"""Between rows of `ratings` and `phone_codes` and the states they hold."""

from typing import Any
from uuid import UUID

import asyncpg

from contracts.events import Assurance, RejectionReason, Withdrawal
from services.verification.domain.outcomes import Rated
from services.verification.domain.ratings import (
    Accepted,
    AwaitingPhoneCode,
    Decided,
    Rejected,
    State,
    Withdrawn,
)
from services.verification.ports import HashedCode, HashedCodes, Slot, Source, Stored, Withdrawing

_SELECT = """
    SELECT r.*, c.expires_at, c.tries_left, c.rated, c.pseudonym, c.officer_id, c.edition_id, c.window_number
    FROM ratings r LEFT JOIN phone_codes c USING (rating_id)
"""
BY_ID = _SELECT + " WHERE r.rating_id = ANY ($1::uuid[])"
EXPIRED_SINCE = (
    _SELECT + " WHERE r.source_partition = $1 AND r.source_expiry > $2 ORDER BY r.source_expiry, r.rating_id"
)
DUE = _SELECT + " WHERE c.partition = $1 AND c.awaiting AND c.expires_at < $2 ORDER BY c.expires_at LIMIT $3"


def columns(state: State) -> tuple[str, str | None, str | None]:
    """status, reason, assurance; of a withdrawn rating those of its decision"""
    match state:
        case Withdrawn():
            return columns(state.of)
        case Accepted():
            return "accepted", None, state.assurance.value
        case Rejected():
            return "rejected", state.reason.value, state.assurance.value if state.assurance else None
        case AwaitingPhoneCode():
            return "phone_code_needed", None, state.assurance.value
    raise TypeError(f"{type(state).__name__} is not stored")


def state(row: asyncpg.Record) -> State:
    found = _decided(row)
    if row["withdrawal"] is None or isinstance(found, AwaitingPhoneCode):
        return found
    wave_id = row["withdrawal_wave_id"]
    return Withdrawn(
        found,
        Withdrawal(row["withdrawal"]),
        row["withdrawal_reason"],
        None if wave_id is None else UUID(int=wave_id.int),
    )


def _decided(row: asyncpg.Record) -> Decided | AwaitingPhoneCode:
    assurance = Assurance(row["assurance"]) if row["assurance"] else None
    if row["status"] == "rejected":
        return Rejected(RejectionReason(row["reason"]), assurance)
    if assurance is None:
        raise ValueError("a row without assurance that is not a rejection")
    if row["status"] == "accepted":
        return Accepted(assurance)
    return AwaitingPhoneCode(row["expires_at"], row["tries_left"], assurance)


def slot(row: asyncpg.Record | dict[str, Any]) -> Slot:
    return row["pseudonym"].hex(), row["officer_id"], row["edition_id"], row["window_number"]


def stored(row: asyncpg.Record) -> Stored:
    asked = row["rated"] is not None
    rated = row["rated"] or row["accepted_as"]
    withdrawn_at = row["withdrawn_at"]
    return Stored(
        state=state(row),
        decided_at=row["decided_at"],
        source=Source(row["source_partition"], row["source_offset"], row["source_expiry"]),
        rated=None if rated is None else Rated.model_validate_json(rated),
        slot=slot(row) if asked else None,
        withdrawal=None
        if withdrawn_at is None
        else Withdrawing(Source(row["withdrawal_partition"], row["withdrawal_offset"]), withdrawn_at),
    )


def codes(row: asyncpg.Record) -> HashedCodes:
    """Those that count: the newest and the one before."""
    kept = (
        (row["code_digest"], row["code_expires_at"]),
        (row["earlier_digest"], row["earlier_expires_at"]),
    )
    return HashedCodes(row["code_salt"], tuple(HashedCode(*each) for each in kept if each[0] is not None))
