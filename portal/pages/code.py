"""The verification code (step 6): picture, sound, another one; and sending the rating off."""

import hashlib

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from portal import walk
from portal.apis.http import Unavailable
from portal.draft import Draft, DraftChallenge, now, path_of
from portal.pages.context import context, open_edition
from portal.pages.rating import Proof, Text, expired, go, place_and_edition, show

router = APIRouter(prefix="/danh-gia/cong-chuc/{officer_id}/ma-xac-thuc")
MEDIA = {"hinh.png": "image.png", "am-thanh-vi.wav": "audio-vi.wav", "am-thanh-en.wav": "audio-en.wav"}


@router.get("")
async def code(request: Request, officer_id: str) -> Response:
    site = context(request)
    officer, edition = await place_and_edition(site, officer_id)
    draft = site.drafts.read(request, officer_id)
    if draft is None:
        return expired(officer_id)
    due = walk.next_page(draft, edition)
    if due is not walk.Page.CODE:
        return go(site, draft, due)
    asks_code = walk.asks_code(draft, edition)
    if asks_code and not draft.has_challenge(now()):
        try:
            made = await site.verification.challenge(edition.id)
        except Unavailable:
            return _without_picture(request, draft)
        draft.challenge = DraftChallenge(id=made.id, expires_at=made.expires_at)
    return show(
        request, "code.html", draft, officer, edition=edition, asks_code=asks_code, version=_version(draft)
    )


def _without_picture(request: Request, draft: Draft) -> Response:
    """Verification is away: everything entered is kept, and this page may be tried again."""
    site = context(request)
    response = site.view.page(
        request, "no_picture.html", status=503, personal=True, base=path_of(draft.officer_id)
    )
    response.headers["Retry-After"] = "10"
    site.drafts.write(response, draft)
    return response


def _version(draft: Draft) -> str:
    """Makes each picture's address its own, so that no browser shows the one before."""
    return hashlib.sha256(draft.challenge.id.encode() if draft.challenge else b"").hexdigest()[:12]


@router.post("")
async def send(
    request: Request, officer_id: str, token: Text = "", code: Text = "", proof: Proof = ""
) -> Response:
    site = context(request)
    _, edition = await place_and_edition(site, officer_id)
    draft = site.drafts.read(request, officer_id)
    if draft is None:
        return expired(officer_id)
    due = walk.next_page(draft, edition)
    if due is not walk.Page.CODE or not site.drafts.owns(draft, token):
        return go(site, draft, due)
    draft.proof = proof or draft.proof
    asks_code = walk.asks_code(draft, edition)
    if asks_code and draft.challenge is None:
        return go(site, draft, walk.Page.CODE)
    draft.code = "".join(code.split())
    missing = {"code": asks_code and not draft.code, "proof": walk.asks_proof(draft, edition)}
    draft.errors = {what: walk.MESSAGES[what] for what, is_so in missing.items() if is_so}
    draft.language = site.view.language(request).code
    draft.frozen = not draft.errors
    return go(site, draft, walk.Page.SENDING if draft.frozen else walk.Page.CODE)


@router.post("/doi-ma")
async def another(request: Request, officer_id: str, token: Text = "") -> Response:
    site = context(request)
    _, edition = await place_and_edition(site, officer_id)
    draft = site.drafts.read(request, officer_id)
    if draft is None:
        return expired(officer_id)
    due = walk.next_page(draft, edition)
    if due is walk.Page.CODE and site.drafts.owns(draft, token):
        draft.challenge, draft.code, draft.errors = None, "", {}
    return go(site, draft, due)


@router.get("/tinh-toan")
async def puzzle(request: Request, officer_id: str) -> Response:
    """A proof of work for the device, asked for by the page's script."""
    site = context(request)
    edition = await open_edition(site)
    if site.drafts.read(request, officer_id) is None or not edition.policy.computes:
        raise HTTPException(404)
    made = await site.verification.puzzle(edition.id)
    return JSONResponse(made, headers={"Cache-Control": "no-store"})


@router.get("/{name}")
async def media(request: Request, officer_id: str, name: str) -> Response:
    """The picture or the sound of the draft's challenge, through this origin, kept nowhere."""
    site = context(request)
    draft = site.drafts.read(request, officer_id)
    if name not in MEDIA or draft is None or draft.challenge is None:
        raise HTTPException(404)
    content, media_type = await site.verification.media(draft.challenge.id, MEDIA[name])
    return Response(content, media_type=media_type)
