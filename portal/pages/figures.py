"""The dashboards: city, group, unit and officer."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response

from portal import charts
from portal.apis.aggregation import Figures, Level
from portal.apis.http import Refused, Unavailable
from portal.apis.intake import Edition
from portal.i18n import N_
from portal.pages.context import Context, context

router = APIRouter()
CHILDREN: dict[Level, str] = {
    "city": N_("Các nhóm đơn vị"),
    "group": N_("Các đơn vị"),
    "unit": N_("Công chức một cửa"),
}
PATHS: dict[Level, str] = {"group": "nhom", "unit": "don-vi", "officer": "cong-chuc"}
CHANNELS = {
    "portal": N_("Cổng đánh giá"),
    "web": N_("Trang web khác"),
    "kiosk": N_("Màn hình tại quầy"),
    "qr": N_("Mã QR"),
    "paper": N_("Phiếu khảo sát"),
}


@router.get("/ket-qua")
async def city(request: Request) -> Response:
    return await _dashboard(request, "city", "")


@router.get("/ket-qua/nhom/{place}")
async def group(request: Request, place: str) -> Response:
    return await _dashboard(request, "group", place)


@router.get("/ket-qua/don-vi/{place}")
async def unit(request: Request, place: str) -> Response:
    return await _dashboard(request, "unit", place)


@router.get("/ket-qua/cong-chuc/{place}")
async def officer(request: Request, place: str) -> Response:
    return await _dashboard(request, "officer", place)


async def _dashboard(request: Request, level: Level, place: str) -> Response:
    """Raises Refused for a place nobody knows. While aggregation is away the last known figures are shown."""
    site = context(request)
    joined = request.query_params.get("with") == "predecessors"
    words = asyncio.create_task(_words(site, level, place))
    try:
        (figures, old), days, children = await asyncio.gather(
            site.aggregation.figures(level, place, predecessors=joined),
            _days(site, level, place, joined),
            _children(site, level, place),
        )
    except Unavailable:
        return site.view.page(request, "figures_offline.html", status=503)
    finally:
        edition, samples = await words
    values: dict[str, Any] = {
        "figures": figures,
        "stale": old,
        "today": figures.updated_at is not None and site.view.language(request).is_today(figures.updated_at),
        "whisker": charts.whisker(figures.rate, figures.interval),
        "batch": edition.policy.publication.officer_batch if edition else 1,
        "daily": charts.daily(days) if any(d.total for d in days) else None,
        "days": days,
        "bars": charts.pareto(figures.reasons),
        "reasons": {r.id: r.text for r in edition.instrument.reasons} if edition else {},
        "samples": samples,
        "channels": charts.pareto(figures.channels),
        "channel_names": CHANNELS,
        "children": [(c, charts.whisker(c.rate, c.interval)) for c in children],
        "children_title": CHILDREN.get(level, ""),
        "stream": f"{site.live_url}/v1/live?scope={level if level == 'city' else f'{level}:{place}'}",
        "path_of": path_of,
        "joined": joined,
    }
    return site.view.page(request, "figures.html", **values)


async def _days(site: Context, level: Level, place: str, joined: bool) -> list[Any]:
    history, _ = await site.aggregation.history(level, place, predecessors=joined)
    return list(history.days)


async def _children(site: Context, level: Level, place: str) -> list[Figures]:
    if level == "officer":
        return []
    document, _ = await site.aggregation.children(level, place)
    return list(document.children)


async def _words(site: Context, level: Level, place: str) -> tuple[Edition | None, set[str]]:
    """The edition (its reasons' texts) and who is a sample. The figures are shown without them too."""
    try:
        edition = await site.intake.edition()
        if level == "unit":
            return edition, {o.id for o in (await site.intake.unit(place)).officers if o.sample}
        if level == "officer":
            return edition, {place} if (await site.intake.officer(place)).sample else set()
    except (Refused, Unavailable):
        return None, set()
    return edition, set()


def path_of(level: Level, place: str | None) -> str:
    return "/ket-qua" if level == "city" else f"/ket-qua/{PATHS[level]}/{place}"
