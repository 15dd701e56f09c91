"""From the home page to an officer: functions, groups, units, officers, search; and the page about it all."""

import unicodedata

from fastapi import APIRouter, Request, Response

from portal.apis.intake import Officer
from portal.pages.context import Context, context

router = APIRouter()


@router.get("/")
async def home(request: Request) -> Response:
    return context(request).view.page(request, "home.html")


@router.get("/gioi-thieu")
async def about(request: Request) -> Response:
    return context(request).view.page(request, "about.html")


@router.get("/danh-gia")
async def groups(request: Request) -> Response:
    site = context(request)
    edition = await site.intake.edition()
    return site.view.page(request, "groups.html", groups=await site.intake.groups(), edition=edition)


@router.get("/danh-gia/tim-kiem")
async def search(request: Request, q: str = "") -> Response:
    site = context(request)
    query = q.strip()[:100]
    found = await site.intake.search(query) if query else None
    return site.view.page(request, "search.html", query=query, found=found)


@router.get("/danh-gia/nhom/{group_id}")
async def units(request: Request, group_id: str) -> Response:
    site = context(request)
    return site.view.page(request, "units.html", group=await site.intake.group(group_id))


@router.get("/danh-gia/don-vi/{unit_id}")
async def officers(request: Request, unit_id: str, q: str = "") -> Response:
    site = context(request)
    unit = await site.intake.unit(unit_id)
    if unit.merged_into is not None:
        return site.view.page(request, "unit_merged.html", unit=unit)
    query = q.strip()[:100]
    shown = [o for o in unit.officers if matches(query, o)]
    return site.view.page(request, "officers.html", unit=unit, officers=shown, query=query)


def matches(query: str, officer: Officer) -> bool:
    """Every word of the query begins a word of the officer's name or title, without regard to diacritics."""
    words = _folded(" ".join((officer.name, *officer.title.values()))).split()
    return all(any(word.startswith(part) for word in words) for part in _folded(query).split())


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(c for c in plain if not unicodedata.combining(c))


@router.get("/static/{name}")
async def static(request: Request, name: str) -> Response:
    return context(request).assets.respond(request, name)


@router.get("/favicon.ico")
async def favicon(request: Request) -> Response:
    site: Context = context(request)
    response = site.assets.respond(request, site.assets.names["mark.svg"])
    response.headers["Cache-Control"] = "public, max-age=86400"  # its address stays when it changes
    return response
