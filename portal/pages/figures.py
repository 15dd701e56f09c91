"""The dashboards: city, group, unit and officer, as a page and as a wall."""

import asyncio
from typing import Any
from urllib.parse import urlencode

import segno
from fastapi import APIRouter, Request, Response

from portal import breakdowns, charts, tables
from portal.apis.aggregation import Figures, Level, report
from portal.apis.http import Unavailable
from portal.i18n import Language, city_today
from portal.pages import period
from portal.pages.context import by_field, context
from portal.pages.period import Asked
from portal.pages.place import CHILDREN, Dashboard, Place, Words, is_joined, load, path_of

router = APIRouter()
REPORTS = ("csv", "xlsx", "pdf")
RATE: dict[Level, str] = {
    "city": "/danh-gia",
    "group": "/danh-gia/nhom/",
    "unit": "/danh-gia/don-vi/",
    "officer": "/danh-gia/cong-chuc/",
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


async def _dashboard(request: Request, level: Level, place_id: str) -> Response:
    """Raises Refused for a place nobody knows. While aggregation is away the last known figures are shown."""
    site = context(request)
    wall = request.query_params.get("display") == "wall"
    asked = period.read({} if level == "officer" else request.query_params, city_today())
    joined = is_joined(level, request.query_params)
    place = Place(site, level, place_id, asked.period, city_today(), joined)
    finding = asyncio.create_task(place.words())
    try:
        dashboard = await load(place)
    except Unavailable:
        return site.view.page(request, "figures_offline.html", status=503)
    finally:
        words = await finding
    values = _values(place, dashboard, words, site.view.language(request))
    if wall:
        address = (site.public_url or str(request.base_url).rstrip("/")) + RATE[level] + place_id
        return site.view.page(request, "wall.html", **values, address=address, code=_code(address))
    status = 422 if asked.mistakes else 200
    return site.view.page(request, "figures.html", status=status, **values, **_form(asked, place, words))


def _values(place: Place, dashboard: Dashboard, words: Words, language: Language) -> dict[str, Any]:
    figures, stretches = dashboard.figures, dashboard.history.stretches
    of_all_days = place.period.of_all_days
    names = {each: language.text(text) for each, text in words.reasons.items()}
    lists = {
        "reasons": breakdowns.reasons(figures, names, of_all_days=of_all_days),
        **breakdowns.partitions(figures, of_all_days=of_all_days),
    }
    outcomes = breakdowns.rejections(figures, of_all_days=of_all_days)
    behind = [
        tables.history(language, stretches),
        tables.children(language, dashboard.children),
        *(tables.breakdown(language, part) for part in lists.values()),
        tables.response(language, figures),
    ]
    if outcomes is not None:
        behind.append(tables.outcomes(language, figures, outcomes))
    scope = "city" if place.level == "city" else f"{place.level}:{place.id}"
    asked = place.asked
    return {
        "joined": place.joined,
        "query": f"?{urlencode(asked)}" if asked else "",
        "figures": figures,
        "stale": dashboard.stale,
        "today": figures.updated_at is not None and language.is_today(figures.updated_at),
        "whisker": charts.Axis().whisker(figures.rate, figures.interval),
        "period": place.period,
        "path": place.path,
        "batch": words.batch,
        "samples": words.samples,
        "change": dashboard.change,
        "rank": dashboard.rank,
        "history": charts.history(stretches) if any(each.total for each in stretches) else None,
        "grouping": dashboard.history,
        "today_total": next((each.total for each in stretches if each.first == place.today), None),
        "lists": lists,
        "hour_slots": charts.slots(lists["hours"].bars, list(breakdowns.HOURS)) if "hours" in lists else [],
        "outcomes": outcomes,
        "scales": [
            (scale, [(question, charts.answered(question)) for question in scale.questions])
            for scale in dashboard.scales
        ],
        "tables": {table.name: table for table in behind},
        "children_title": CHILDREN.get(place.level, ""),
        **_comparison(dashboard, figures),
        "stream": f"{place.site.live_url}/v1/live?scope={scope}",
        "reports": [
            (kind, place.site.live_url + report(place.level, place.id, kind, asked, language.code))
            for kind in REPORTS
        ],
        "path_of": path_of,
    }


def _comparison(dashboard: Dashboard, figures: Figures) -> dict[str, Any]:
    """The children's rates on one axis, beside their histories on another."""
    children = dashboard.children
    axis = charts.Axis.around([figures.interval, *(each.interval for each in children)])
    rates = [charts.Axis.around([each.interval for each in spark]).low for spark in dashboard.sparks if spark]
    small = charts.Axis(min(rates, default=0.0), 1.0)
    return {
        "children": [
            (each, axis.whisker(each.rate, each.interval), charts.sparkline(spark, small))
            for each, spark in zip(children, dashboard.sparks, strict=True)
        ],
        "axis": axis,
        "spark_axis": small,
        "whole": axis.whisker(figures.rate, figures.interval),
        "sparks": any(dashboard.sparks),
        "ranked": any(each.rank and each.rank.says_something for each in children),
    }


def _form(asked: Asked, place: Place, words: Words) -> dict[str, Any]:
    """What the form for another period is filled with."""
    return {
        "asked": asked,
        "errors": by_field(asked.mistakes),
        "choices": period.choices(place.today, place.period.edition),
        "editions": {words.edition.id: words.edition.title} if words.edition else {},
    }


def _code(address: str) -> tuple[int, str]:
    """The code to scan: its width in modules, and its path."""
    matrix = segno.make(address, error="m", micro=False).matrix
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(matrix) for x, dark in enumerate(row) if dark)
    return len(matrix), path
