"""Signing in and out. Who has signed in sees a department's pages; nobody else is asked to."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response
from starlette.exceptions import HTTPException

from chassis.logs import logger
from chassis.oidc import ProviderAway
from portal.apis.department import DepartmentFigures
from portal.apis.office import OfficeApi
from portal.oidc import Attempt, SignIn, SigningInFailed
from portal.pages.context import context
from portal.session import Session, Sessions, TooLarge
from portal.view import redirect

log = logger(__name__)
router = APIRouter()
ENTER, RETURN, LEAVE, INSIDE = "/dang-nhap", "/dang-nhap/xong", "/dang-xuat", "/noi-bo"
OFFICE = "/office"
_NAME = "[a-z0-9][a-z0-9._-]{0,159}"
_INSIDE = re.compile(
    rf"/noi-bo(/thanh-pho|/(nhom|don-vi|cong-chuc)/{_NAME})?"
    rf"|/office(/(import|actions|new-unit|new-edition|units|editions)|/(units|editions|officers)/{_NAME})?"
)
RETRY_SECONDS = "15"


@dataclass(frozen=True, slots=True)
class Door:
    """`longest`: for how long one stays signed in at most."""

    sign_in: SignIn
    sessions: Sessions
    figures: DepartmentFigures
    office: OfficeApi
    longest: timedelta


def door(request: Request) -> Door:
    found: Door = request.app.state.entrance
    return found


def entrance(path: str) -> str:
    """Where one signs in to see the page at `path`."""
    return f"{ENTER}?next={quote(path, safe='/')}"


@router.get(ENTER)
async def enter(request: Request, next: str = INSIDE) -> Response:
    """To the provider, and from there back to a department's page, never anywhere else."""
    attempt = Attempt(next=next if _INSIDE.fullmatch(next) else INSIDE)
    try:
        response = redirect(await door(request).sign_in.begin(attempt))
    except ProviderAway:
        return away(request)
    door(request).sessions.remember(response, attempt)
    return response


@router.get(RETURN)
async def entered(request: Request) -> Response:
    """The provider has sent the browser back."""
    here, attempt = door(request), door(request).sessions.attempt(request)
    try:
        if attempt is None:
            raise SigningInFailed("no attempt of this browser")  # noqa: TRY301
        signed_in = await here.sign_in.complete(attempt, dict(request.query_params))
        ends_at = datetime.now(UTC) + min(timedelta(seconds=signed_in.seconds), here.longest)
        response = redirect(attempt.next)
        here.sessions.begin(response, Session(token=signed_in.token, ends_at=ends_at, name=signed_in.name))
    except SigningInFailed as error:
        log.warning("signing in failed", reason=str(error))
        return _failed(request, 400, "failed")
    except TooLarge:
        log.exception("the provider's access token is too large for a cookie")
        return _failed(request, 500, "too_large")
    except ProviderAway:
        return away(request)
    log.info("signed in")
    return response


@router.post(LEAVE)
async def leave(request: Request, token: Annotated[str, Form()] = "") -> Response:
    """Only by the form of this session's own page."""
    sessions = door(request).sessions
    session = sessions.read(request)
    if session is not None and not sessions.owns(session, token):
        raise HTTPException(403)
    response = redirect(LEAVE)
    sessions.end(response)
    return response


@router.get(LEAVE)
async def left(request: Request) -> Response:
    """Signed out here; the provider may know the browser still, and offers to forget it."""
    try:
        further = await door(request).sign_in.leaving()
    except ProviderAway:
        further = None
    signed_in = door(request).sessions.read(request) is not None
    page = context(request).view.page
    return page(request, "signed_out.html", personal=True, further=further, signed_in=signed_in)


def ended(request: Request) -> Response:
    """The session is over, or the token was not taken: said, and not tried again by itself."""
    response = _failed(request, 401, "ended")
    door(request).sessions.end(response)
    return response


def away(request: Request) -> Response:
    response = _failed(request, 503, "away")
    response.headers["Retry-After"] = RETRY_SECONDS
    return response


def _failed(request: Request, status: int, what: str) -> Response:
    path = request.url.path
    again = entrance(path if path.startswith((INSIDE, OFFICE)) else INSIDE)
    page = context(request).view.page
    response = page(request, "sign_in_failed.html", status=status, personal=True, what=what, again=again)
    if what in ("failed", "too_large"):
        door(request).sessions.forget_attempt(response)
    return response
