"""The further questions that an edition asks (step 5c): nobody has to answer any."""

from fastapi import APIRouter, Request, Response

from portal import walk
from portal.pages.context import context
from portal.pages.rating import LONGEST_PROOF, expired, go, onward, place_and_edition, show

router = APIRouter(prefix="/danh-gia/cong-chuc/{officer_id}")
MOST_FIELDS = 60


@router.get(walk.Page.SCALES)
async def scales(request: Request, officer_id: str) -> Response:
    site = context(request)
    officer, edition = await place_and_edition(site, officer_id)
    draft = site.drafts.read(request, officer_id)
    if draft is None:
        return expired(officer_id)
    if not edition.instrument.scales or not walk.rated(draft, edition):
        return go(site, draft, walk.next_page(draft, edition))
    return show(request, "scales.html", draft, officer, edition=edition)


@router.post(walk.Page.SCALES)
async def answer(request: Request, officer_id: str) -> Response:
    site = context(request)
    _, edition = await place_and_edition(site, officer_id)
    draft = site.drafts.read(request, officer_id)
    if draft is None:
        return expired(officer_id)
    if not walk.rated(draft, edition):
        return go(site, draft, walk.next_page(draft, edition))
    form = await request.form(max_files=0, max_fields=MOST_FIELDS)
    if not site.drafts.owns(draft, str(form.get("token", ""))):
        return go(site, draft, walk.Page.SCALES)
    proof = str(form.get("proof", ""))
    draft.proof = (proof if len(proof) <= LONGEST_PROOF else "") or draft.proof
    said = {name: str(choice) for name, choice in form.items()}
    draft.scale_answers = {
        f"{scale.id}/{question.id}": choice.id
        for scale in edition.instrument.scales
        for question in scale.questions
        for choice in question.choices
        if said.get(f"{scale.id}/{question.id}") == choice.id
    }
    draft.errors = {}
    return onward(site, draft, edition)
