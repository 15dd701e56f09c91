"""The rating form and the reasons (steps 5 and 5b), and where a rating ends."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel, Field

from portal import walk
from portal.apis.intake import Edition, OfficerPlace
from portal.device import CHANNEL
from portal.draft import Draft, path_of
from portal.pages.context import Context, NoEdition, context, open_edition
from portal.pages.kiosk import KIOSK
from portal.pages.scanned import by_poster
from portal.view import redirect

router = APIRouter(prefix="/danh-gia/cong-chuc/{officer_id}")
Text = Annotated[str, Form(max_length=200)]
LONGEST_PROOF = 2048
Proof = Annotated[str, Form(max_length=LONGEST_PROOF)]
MANY = 50


def go(site: Context, draft: Draft, page: walk.Page) -> Response:
    """To a page of this draft's walk, keeping the draft."""
    response = redirect(path_of(draft.officer_id) + page)
    site.drafts.write(response, draft)
    return response


def expired(officer_id: str) -> Response:
    """To the form, which says that what was entered is not known any more."""
    return redirect(f"{path_of(officer_id)}?phien=het-han")


async def place_and_edition(site: Context, officer_id: str) -> tuple[OfficerPlace, Edition]:
    return await site.intake.officer(officer_id), await open_edition(site)


def show(request: Request, template: str, draft: Draft, officer: OfficerPlace, **values: Any) -> Response:
    """A page of the walk, and the draft's cookie, renewed."""
    site = context(request)
    response = site.view.page(
        request,
        template,
        personal=True,
        draft=draft,
        officer=officer,
        token=site.drafts.token(draft),
        base=path_of(draft.officer_id),
        **values,
    )
    site.drafts.write(response, draft)
    return response


@router.get("")
async def form(request: Request, officer_id: str, phien: str = "") -> Response:
    site = context(request)
    officer, edition = await place_and_edition(site, officer_id)
    draft = site.drafts.read(request, officer_id)
    if draft is None or draft.end is not None:
        draft = site.drafts.begin(request, officer_id)
        if phien:
            draft.errors = {"session": walk.MESSAGES["session"]}
    if draft.frozen:
        return go(site, draft, walk.Page.SENDING)
    device = site.devices.read(request)
    if device is not None and officer.unit.id != device.unit_id:
        return redirect(KIOSK)
    draft.channel = CHANNEL if device else "qr" if by_poster(request, officer) else draft.channel
    draft.vouched = device is not None and device.vouches and edition.policy.devices_vouch
    if not officer.active:
        return site.view.page(request, "officer_gone.html", officer=officer, status=404)
    asks_file = edition.policy.file_numbers != "none"
    units = (await site.intake.register()).units if asks_file else []
    return show(
        request,
        "form.html",
        draft,
        officer,
        edition=edition,
        site=site.public_url,
        respondents=walk.RESPONDENTS,
        others=[each for each in units if each.id != officer.unit.id],
    )


class Entered(BaseModel):
    """The rating form as posted."""

    token: str = Field("", max_length=200)
    phone: str = Field("", max_length=40)
    answer: str = Field("", max_length=64)
    consent: str = Field("", max_length=8)
    file_number: str = Field("", max_length=100)
    respondent: str = Field("", max_length=64)
    deciding_unit_id: str = Field("", max_length=200)
    proof: str = Field("", max_length=2048)


