"""Editions in the office: published, mended and closed."""

import json
import re
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Response
from starlette.datastructures import FormData

from portal.apis.http import Refused
from portal.apis.office import Edition
from portal.i18n import city_today
from portal.pages.office import UNFOUND, AtDesk, Desk
from portal.pages.signing_in import OFFICE

router = APIRouter(prefix=OFFICE)
SPARE = 3
"""Empty lines for further reasons."""
CHOSEN = ("verification", "proof_of_work", "file_numbers")
NUMBERS = ("duplicate_window_days", "phone_retention_days")
PUBLICATION = ("officer_batch", "officer_hour", "suppress_below")


@router.get("/editions")
async def editions(desk: AtDesk) -> Response:
    return desk.page("office_editions.html", editions=await desk.office.editions(desk.token))


@router.get("/new-edition")
async def new(desk: AtDesk) -> Response:
    """A form as the newest edition has it: most of it stays from year to year."""
    known = await desk.office.editions(desk.token)
    today = city_today()
    return _page(desk, None, _shown(known[0], opens_on=today, new=True) if known else _empty(today))


@router.get("/editions/{edition_id}")
async def edition(desk: AtDesk, edition_id: str) -> Response:
    found = await desk.office.edition(desk.token, edition_id)
    return _page(desk, found, _shown(found))


@router.post("/editions")
async def publish(desk: AtDesk) -> Response:
    """A new edition, or another state of one."""
    form = await desk.request.form(max_files=0, max_fields=500)
    desk.owns(form.get("token"))
    edition_id, etag = _text(form, "edition_id"), _text(form, "etag")
    said = _said(form)
    headers = {"If-Match": etag} if etag else {}
    path = ("editions", edition_id)
    try:
        work = desk.office.send(
            "PUT", path, desk.token, _body(said), language=desk.language.code, headers=headers
        )
        return await desk.act(work, "edition_published", f"{OFFICE}/editions/{edition_id}")
    except Refused as error:
        known = await _known(desk, edition_id) if etag else None
        return _page(desk, known, said, status=error.status, refused=error)


@router.post("/editions/{edition_id}/close")
async def close(desk: AtDesk, edition_id: str) -> Response:
    form = await desk.request.form(max_files=0)
    desk.owns(form.get("token"))
    body = {"closes_on": _text(form, "closes_on")}
    path = ("editions", edition_id, "close")
    try:
        work = desk.office.send("POST", path, desk.token, body, language=desk.language.code)
        return await desk.act(work, "edition_closed", f"{OFFICE}/editions/{edition_id}")
    except Refused as error:
        found = await desk.office.edition(desk.token, edition_id)
        return _page(desk, found, _shown(found), status=error.status, refused=error)


async def _known(desk: Desk, edition_id: str) -> Edition | None:
    try:
        return await desk.office.edition(desk.token, edition_id)
    except Refused as error:
        if error.status == UNFOUND:
            return None
        raise


def _page(
    desk: Desk,
    edition: Edition | None,
    said: dict[str, Any],
    *,
    status: int = 200,
    refused: Refused | None = None,
) -> Response:
    yesterday = city_today() - timedelta(days=1)
    return desk.page(
        "office_edition.html",
        status=status,
        edition=edition,
        said=said,
        spare=SPARE,
        refused=refused,
        closing=max(yesterday, edition.edition.opens_on) if edition else yesterday,
    )


def _shown(known: Edition, *, opens_on: date | None = None, new: bool = False) -> dict[str, Any]:
    """An edition as the form has it."""
    edition = known.edition.model_dump(mode="json")
    instrument, policy = edition["instrument"], edition["policy"]
    return {
        "edition_id": "" if new else edition["edition_id"],
        "title": {"vi": "", "en": ""} if new else edition["title"],
        "opens_on": opens_on.isoformat() if opens_on else edition["opens_on"],
        "closes_on": "" if new else edition["closes_on"],
        "instrument_id": instrument["id"],
        "question": instrument["question"],
        "answers": instrument["answers"],
        "reasons": instrument["reasons"],
        "scales": _written(instrument["scales"]),
        "policy": policy,
        "sealing_key": "",
    }


