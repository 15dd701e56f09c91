"""While a rating is on its way, and the code that came by SMS."""

import math
import re
import secrets

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from portal import sending, walk
from portal.apis.http import Refused, Unavailable
from portal.apis.verification import PhoneCodeState
from portal.draft import Draft, PhoneCodeTry, path_of
from portal.pages.context import Context, context, visitor
from portal.pages.rating import Text, expired, go, place_and_edition, show
from portal.view import redirect

router = APIRouter(prefix="/danh-gia/cong-chuc/{officer_id}")
SIX_DIGITS = re.compile(r"\d{6}")


@router.get(walk.Page.SENDING)
async def progress(request: Request, officer_id: str) -> Response:
    """Sends the frozen attempt (again), waits for its outcome, and goes where that leads.

    A script asks with `Accept: application/json` and is told where to go, or null.
    """
    site = context(request)
    quiet = request.headers.get("accept", "").startswith("application/json")
    draft = site.drafts.read(request, officer_id)
    if draft is None:
        return _answer(site, quiet, None, expired(officer_id))
    officer, edition = await place_and_edition(site, officer_id)
    if draft.end is not None or not draft.frozen:
        return _answer(site, quiet, draft, go(site, draft, walk.next_page(draft, edition)))
    step = await sending.advance(
        draft,
        edition,
        visitor(request, draft),
        intake=site.intake,
        verification=site.verification,
        wait=site.outcome_wait,
    )
    if step.turn is not None:
        draft.errors = dict(step.turn.errors)
        return _answer(site, quiet, draft, go(site, draft, step.turn.page))
    if quiet:
        return _answer(site, quiet, draft, None)
    if step.state == "limited":
        response = show(request, "limited.html", draft, officer, minutes=math.ceil(step.seconds / 60))
        response.status_code = 429
        response.headers["Retry-After"] = str(step.seconds)
        return response
    template = "pending.html" if step.state == "pending" else "unsent.html"
    response = show(request, template, draft, officer)
    if step.state == "unsent":
        response.status_code = 503
        response.headers["Retry-After"] = "5"
    return response


def _answer(site: Context, quiet: bool, draft: Draft | None, response: Response | None) -> Response:
    if not quiet and response is not None:
        return response
    place = None if response is None else response.headers["location"]
    told = JSONResponse({"location": place})
    if draft is not None:
        site.drafts.write(told, draft)
    return told


@router.post(walk.Page.SENDING)
async def send_again(request: Request, officer_id: str, token: Text = "") -> Response:
    """The button "Gửi lại": the page itself sends, under the same key."""
    site = context(request)
    draft = site.drafts.read(request, officer_id)
    if draft is None or not site.drafts.owns(draft, token):
        return expired(officer_id)
    return redirect(path_of(officer_id) + walk.Page.SENDING)


@router.get(walk.Page.PHONE_CODE)
async def phone_code(request: Request, officer_id: str) -> Response:
    site = context(request)
    draft = site.drafts.read(request, officer_id)
    if draft is None:
        return expired(officer_id)
    officer, edition = await place_and_edition(site, officer_id)
    if draft.end is not None or draft.rating_id is None:
        return go(site, draft, walk.next_page(draft, edition))
    state, decided = await _phone_code_state(site, draft.rating_id)
    if decided:
        return go(site, draft, walk.Page.SENDING)
    return show(request, "phone_code.html", draft, officer, edition=edition, state=state)


async def _phone_code_state(site: Context, rating_id: str) -> tuple[PhoneCodeState | None, bool]:
    """Tries left and expiry where verification can say, and whether the rating is decided already."""
    try:
        outcome = await site.verification.outcome(rating_id, wait=0)
    except (Refused, Unavailable):
        return None, False
    return outcome.phone_code, outcome.status in ("accepted", "rejected")


@router.post(walk.Page.PHONE_CODE)
async def enter_phone_code(request: Request, officer_id: str, token: Text = "", code: Text = "") -> Response:
    site = context(request)
    draft = site.drafts.read(request, officer_id)
    if draft is None:
        return expired(officer_id)
    if draft.end is not None or draft.rating_id is None or not site.drafts.owns(draft, token):
        return go(site, draft, walk.Page.SENDING)
    digits = "".join(code.split())
    draft.language = site.view.language(request).code
    if not SIX_DIGITS.fullmatch(digits):
        draft.errors = {"phone_code": walk.MESSAGES["phone_code"]}
        return go(site, draft, walk.Page.PHONE_CODE)
    draft.errors = {}
    if draft.phone_code is None or draft.phone_code.code != digits:
        draft.phone_code = PhoneCodeTry(code=digits, key=secrets.token_urlsafe(24))
    return go(site, draft, walk.Page.SENDING)
