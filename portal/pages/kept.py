"""A screen without network: the page that goes on taking ratings, its worker, and what it sends later."""

from datetime import UTC, datetime
from typing import Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from chassis.logs import logger
from portal import metrics, walk
from portal.apis.http import Limited, Refused, SignedOut, Unavailable
from portal.apis.intake import Edition, Intake
from portal.device import Device
from portal.kept import MOST_CHARACTERS, Kept, Moment, Unreadable
from portal.pages.context import context, open_edition
from portal.visitor import Visitor

router = APIRouter(prefix="/kiosk")
PAGE, WORKER, SEND = "/kiosk/khi-mat-mang", "/kiosk/worker.js", "/kiosk/gui"
LATER_SECONDS = 30
NOT_NOW = {401, 403}
"""Of intake's refusals: operators can mend them, and then the rating is taken."""
log = logger(__name__)


class Sent(BaseModel):
    """`screen`: what the screen's clock says as it sends, in milliseconds."""

    box: str = Field(max_length=MOST_CHARACTERS)
    screen: Moment


def keeps(device: Device | None, edition: Edition | None) -> bool:
    """Whether the screen goes on without network: a code cannot be had there, nor a file looked up."""
    if device is None or edition is None:
        return False
    return device.vouches and edition.policy.devices_vouch and edition.policy.file_numbers != "required"


@router.get(PAGE.removeprefix("/kiosk"))
async def without_network(request: Request) -> Response:
    """The page that the screen keeps, in the language that it asks for. Which one was chosen before stays.

    Raises Refused, Unavailable, NoEdition.
    """
    site = context(request)
    device = site.devices.read(request)
    edition = await open_edition(site)
    if device is None or not keeps(device, edition):
        raise HTTPException(404)
    response = site.view.page(
        request,
        "kiosk_offline.html",
        personal=True,
        unit=await site.intake.unit(device.unit_id),
        edition=edition,
        respondents=walk.RESPONDENTS,
        boxes=site.boxes.public,
        send=SEND,
        pause=site.kiosk_pause,
    )
    del response.headers["set-cookie"]
    return response


@router.get(WORKER.removeprefix("/kiosk"))
async def worker(request: Request) -> Response:
    assets = context(request).assets
    response = assets.respond(request, assets.names["kiosk-worker.js"])
    response.headers["Cache-Control"] = "no-store"  # its address stays when it changes
    response.headers["Service-Worker-Allowed"] = "/"
    return response


@router.post(SEND.removeprefix("/kiosk"))
async def send(request: Request, sent: Sent) -> Response:
    """One rating that the screen kept. After 202 and 422 it keeps it no longer; else it sends it again."""
    site = context(request)
    device = site.devices.read(request)
    if device is None:
        return _answer("later", 401)
    try:
        kept = site.boxes.open(sent.box)
    except Unreadable:
        log.warning("a kept rating cannot be read", client=device.client_id)
        return _answer("unreadable", 422)
    now = datetime.now(UTC)
    at = kept.given_at(sent.screen, now)
    address = site.proxies.address(request)
    visitor = Visitor(kept.key, "" if address is None else str(address), device.key)
    answer = await _handed_on(site.intake, kept, at, visitor)
    age = round((now - at).total_seconds())
    log.info("a kept rating", client=device.client_id, age_seconds=age, status=answer.status_code)
    return answer


async def _handed_on(intake: Intake, kept: Kept, at: datetime, visitor: Visitor) -> Response:
    try:
        await intake.rate(kept.body(at), key=kept.key, language=kept.language, visitor=visitor)
    except SignedOut:
        return _answer("later", 401)
    except Limited as limited:
        return _answer("later", 429, limited.seconds)
    except Unavailable:
        return _answer("later", 503, LATER_SECONDS)
    except Refused as refused:
        if refused.status in NOT_NOW:
            return _answer("later", 503, LATER_SECONDS)
        log.warning("a kept rating was refused", code=refused.code)
        return _answer("refused", 422)
    return _answer("sent", 202)


def _answer(
    result: Literal["sent", "refused", "unreadable", "later"], status: int, after: int = 0
) -> Response:
    metrics.KEPT.labels(result).inc()
    headers = {"Cache-Control": "no-store"} | ({"Retry-After": str(after)} if after else {})
    return JSONResponse({"result": result}, status_code=status, headers=headers)
