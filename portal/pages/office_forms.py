"""Paper forms in the office: issued and printed, and entered by two people independently."""

from typing import Any

from fastapi import APIRouter, Response
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from portal.apis.http import Refused, Unavailable
from portal.apis.office_forms import Form, FormsApi
from portal.i18n import N_
from portal.pages.context import context
from portal.pages.office import UNFOUND, AtDesk, Desk
from portal.pages.signing_in import OFFICE
from portal.posters import forms as papers
from portal.view import redirect

router = APIRouter(prefix=OFFICE)
FORMS = f"{OFFICE}/forms"
STANDINGS = {
    "issued": N_("Chưa nhập"),
    "entered": N_("Đã nhập một lần"),
    "differs": N_("Hai lần nhập khác nhau"),
    "counted": N_("Đã tính"),
}
UNKNOWN = N_("Không có phiếu nào mang số này. Hãy xem lại từng chữ số in dưới mã QR.")


def forms_of(desk: Desk) -> FormsApi:
    return FormsApi(desk.office.api)


@router.get("/forms")
async def forms(desk: AtDesk) -> Response:
    return await _forms_page(desk)


@router.post("/forms")
async def issue(desk: AtDesk) -> Response:
    """Numbers for so many forms of an officer; the next page offers them as PDF."""
    form = await desk.request.form(max_files=0)
    desk.owns(form.get("token"))
    officer, count = _text(form, "officer_id"), _text(form, "count")
    try:
        run = await forms_of(desk).issue(desk.token, officer, count, desk.language.code)
    except Refused as error:
        return await _forms_page(desk, status=error.status, refused=error, said=form)
    return redirect(f"{FORMS}/runs/{run.first}?done=forms_issued")


@router.get("/forms/runs/{first}")
async def run(desk: AtDesk, first: str) -> Response:
    found = await forms_of(desk).run(desk.token, first)
    files = [(number, part[0], part[-1]) for number, part in enumerate(papers.parts(found), start=1)]
    return desk.page("office_form_run.html", run=found, files=files, standing_names=STANDINGS)


@router.get("/forms/runs/{first}/{number}.pdf")
async def printed(desk: AtDesk, first: str, number: int) -> Response:
    """The forms of a run as PDF, fifty in a file."""
    found = await forms_of(desk).run(desk.token, first)
    parts = papers.parts(found)
    if not 1 <= number <= len(parts):
        raise HTTPException(404)
    part, site = parts[number - 1], context(desk.request)
    try:
        made = await site.press.set(papers.sheet(found, part, languages=site.view.languages))
    except TimeoutError as error:
        raise Unavailable("forms were not set in time") from error
    headers = {
        "Content-Disposition": f'attachment; filename="{papers.file_name(found, part)}"',
        "Cache-Control": "no-store",
    }
    return Response(made, media_type="application/pdf", headers=headers)


@router.get("/forms/entry")
async def look(desk: AtDesk) -> Response:
    """A form by its number, typed or scanned."""
    typed = desk.request.query_params.get("number", "").strip()
    if not typed:
        return await _forms_page(desk)
    found = await _form(desk, typed)
    if found is None:
        return await _forms_page(desk, status=422, typed=typed, unknown=UNKNOWN)
    return _entry_page(desk, found, {"answer": "", "reasons": [], "given_on": "", "scales": {}})


@router.post("/forms/entry")
async def enter(desk: AtDesk) -> Response:
    form = await desk.request.form(max_files=0, max_fields=400)
    desk.owns(form.get("token"))
    number = _text(form, "number")
    known = await _form(desk, number)
    if known is None:
        return await _forms_page(desk, status=422, typed=number, unknown=UNKNOWN)
    said = _said(form, known)
    body = {
        "answer": said["answer"] or "missing",
        "reasons": said["reasons"],
        "given_on": said["given_on"],
        "scale_answers": [
            {"scale": scale, "question": question, "choice": choice}
            for (scale, question), choice in said["scales"].items()
        ],
    }
    try:
        entered = await forms_of(desk).enter(desk.token, number, body, desk.language.code)
    except Refused as error:
        return _entry_page(desk, known, said, status=error.status, refused=error)
    done = f"done=form_{entered.standing}"
    differs = entered.standing == "differs"
    return redirect(f"{FORMS}/entry?number={number}&{done}" if differs else f"{FORMS}?{done}")


async def _form(desk: Desk, number: str) -> Form | None:
    """None where there is none of that number, or it is not this person's to see."""
    try:
        return await forms_of(desk).form(desk.token, number)
    except Refused as error:
        if error.status == UNFOUND:
            return None
        raise


async def _forms_page(
    desk: Desk,
    *,
    status: int = 200,
    refused: Refused | None = None,
    said: FormData | None = None,
    typed: str = "",
    unknown: str = "",
) -> Response:
    found = await forms_of(desk).forms(desk.token)
    query = desk.request.query_params
    return desk.page(
        "office_forms.html",
        status=status,
        forms=found,
        standing_names=STANDINGS,
        refused=refused,
        officer_id=_text(said, "officer_id") if said else query.get("officer", ""),
        count=_text(said, "count") if said else "50",
        typed=typed,
        unknown=unknown,
        grouped=papers.grouped,
    )


def _entry_page(
    desk: Desk, form: Form, said: dict[str, Any], *, status: int = 200, refused: Refused | None = None
) -> Response:
    return desk.page(
        "office_form.html",
        status=status,
        form=form,
        said=said,
        refused=refused,
        standing_names=STANDINGS,
        grouped=papers.grouped,
    )


def _said(form: FormData, known: Form) -> dict[str, Any]:
    """What was typed; reasons alone that belong to the answer, as those of the other are out of sight."""
    instrument = known.edition.instrument
    answer = next((each for each in instrument.answers if each.id == _text(form, "answer")), None)
    reasons = {str(each) for each in form.getlist(f"reasons.{answer.id}")} if answer else set()
    scales = {
        (scale.id, question.id): _text(form, f"scale.{scale.id}.{question.id}")
        for scale in instrument.scales
        for question in scale.questions
    }
    return {
        "answer": answer.id if answer else "",
        "reasons": [each.id for each in instrument.reasons if each.id in reasons],
        "given_on": _text(form, "given_on"),
        "scales": {key: choice for key, choice in scales.items() if choice},
    }


def _text(form: FormData, name: str) -> str:
    said = form.get(name)
    return said.strip() if isinstance(said, str) else ""
