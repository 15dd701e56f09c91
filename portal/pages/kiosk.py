"""The screen at a desk: enrolled with a key, it shows one unit's officers and the walk, and forgets."""

import re
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.logs import logger
from portal.apis.http import Refused, SignedOut, Unavailable
from portal.device import CHANNEL, Device
from portal.pages import kept, scanned
from portal.pages.context import context
from portal.view import redirect

log = logger(__name__)
KIOSK = "/kiosk"
DEVICE = f"{KIOSK}/thiet-bi"
router = APIRouter()
_SHOWN = re.compile(r"/(kiosk|danh-gia/cong-chuc/[^/]+|static|healthz|readyz)(/|$)")


class StaysAtTheDesk:
    """Whatever else is asked for from a screen at a desk leads back to its first page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _SHOWN.match(scope["path"]):
            request = Request(scope)
            if context(request).devices.read(request) is not None:
                await redirect(KIOSK)(scope, receive, send)
                return
        await self._app(scope, receive, send)


@router.get(KIOSK)
async def start(request: Request) -> Response:
    """The first page. Nothing of whoever stood here before is left in the browser once it is shown.

    Raises Refused, Unavailable.
    """
    site = context(request)
    device = site.devices.read(request)
    if device is None:
        return await _asking(request)
    unit = await site.intake.unit(device.unit_id)
    edition = None
    try:
        edition = await site.intake.edition()
        client = await site.intake.client(device.key)
        device = device.model_copy(update={"vouches": client.vouches})
    except SignedOut:
        return shut_out(request)
    except (Refused, Unavailable):
        log.info("a screen starts without having been looked up")
    offline = kept.PAGE if kept.keeps(device, edition) else ""
    response = site.view.page(
        request, "kiosk.html", personal=True, unit=unit, fresh=True, offline=offline, worker=kept.WORKER
    )
    site.drafts.forget(response, (each.id for each in unit.officers))
    scanned.forget(request, response)
    site.devices.enrol(response, device)
    return response


@router.post(KIOSK)
async def enrol(
    request: Request,
    key: Annotated[str, Form(max_length=200)] = "",
    unit: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Raises Unavailable."""
    site = context(request)
    units = {each.id for each in (await site.intake.register()).units}
    try:
        client = await site.intake.client(key.strip()) if _sendable(key.strip()) else None
    except SignedOut:
        client = None
    errors = {}
    if client is None or CHANNEL not in client.channels:
        errors["key"] = "key"
    if unit not in units:
        errors["unit"] = "unit"
    if client is None or errors:
        return await _asking(request, errors, unit)
    response = redirect(KIOSK)
    known = {"client_id": client.client_id, "name": client.name, "vouches": client.vouches}
    site.devices.enrol(response, Device(key=key.strip(), unit_id=unit, **known))
    log.info("a screen was enrolled", client=client.client_id, unit=unit)
    return response


@router.get(DEVICE)
async def device(request: Request) -> Response:
    """For staff: which device this is, and how to make it an ordinary browser again."""
    found = context(request).devices.read(request)
    if found is None:
        return redirect(KIOSK)
    return context(request).view.page(request, "kiosk_device.html", personal=True, device=found)


@router.post(DEVICE)
async def remove(request: Request) -> Response:
    """An ordinary browser again. Its key goes on until it is revoked."""
    response = redirect(KIOSK)
    context(request).devices.remove(response)
    return response


async def _asking(request: Request, errors: dict[str, str] | None = None, unit: str = "") -> Response:
    site = context(request)
    units = (await site.intake.register()).units
    response = site.view.page(
        request,
        "kiosk_enrol.html",
        status=422 if errors else 200,
        personal=True,
        units=units,
        errors=errors or {},
        unit=unit,
    )
    return _no_screen(response)


def shut_out(request: Request) -> Response:
    """The device's key is not in force any more: it forgets the key, and what was entered."""
    officer_id = request.path_params.get("officer_id")
    site = context(request)
    response = site.view.page(request, "kiosk_shut_out.html", status=401, personal=True)
    site.drafts.forget(response, () if officer_id is None else (officer_id,))
    site.devices.remove(response)
    return _no_screen(response)


def _no_screen(response: Response) -> Response:
    """Where this browser was one, its worker goes."""
    response.headers["Hailong-Screen"] = "none"
    return response


def _sendable(key: str) -> bool:
    """As it may stand in a header."""
    return bool(key) and quote(key, safe="._~+/=-") == key
