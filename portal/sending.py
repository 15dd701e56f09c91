"""Hand an attempt in and follow it to its outcome.

Every step may be repeated: the attempt is frozen under one Idempotency-Key, so a reload, a second window or a
lost answer ends in the same rating.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Literal

from portal import walk
from portal.apis.http import Limited, Refused, Unavailable
from portal.apis.intake import Edition, Intake
from portal.apis.verification import Outcome, Verification
from portal.draft import Draft, PhoneCodeTry
from portal.visitor import Visitor

BETWEEN_LOOKS_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Progress:
    """`turn`: go to another page; `unsent`: intake did not confirm, send again; `limited`: the same,
    but not before so many `seconds`; `pending`: not decided."""

    state: Literal["turn", "unsent", "limited", "pending"]
    turn: walk.Turn | None = None
    seconds: int = 0


async def advance(
    draft: Draft,
    edition: Edition,
    visitor: Visitor,
    *,
    intake: Intake,
    verification: Verification,
    wait: float,
) -> Progress:
    """Do what is left to do for a frozen draft, and wait up to `wait` seconds for its outcome.

    Changes the draft: the caller keeps it whatever comes back. Raises SignedOut where a device is shut out.
    """
    if draft.rating_id is None:
        try:
            taken = await intake.rate(
                walk.body(draft), key=draft.key, language=draft.language, visitor=visitor
            )
            draft.rating_id, draft.receipt = taken.rating_id, taken.receipt
        except Limited as limited:
            return Progress("limited", seconds=limited.seconds)
        except Unavailable:
            return Progress("unsent")
        except Refused as refused:
            return _back(draft, walk.after_refusal(refused.code, refused.fields))
    try:
        if draft.phone_code is not None and not draft.phone_code.sent:
            turn = await _enter_phone_code(draft, draft.phone_code, visitor, intake, verification)
            if turn is not None:
                return Progress("turn", turn)
        return await _follow(draft, edition, verification, wait)
    except Refused:
        return Progress("pending")


async def _enter_phone_code(
    draft: Draft, attempt: PhoneCodeTry, visitor: Visitor, intake: Intake, verification: Verification
) -> walk.Turn | None:
    assert draft.rating_id is not None  # noqa: S101 - a code is asked for after the rating was taken in
    try:
        if attempt.tries_left is None:
            before = await verification.outcome(draft.rating_id, wait=0)
            attempt.tries_left = before.phone_code.tries_left if before.phone_code else None
        await intake.phone_code(
            draft.rating_id,
            edition_id=draft.edition_id,
            code=attempt.code,
            key=attempt.key,
            language=draft.language,
            visitor=visitor,
        )
    except Limited:
        draft.phone_code = None
        return walk.Turn(walk.Page.PHONE_CODE, {"phone_code": walk.MESSAGES["too_many_codes"]})
    except Unavailable:
        draft.phone_code = None
        return walk.Turn(walk.Page.PHONE_CODE, {"phone_code": walk.MESSAGES["not_sent"]})
    except Refused as refused:
        draft.phone_code = None
        text = refused.fields.get("code") or walk.MESSAGES["phone_code"]
        return walk.Turn(walk.Page.PHONE_CODE, {"phone_code": text})
    attempt.sent = True
    draft.phone_code_entered = True
    return None


async def _follow(draft: Draft, edition: Edition, verification: Verification, wait: float) -> Progress:
    assert draft.rating_id is not None  # noqa: S101 - taken in above
    seen = draft.phone_code.tries_left if draft.phone_code is not None else None
    until = time.monotonic() + wait
    while True:
        left = max(0.0, until - time.monotonic())
        try:
            outcome = await verification.outcome(draft.rating_id, wait=left, tries_left=seen)
        except Unavailable:
            return Progress("pending")
        progress = _read(draft, edition, outcome)
        if progress.state != "pending" or time.monotonic() >= until:
            return progress
        await asyncio.sleep(BETWEEN_LOOKS_SECONDS)  # a code just entered may not have been looked at yet


def _read(draft: Draft, edition: Edition, outcome: Outcome) -> Progress:
    if outcome.status in ("accepted", "withdrawn"):
        draft.finish("thanks", outcome.withdrawable_until)
        return Progress("turn", walk.Turn(walk.Page.THANKS, {}))
    if outcome.status == "rejected":
        return _rejected(draft, edition, outcome)
    if outcome.status == "phone_code_needed":
        attempt = draft.phone_code
        if attempt is None:
            return Progress("turn", walk.Turn(walk.Page.PHONE_CODE, {}))
        left = outcome.phone_code.tries_left if outcome.phone_code else None
        if left is not None and attempt.tries_left is not None and left < attempt.tries_left:
            draft.phone_code = None
            errors = {"phone_code": walk.MESSAGES["phone_code_wrong"]}
            return Progress("turn", walk.Turn(walk.Page.PHONE_CODE, errors))
    return Progress("pending")


def _rejected(draft: Draft, edition: Edition, outcome: Outcome) -> Progress:
    turn = walk.after_rejection(outcome.reason or "", edition)
    if turn.page is walk.Page.THANKS:
        if walk.told_duplicate(draft, edition):
            draft.finish("duplicate")
        else:
            draft.finish("thanks", outcome.withdrawable_until)
        return Progress("turn", turn)
    return _back(draft, turn)


def _back(draft: Draft, turn: walk.Turn) -> Progress:
    draft.edit()
    return Progress("turn", turn)
