"""Taking a rating back, with the receipt from the page that thanked for it."""

import asyncio
import math
import time
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response

from portal.apis.http import Limited, Refused, Unavailable
from portal.apis.verification import Outcome
from portal.i18n import N_
from portal.pages.context import Context, context
from portal.visitor import Visitor

router = APIRouter(prefix="/rut-lai")
Receipt = Annotated[str, Form(max_length=100)]
Confirmed = Annotated[str, Form(max_length=8)]
CHARACTERS = 24
BETWEEN_LOOKS_SECONDS = 0.3
MESSAGES = {
    "receipt": N_("Nhập đủ 24 chữ và số của mã biên nhận, ghi trên trang cảm ơn."),
    "busy": N_("Hệ thống đang bận, yêu cầu chưa được nhận. Vui lòng thử lại sau ít giây; mã vẫn dùng được."),
}
End = Literal["withdrawn", "under_way", "too_late", "nothing"]


@router.get("")
async def ask(request: Request) -> Response:
    return context(request).view.page(request, "withdraw.html", receipt="", errors={})


@router.post("")
async def withdraw(request: Request, receipt: Receipt = "", confirmed: Confirmed = "") -> Response:
    """First what it means, then, `confirmed`, the withdrawal. The receipt is in no address and no cookie."""
    site = context(request)
    entered = "".join(filter(str.isalnum, receipt)).upper()
    if len(entered) != CHARACTERS:
        return _again(site, request, receipt, MESSAGES["receipt"], 422)
    if confirmed != "yes":
        return site.view.page(request, "withdraw_confirm.html", personal=True, receipt=receipt)
    address = site.proxies.address(request)
    try:
        rating_id = await site.intake.withdraw(
            receipt,
            language=site.view.language(request).code,
            visitor=Visitor("", "" if address is None else str(address)),
        )
    except Limited as limited:
        minutes = math.ceil(limited.seconds / 60)
        response = site.view.page(
            request, "withdraw_limited.html", status=429, personal=True, minutes=minutes
        )
        response.headers["Retry-After"] = str(limited.seconds)
        return response
    except Unavailable:
        response = _again(site, request, receipt, MESSAGES["busy"], 503)
        response.headers["Retry-After"] = "5"
        return response
    except Refused as refused:
        return _again(site, request, receipt, refused.fields.get("receipt") or MESSAGES["receipt"], 422)
    end = await _follow(site, rating_id)
    return site.view.page(request, "withdraw_done.html", personal=True, end=end)


def _again(site: Context, request: Request, receipt: str, message: str, status: int) -> Response:
    errors = {"receipt": message}
    return site.view.page(
        request, "withdraw.html", status=status, personal=True, receipt=receipt, errors=errors
    )


async def _follow(site: Context, rating_id: str) -> End:
    """What came of it, as far as that is known within the time that citizens are kept waiting."""
    until = time.monotonic() + site.outcome_wait
    while True:
        try:
            outcome = await site.verification.outcome(rating_id, wait=0)
        except (Refused, Unavailable):
            return "under_way"
        end = _end(outcome)
        if end != "under_way" or time.monotonic() >= until:
            return end
        await asyncio.sleep(BETWEEN_LOOKS_SECONDS)


def _end(outcome: Outcome) -> End:
    if outcome.status == "withdrawn":
        return "withdrawn"
    if outcome.status == "accepted":
        until = outcome.withdrawable_until
        return "too_late" if until is not None and until.timestamp() < time.time() else "under_way"
    return "nothing"
