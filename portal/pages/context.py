"""What every page's handler works with."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request

from chassis.origin import Proxies
from portal.apis.aggregation import Aggregation
from portal.apis.intake import Edition, Intake
from portal.apis.verification import Verification
from portal.device import CHANNEL, Devices
from portal.draft import Draft, Drafts
from portal.kept import Boxes
from portal.posters.codes import Codes
from portal.posters.press import Press
from portal.static import Assets
from portal.view import View
from portal.visitor import Visitor


@dataclass(frozen=True, slots=True)
class Context:
    intake: Intake
    verification: Verification
    aggregation: Aggregation
    view: View
    drafts: Drafts
    devices: Devices
    codes: Codes
    press: Press
    proxies: Proxies
    assets: Assets
    live_url: str
    public_url: str | None
    secure_cookies: bool
    outcome_wait: float  # seconds
    kiosk_idle: float  # seconds
    kiosk_pause: float  # seconds
    boxes: Boxes


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something to correct: `field` is the id of the control it is at, `text` says what to do."""

    field: str
    text: str


def context(request: Request) -> Context:
    found: Context = request.app.state.context
    return found


def visitor(request: Request, draft: Draft) -> Visitor:
    site = context(request)
    address = site.proxies.address(request)
    device = site.devices.read(request) if draft.channel == CHANNEL else None
    return Visitor(draft.visit, "" if address is None else str(address), device.key if device else None)


class NoEdition(Exception):
    """No edition is open; there is nothing to rate in."""


async def open_edition(site: Context) -> Edition:
    """The edition open now. Raises NoEdition, Refused, Unavailable."""
    edition = await site.intake.edition()
    if edition is None:
        raise NoEdition
    return edition


def by_field(mistakes: Sequence[Mistake]) -> dict[str, str]:
    return {m.field: m.text for m in reversed(mistakes)}
