"""Importing the directory: choose a file, see what it changes or what is wrong with it, apply exactly that.

The portal keeps nothing between the two: the file travels in the form of its preview, and intake holds it to
the digest of what was shown.
"""

import base64
import binascii
import zlib
from typing import Any

from fastapi import APIRouter, Response
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from portal.apis.http import Refused
from portal.pages.office import AtDesk, Desk
from portal.pages.signing_in import OFFICE

router = APIRouter(prefix=OFFICE)
FILE_BYTES = 1_000_000
MOST_BYTES = 2 * FILE_BYTES
"""Of a form: the file as text, and what stands around it."""


@router.get("/import")
async def choose(desk: AtDesk) -> Response:
    return _page(desk)


@router.post("/import")
async def preview(desk: AtDesk) -> Response:
    """What the file would change."""
    async with desk.request.form(max_files=1, max_part_size=MOST_BYTES) as form:
        desk.owns(form.get("token"))
        content = await chosen(form)
        complete = form.get("complete") == "yes"
    if not content:
        return _page(desk, status=422, mistake="file")
    return await _previewed(desk, content, complete=complete)


@router.post("/import/apply")
async def apply(desk: AtDesk) -> Response:
    """Apply what was shown; where anything has changed since, it is shown anew."""
    async with desk.request.form(max_files=0, max_part_size=MOST_BYTES) as form:
        desk.owns(form.get("token"))
        content, digest = unpacked(form), str(form.get("digest", ""))
        complete = form.get("complete") == "yes"
    language = desk.language.code
    work = desk.office.apply(desk.token, content, digest, complete=complete, language=language)
    try:
        return await desk.act(work, "directory_imported", f"{OFFICE}/import")
    except Refused as error:
        return await _previewed(desk, content, complete=complete, refused=error.detail, status=error.status)


async def _previewed(
    desk: Desk, content: bytes, *, complete: bool, refused: str = "", status: int = 200
) -> Response:
    language = desk.language.code
    try:
        found = await desk.office.preview(desk.token, content, complete=complete, language=language)
    except Refused as error:
        return _page(desk, status=error.status, refused=error.detail)
    return _page(
        desk,
        status=422 if found.errors else status,
        preview=found,
        packed=packed(content),
        complete=complete,
        refused=refused,
    )


def _page(desk: Desk, *, status: int = 200, **values: Any) -> Response:
    usual = {"preview": None, "packed": "", "complete": False, "refused": "", "mistake": ""}
    return desk.page("office_import.html", status=status, **{**usual, **values})


async def chosen(form: FormData) -> bytes:
    """The file that was chosen; empty where none was."""
    file = form.get("file")
    return await file.read() if isinstance(file, UploadFile) else b""


def packed(content: bytes) -> str:
    """A file as the form of its preview carries it."""
    return base64.b64encode(zlib.compress(content, 9)).decode()


def unpacked(form: FormData) -> bytes:
    """No more of it than a file may have."""
    try:
        packed = base64.b64decode(str(form.get("packed", "")), validate=True)
        unpacking = zlib.decompressobj()
        content = unpacking.decompress(packed, FILE_BYTES)
    except (binascii.Error, zlib.error) as error:
        raise HTTPException(422) from error
    if unpacking.unconsumed_tail:
        raise HTTPException(413)
    return content
