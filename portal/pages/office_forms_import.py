"""Filled-in forms from a file: choose it, see what would count or what is wrong, count them part by part.

The portal keeps nothing: the file travels in the forms of its pages. Each part counts for good, so whoever
closes the page in between chooses the file again and goes on.
"""

from typing import Any

from fastapi import APIRouter, Response

from portal.apis.http import Refused
from portal.pages.office import AtDesk, Desk
from portal.pages.office_forms import FORMS, forms_of
from portal.pages.office_import import MOST_BYTES, chosen, packed, unpacked
from portal.pages.signing_in import OFFICE
from portal.view import redirect

router = APIRouter(prefix=OFFICE)
PART = 1_000
"""Forms that one press of the button counts."""


@router.get("/forms/import")
async def choose(desk: AtDesk) -> Response:
    return _page(desk)


@router.post("/forms/import")
async def preview(desk: AtDesk) -> Response:
    async with desk.request.form(max_files=1, max_part_size=MOST_BYTES) as form:
        desk.owns(form.get("token"))
        content = await chosen(form)
    if not content:
        return _page(desk, status=422, mistake="file")
    return await _previewed(desk, content)


@router.post("/forms/import/apply")
async def apply(desk: AtDesk) -> Response:
    """Count the next of them; what is left is a press of the button away."""
    async with desk.request.form(max_files=0, max_part_size=MOST_BYTES) as form:
        desk.owns(form.get("token"))
        content = unpacked(form)
    try:
        done = await forms_of(desk).apply(desk.token, content, PART, desk.language.code)
    except Refused as error:
        return await _previewed(desk, content, refused=error.detail, status=error.status)
    if done.left:
        return await _previewed(desk, content, going_on=True)
    return redirect(f"{FORMS}?done=forms_imported")


async def _previewed(
    desk: Desk, content: bytes, *, refused: str = "", status: int = 200, going_on: bool = False
) -> Response:
    try:
        found = await forms_of(desk).preview(desk.token, content, desk.language.code)
    except Refused as error:
        return _page(desk, status=error.status, refused=error.detail)
    status = 422 if found.errors else status
    return _page(
        desk, status=status, preview=found, packed=packed(content), refused=refused, going_on=going_on
    )


def _page(desk: Desk, *, status: int = 200, **values: Any) -> Response:
    usual = {"preview": None, "packed": "", "refused": "", "mistake": "", "going_on": False}
    return desk.page("office_forms_import.html", status=status, **{**usual, **values})