@router.post("")
async def enter(request: Request, officer_id: str, entered: Annotated[Entered, Form()]) -> Response:
    site = context(request)
    _, edition = await place_and_edition(site, officer_id)
    draft = site.drafts.read(request, officer_id)
    known = draft is not None and site.drafts.owns(draft, entered.token)
    if draft is None or not known:
        draft = site.drafts.begin(request, officer_id)
    if draft.end is not None or draft.frozen:
        return go(site, draft, walk.next_page(draft, edition))
    if draft.edition_id != edition.id:
        draft.edition_id, draft.reasons, draft.challenge, draft.proof = edition.id, [], None, ""
        draft.scale_answers = {}
    draft.phone, draft.answer = entered.phone.strip(), entered.answer
    draft.consent = entered.consent == "yes"
    draft.file_number, draft.respondent = entered.file_number.strip(), entered.respondent
    draft.deciding_unit_id = entered.deciding_unit_id
    draft.proof = entered.proof or draft.proof
    draft.language = site.view.language(request).code
    its = edition.reasons_of(draft.answer) if edition.asks_reasons(draft.answer) else []
    draft.reasons = [reason.id for reason in its if reason.id in draft.reasons]
    draft.errors = walk.check_form(draft, edition)
    if not known:
        draft.errors = {"session": walk.MESSAGES["session"]}
        response = expired(officer_id)
        site.drafts.write(response, draft)
        return response
    if draft.errors:
        return go(site, draft, walk.Page.FORM)
    if edition.asks_reasons(draft.answer):
        return go(site, draft, walk.Page.REASONS)
    return further(site, draft, edition)


def further(site: Context, draft: Draft, edition: Edition) -> Response:
    """To what the edition asks beside the one question, or past it."""
    if edition.instrument.scales:
        return go(site, draft, walk.Page.SCALES)
    return onward(site, draft, edition)


def onward(site: Context, draft: Draft, edition: Edition) -> Response:
    """Everything is entered but the code. Where none has to be entered, this is the sending."""
    if walk.asks_code(draft, edition) or walk.asks_proof(draft, edition):
        return go(site, draft, walk.Page.CODE)
    draft.frozen = True
    return go(site, draft, walk.Page.SENDING)


@router.get(walk.Page.REASONS)
async def reasons(request: Request, officer_id: str) -> Response:
    site = context(request)
    officer, edition = await place_and_edition(site, officer_id)
    draft = site.drafts.read(request, officer_id)
    if draft is None:
        return expired(officer_id)
    before = walk.next_page(draft, edition)
    if before in (walk.Page.FORM, walk.Page.SENDING, walk.Page.THANKS) and not _at_reasons(draft, edition):
        return go(site, draft, before)
    if not edition.asks_reasons(draft.answer):
        return go(site, draft, walk.Page.FORM)
    return show(request, "reasons.html", draft, officer, edition=edition)


def _at_reasons(draft: Draft, edition: Edition) -> bool:
    """With a policy that asks for no image code, a complete draft may still be looked at here."""
    return not draft.frozen and draft.end is None and not walk.check_form(draft, edition)


@router.post(walk.Page.REASONS)
async def choose_reasons(
    request: Request,
    officer_id: str,
    token: Text = "",
    reasons: Annotated[list[str] | None, Form(max_length=MANY)] = None,
    proof: Proof = "",
) -> Response:
    site = context(request)
    _, edition = await place_and_edition(site, officer_id)
    draft = site.drafts.read(request, officer_id)
    if draft is None:
        return expired(officer_id)
    if draft.end is not None or draft.frozen:
        return go(site, draft, walk.next_page(draft, edition))
    if not site.drafts.owns(draft, token):
        return go(site, draft, walk.Page.REASONS)
    draft.proof = proof or draft.proof
    draft.reasons = [r.id for r in edition.reasons_of(draft.answer) if r.id in (reasons or [])]
    draft.errors = walk.check_reasons(draft.reasons, edition, draft.answer)
    if draft.errors:
        return go(site, draft, walk.Page.REASONS)
    if walk.check_form(draft, edition):
        return go(site, draft, walk.Page.FORM)
    return further(site, draft, edition)


@router.get(walk.Page.THANKS)
async def thanks(request: Request, officer_id: str) -> Response:
    site = context(request)
    draft = site.drafts.read(request, officer_id)
    if draft is None or draft.end is None:
        return redirect(path_of(officer_id))
    return show(request, "thanks.html", draft, await site.intake.officer(officer_id))


@router.get(walk.Page.CLOSED)
async def closed(request: Request, officer_id: str) -> Response:
    await context(request).intake.officer(officer_id)
    raise NoEdition