def _empty(today: date) -> dict[str, Any]:
    nothing = {"vi": "", "en": ""}
    return {
        "edition_id": "",
        "title": nothing,
        "opens_on": today.isoformat(),
        "closes_on": "",
        "instrument_id": "two-answer",
        "question": nothing,
        "answers": [
            {"id": "satisfied", "text": {"vi": "Hài lòng", "en": "Satisfied"}, "asks_reasons": False},
            {
                "id": "not_satisfied",
                "text": {"vi": "Chưa hài lòng", "en": "Not yet satisfied"},
                "asks_reasons": True,
            },
        ],
        "reasons": [],
        "scales": "",
        "policy": {
            "verification": "captcha",
            "proof_of_work": "none",
            "duplicate_window_days": 1,
            "phone_retention_days": 90,
            "publication": {"officer_batch": 5, "officer_hour": 7, "suppress_below": 5},
            "vouching": [],
            "file_numbers": "none",
            "asks_respondent": False,
        },
        "sealing_key": "",
    }


def _said(form: FormData) -> dict[str, Any]:
    """What was typed, as the form has it. A reason without an id and texts is none."""
    policy: dict[str, Any] = {name: _text(form, name) for name in (*CHOSEN, *NUMBERS)}
    policy["vouching"] = [str(each) for each in form.getlist("vouching")]
    policy["asks_respondent"] = _text(form, "asks_respondent") == "yes"
    policy["publication"] = {name: _text(form, name) for name in PUBLICATION}
    asking = {str(each) for each in form.getlist("asks_reasons")}
    optional = {str(each) for each in form.getlist("reasons_optional")}
    answers = _choices(form, "answer")
    return {
        "edition_id": _text(form, "edition_id"),
        "title": {"vi": _text(form, "title_vi"), "en": _text(form, "title_en")},
        "opens_on": _text(form, "opens_on"),
        "closes_on": _text(form, "closes_on"),
        "instrument_id": _text(form, "instrument_id"),
        "question": {"vi": _text(form, "question_vi"), "en": _text(form, "question_en")},
        "answers": [
            {**each, "asks_reasons": each["id"] in asking, "reasons_optional": each["id"] in optional}
            for each in answers
        ],
        "reasons": _reasons(form),
        "scales": _text(form, "scales"),
        "policy": policy,
        "sealing_key": _text(form, "sealing_key"),
    }


def _choices(form: FormData, name: str) -> list[dict[str, Any]]:
    columns = [[str(each).strip() for each in form.getlist(f"{name}_{part}")] for part in ("id", "vi", "en")]
    lines = zip(*columns, strict=False)
    return [{"id": id_, "text": {"vi": vi, "en": en}} for id_, vi, en in lines if id_ or vi or en]


def _reasons(form: FormData) -> list[dict[str, Any]]:
    """With the ids of the answers that each is for, as typed: any but letters, digits and _ between them."""
    ids, said = (map(str, form.getlist(name)) for name in ("reason_id", "reason_answers"))
    fors = dict(zip(ids, said, strict=False))
    found = _choices(form, "reason")
    return [{**each, "answers": re.findall(r"\w+", fors.get(each["id"], ""))} for each in found]


def _written(scales: list[dict[str, Any]]) -> str:
    return json.dumps(scales, ensure_ascii=False, indent=1) if scales else ""


def _read(scales: str) -> Any:
    """As intake judges it; what is no JSON is none that it takes."""
    try:
        return json.loads(scales or "[]")
    except ValueError:
        return scales


def _body(said: dict[str, Any]) -> dict[str, Any]:
    """As intake's API takes it; it says what is wrong with any of it."""
    body: dict[str, Any] = {
        "title": said["title"],
        "opens_on": said["opens_on"],
        "closes_on": said["closes_on"],
        "policy": said["policy"],
        "instrument": {
            "id": said["instrument_id"],
            "question": said["question"],
            "answers": said["answers"],
            "reasons": said["reasons"],
            "scales": _read(said["scales"]),
        },
    }
    if said["sealing_key"]:
        try:
            body["sealing_key"] = json.loads(said["sealing_key"])
        except ValueError:
            body["sealing_key"] = {"key_id": "", "public_key": ""}
    return body


def _text(form: FormData, name: str) -> str:
    said = form.get(name)
    return said.strip() if isinstance(said, str) else ""
