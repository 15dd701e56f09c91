"""A department's own pages: its figures and its officers', in full, for who has signed in."""

import asyncio
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from portal.apis.aggregation import Day, Figures, Level
from portal.apis.http import Refused, SignedOut, Unavailable
from portal.pages.context import Context, context
from portal.pages.place import CHILDREN, PATHS
from portal.pages.signing_in import INSIDE, Door, door, ended, entrance
from portal.session import Session
from portal.view import redirect

router = APIRouter(prefix=INSIDE)


@dataclass(frozen=True, slots=True)
class Full:
    """All that a page shows of one place."""

    figures: Figures
    days: list[Day]
    children: list[Figures]


@router.get("")
async def overview(request: Request) -> Response:
    session = door(request).sessions.read(request)
    if session is None:
        return redirect(entrance(request.url.path))
    try:
        scopes = (await door(request).figures.overview(session.token)).scopes
    except SignedOut:
        return ended(request)
    return _page(request, session, "department_overview.html", scopes=scopes)


@router.get("/thanh-pho")
async def city(request: Request) -> Response:
    return await _place(request, "city", "")


@router.get("/nhom/{place}")
async def group(request: Request, place: str) -> Response:
    return await _place(request, "group", place)


@router.get("/don-vi/{place}")
async def unit(request: Request, place: str) -> Response:
    return await _place(request, "unit", place)


@router.get("/cong-chuc/{place}")
async def officer(request: Request, place: str) -> Response:
    return await _place(request, "officer", place)


async def _place(request: Request, level: Level, place: str) -> Response:
    """Raises Refused for a place that is not there or not this person's, and Unavailable."""
    session = door(request).sessions.read(request)
    if session is None:
        return redirect(entrance(request.url.path))
    words = asyncio.create_task(_reasons(context(request)))
    try:
        full = await _full(door(request), session.token, level, place)
    except SignedOut:
        return ended(request)
    finally:
        reasons = await words
    return _page(
        request,
        session,
        "department.html",
        figures=full.figures,
        days=[day for day in full.days if day.total],
        span=full.days,
        children=full.children,
        children_title=CHILDREN.get(level, ""),
        reasons=reasons,
        mentions=sum(reason.count for reason in full.figures.reasons),
    )


async def _full(here: Door, token: str, level: Level, place: str) -> Full:
    figures, history = await asyncio.gather(
        here.figures.figures(token, level, place), here.figures.history(token, level, place)
    )
    children = [] if level == "officer" else (await here.figures.children(token, level, place)).children
    return Full(figures, history.days, children)


async def _reasons(site: Context) -> dict[str, dict[str, str]]:
    """The reasons' texts; without them their ids are shown."""
    try:
        edition = await site.intake.edition()
    except (Refused, Unavailable):
        return {}
    return {} if edition is None else {reason.id: reason.text for reason in edition.instrument.reasons}


def _page(request: Request, session: Session, template: str, **values: Any) -> Response:
    sign_out = door(request).sessions.token(session)
    return context(request).view.page(
        request, template, personal=True, session=session, sign_out=sign_out, path_of=path_of, **values
    )


def path_of(level: Level, place: str | None) -> str:
    return f"{INSIDE}/thanh-pho" if level == "city" else f"{INSIDE}/{PATHS[level]}/{place}"
