"""Where a poster's code leads: to the rating form, or to a page that says what is wrong with the code."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from portal import cookies, metrics, visitor
from portal.apis.intake import OfficerPlace
from portal.draft import LIFETIME_SECONDS, path_of
from portal.pages.context import Context, context
from portal.posters import sheets
from portal.posters.codes import Target
from portal.view import redirect

router = APIRouter(prefix=sheets.PATH)
COOKIE = "hl_poster"  # as `portal.cookies` names it


@router.get("/{code}")
async def scanned(request: Request, code: Annotated[str, Path(max_length=40)]) -> Response:
    """Raises Unavailable."""
    site = context(request)
    genuine = site.codes.read(code)
    if genuine is None:
        return _nowhere(request, metrics.NOT_OURS)
    register = await site.intake.register()
    targets = (
        *(Target("officer", each.id) for each in register.officers),
        *(Target("unit", each.id) for each in register.units),
    )
    target = site.codes.find(genuine, targets)
    if target is None:
        return _nowhere(request, metrics.GONE)
    metrics.SCANNED.labels(metrics.LED).inc()
    response = redirect(path_of(target.id) if target.kind == "officer" else f"/danh-gia/don-vi/{target.id}")
    response.set_cookie(
        _cookie(site),
        code,
        max_age=LIFETIME_SECONDS,
        path=visitor.PATH,
        httponly=True,
        secure=site.secure_cookies,
        samesite="lax",
    )
    return response


def _nowhere(request: Request, result: str) -> Response:
    metrics.SCANNED.labels(result).inc()
    site = context(request)
    return site.view.page(request, "poster.html", status=404, result=result, site=site.public_url)


def by_poster(request: Request, officer: OfficerPlace) -> bool:
    """Whether a poster of the officer's, or of their unit, led the browser here in the last half hour."""
    site = context(request)
    genuine = site.codes.read(request.cookies.get(_cookie(site), ""))
    targets = Target("officer", officer.id), Target("unit", officer.unit.id)
    return genuine is not None and any(site.codes.refers(genuine, each) for each in targets)


def forget(request: Request, response: Response) -> None:
    response.delete_cookie(_cookie(context(request)), path=visitor.PATH, httponly=True)


def _cookie(site: Context) -> str:
    return cookies.named(COOKIE, for_all_paths=False, secure=site.secure_cookies)
