"""Posters and desk cards for a department to print: for who has signed in and may see that place's figures.

The codes hang in public, but setting sheets takes processor time, and a sheet that its department did not
order is one more to mistake for a fake.
"""

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from chassis.key_files import KeyMissing
from chassis.logs import logger
from portal.apis.http import SignedOut, Unavailable
from portal.pages.context import Context, context
from portal.pages.place import KINDS
from portal.pages.signing_in import INSIDE, door, ended, entrance
from portal.posters import sheets
from portal.posters.codes import Target
from portal.posters.sheets import FORMATS, PAPERS, Subject
from portal.view import redirect

log = logger(__name__)
router = APIRouter(prefix=INSIDE)
MEDIA_TYPES = {"pdf": "application/pdf", "svg": "image/svg+xml"}


@router.get("/{kind}/{place}/qr-{paper}.{format}")
async def sheet(request: Request, kind: str, place: str, paper: str, format: str) -> Response:
    """Raises Refused for a place that is not there or not this person's, and Unavailable."""
    level = KINDS.get(kind)
    if level not in ("officer", "unit") or format not in FORMATS or paper not in PAPERS[level]:
        raise HTTPException(404)
    session = door(request).sessions.read(request)
    if session is None:
        return redirect(entrance(f"{INSIDE}/{kind}/{place}"))
    try:
        await door(request).figures.figures(session.token, level, place)
    except SignedOut:
        return ended(request)
    site = context(request)
    assert site.public_url is not None  # noqa: S101 - settings want it where one can sign in
    subject = await _subject(site, Target(level, place))
    found = sheets.sheet(
        subject,
        _code(site, subject.target),
        site=site.public_url,
        paper=paper,
        format=format,
        languages=site.view.languages,
    )
    name = sheets.file_name(subject, paper, format)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    try:
        made = await site.press.set(found)
    except TimeoutError as error:
        raise Unavailable("a sheet was not set in time") from error
    return Response(made, media_type=MEDIA_TYPES[format], headers=headers)


async def _subject(site: Context, target: Target) -> Subject:
    if target.kind == "unit":
        return Subject(target, (await site.intake.unit(target.id)).name)
    officer = await site.intake.officer(target.id)
    return Subject(target, officer.unit.name, officer.name, officer.title, officer.sample)


def _code(site: Context, target: Target) -> str:
    try:
        return site.codes.code(target)
    except KeyMissing as error:
        log.warning("no key for posters; make one with: python -m portal poster-keys rotate")
        raise Unavailable("no key for posters") from error
