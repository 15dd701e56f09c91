"""Units and officers in the office: opened, renamed, merged, closed, reopened, moved."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response

from portal.apis.http import Refused
from portal.apis.office import UnitWithOfficers
from portal.i18n import city_today
from portal.pages.office import AtDesk, Desk
from portal.pages.signing_in import OFFICE

router = APIRouter(prefix=OFFICE)
FIRST_ACTIONS = 20
DONE = {
    "rename": "unit_renamed",
    "merge": "unit_merged",
    "close": "unit_closed",
    "reopen": "unit_reopened",
}


@router.get("/units")
async def units(desk: AtDesk) -> Response:
    return desk.page("office_units.html", units=await desk.office.units(desk.token))


@router.get("/new-unit")
async def new(desk: AtDesk) -> Response:
    return await _new_page(desk)


@router.post("/units")
async def open_unit(desk: AtDesk) -> Response:
    form = await _form(desk)
    group_name = {"vi": form.get("group_vi", ""), "en": form.get("group_en", "")}
    body = {
        "unit_id": form.get("unit_id", ""),
        "name": {"vi": form.get("vi", ""), "en": form.get("en", "")},
        "group_id": form.get("new_group") or form.get("group_id", ""),
        "group_name": group_name if any(group_name.values()) else None,
        "opened_on": form.get("opened_on") or None,
    }
    language = desk.language.code
    try:
        work = desk.office.send("POST", ("units",), desk.token, body, language=language)
        return await desk.act(work, "unit_opened", f"{OFFICE}/units/{body['unit_id']}")
    except Refused as error:
        return await _new_page(desk, status=error.status, refused=error, said=form)


@router.get("/units/{unit_id}")
async def unit(desk: AtDesk, unit_id: str) -> Response:
    return await _unit_page(desk, unit_id)


@router.post("/units/{unit_id}/rename")
async def rename(desk: AtDesk, unit_id: str) -> Response:
    form = await _form(desk)
    body = {"name": {"vi": form.get("vi", ""), "en": form.get("en", "")}}
    return await _act_on_unit(desk, unit_id, "rename", body, form)


@router.post("/units/{unit_id}/merge")
async def merge(desk: AtDesk, unit_id: str) -> Response:
    form = await _form(desk)
    body = {
        "into": form.get("into", ""),
        "day": form.get("day", ""),
        "with_officers": form.get("with_officers") == "yes",
    }
    return await _act_on_unit(desk, unit_id, "merge", body, form)


@router.post("/units/{unit_id}/close")
async def close(desk: AtDesk, unit_id: str) -> Response:
    form = await _form(desk)
    return await _act_on_unit(desk, unit_id, "close", {"day": form.get("day", "")}, form)


@router.post("/units/{unit_id}/reopen")
async def reopen(desk: AtDesk, unit_id: str) -> Response:
    form = await _form(desk)
    return await _act_on_unit(desk, unit_id, "reopen", {}, form)


@router.get("/officers/{officer_id}")
async def officer(desk: AtDesk, officer_id: str) -> Response:
    return await _officer_page(desk, officer_id)


@router.post("/officers/{officer_id}/move")
async def move(desk: AtDesk, officer_id: str) -> Response:
    form = await _form(desk)
    body = {"unit_id": form.get("unit_id", ""), "day": form.get("day", "")}
    path, language = ("officers", officer_id, "move"), desk.language.code
    try:
        work = desk.office.send("POST", path, desk.token, body, language=language)
        return await desk.act(work, "officer_moved", f"{OFFICE}/units/{body['unit_id']}")
    except Refused as error:
        return await _officer_page(desk, officer_id, status=error.status, refused=error, said=form)


async def _act_on_unit(desk: Desk, unit_id: str, path: str, body: Any, form: Mapping[str, str]) -> Response:
    language = desk.language.code
    try:
        work = desk.office.send("POST", ("units", unit_id, path), desk.token, body, language=language)
        return await desk.act(work, DONE[path], f"{OFFICE}/units/{unit_id}")
    except Refused as error:
        return await _unit_page(desk, unit_id, status=error.status, refused=error, said=form, asked=path)


async def _unit_page(
    desk: Desk,
    unit_id: str,
    *,
    status: int = 200,
    refused: Refused | None = None,
    said: Mapping[str, str] | None = None,
    asked: str = "",
) -> Response:
    """`said` is what was typed into the form that was `asked`."""
    found = await desk.office.unit(desk.token, unit_id)
    history = await desk.office.actions(desk.token, {"about": unit_id, "limit": str(FIRST_ACTIONS)})
    others = await desk.office.units(desk.token) if desk.me.may_change else []
    return desk.page(
        "office_unit.html",
        status=status,
        unit=found,
        heir=await _heir(desk, found),
        heirs=[each for each in others if each.open and each.id != unit_id],
        actions=history.actions,
        refused=refused,
        said=defaultdict(str, said or {}),
        asked=asked,
        today=city_today(),
    )


async def _heir(desk: Desk, unit: UnitWithOfficers) -> dict[str, str] | None:
    """The name of who took over, where it may be seen."""
    if unit.merged_into is None:
        return None
    try:
        return (await desk.office.unit(desk.token, unit.merged_into)).name
    except Refused:
        return {"vi": unit.merged_into}


async def _officer_page(
    desk: Desk,
    officer_id: str,
    *,
    status: int = 200,
    refused: Refused | None = None,
    said: Mapping[str, str] | None = None,
) -> Response:
    found = await desk.office.officer(desk.token, officer_id)
    unit = await desk.office.unit(desk.token, found.unit_id)
    others = await desk.office.units(desk.token) if desk.me.may_change else []
    return desk.page(
        "office_officer.html",
        status=status,
        officer=found,
        unit=unit,
        others=[each for each in others if each.open and each.id != found.unit_id],
        refused=refused,
        said=defaultdict(str, said or {}),
        today=city_today(),
    )


async def _new_page(
    desk: Desk,
    *,
    status: int = 200,
    refused: Refused | None = None,
    said: Mapping[str, str] | None = None,
) -> Response:
    groups = {each.group_id: each.group_name for each in await desk.office.units(desk.token)}
    return desk.page(
        "office_new_unit.html",
        status=status,
        groups=groups,
        refused=refused,
        said=defaultdict(str, said or {}),
    )


async def _form(desk: Desk) -> dict[str, str]:
    """The form's texts. Raises HTTPException where it is not this session's own."""
    form = await desk.request.form(max_files=0)
    desk.owns(form.get("token"))
    return {name: value.strip() for name, value in form.items() if isinstance(value, str)}
