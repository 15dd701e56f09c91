"""What every page's handler works with."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request

from portal.apis.aggregation import Aggregation
from portal.apis.intake import Edition, Intake
from portal.apis.verification import Verification
from portal.draft import Drafts
from portal.static import Assets
from portal.view import View


@dataclass(frozen=True, slots=True)
class Context:
    intake: Intake
    verification: Verification
    aggregation: Aggregation
    view: View
    drafts: Drafts
    assets: Assets
    live_url: str
    outcome_wait: float  # seconds


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something to correct: `field` is the id of the control it is at, `text` says what to do."""

    field: str
    text: str


def context(request: Request) -> Context:
    found: Context = request.app.state.context
    return found


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
