"""Reports over HTTP."""

from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Protocol
from urllib.parse import quote

from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.responses import StreamingResponse

from chassis.problems import Bilingual, Problem, ProblemBody, ProblemType, language_of
from services.aggregation.answers import Answers, Reading
from services.aggregation.api import Asked, Place, With, ask
from services.aggregation.documents import Period
from services.aggregation.domain import CITY, Scope
from services.aggregation.files_handled import NOBODY_SAID, FilesHandled
from services.aggregation.reports.cover import file_names
from services.aggregation.reports.files import MEDIA_TYPES, written
from services.aggregation.reports.press import Full, Press
from services.aggregation.reports.report import Format, Report, Texts, gather

REPORT_SECONDS = 30.0
FULL_SECONDS = 3
REPORTS_FULL = ProblemType(
    "reports_full",
    503,
    Bilingual("Đang lập quá nhiều báo cáo", "Too many reports are being made"),
    Bilingual("Vui lòng thử lại sau {seconds} giây.", "Please send the same again in {seconds} seconds."),
)
FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {media: {"schema": {"type": "string"}} for media in MEDIA_TYPES.values()},
        "headers": {
            "Content-Disposition": {"required": True, "schema": {"type": "string"}},
            "Content-Language": {"required": True, "schema": {"type": "string", "enum": ["vi", "en"]}},
        },
    }
}

router = APIRouter(
    prefix="/v1/satisfaction",
    responses={
        404: {"model": ProblemBody, "description": "Neither the directory nor any figure knows the scope."},
        422: {"model": ProblemBody, "description": "The query is not valid."},
        503: {
            "model": ProblemBody,
            "description": "The figures cannot be read, or no report more is made.",
        },
    },
)


class Moments(Reading, Protocol):
    """Figures, many of one moment too."""

    def at_one_moment(self) -> AbstractAsyncContextManager[Reading]: ...


def install(app: FastAPI) -> None:
    """Before the routes of figures, whose scopes would match these addresses too."""
    app.include_router(router)


def attach(
    app: FastAPI, reading: Moments, texts: Texts, press: Press, handled: FilesHandled = NOBODY_SAID
) -> None:
    """Give the routes what they need, once it is there."""
    app.state.moments, app.state.texts, app.state.press = reading, texts, press
    app.state.handled = handled


Language = Annotated[
    Literal["vi", "en"] | None, Query(alias="lang", description="Accept-Language decides without.")
]
Bom = Annotated[bool, Query(description="Begin a CSV file with a byte order mark, for Excel.")]


@router.get("/city/report.{extension}", response_class=Response, responses=FILE)
async def city_report(
    request: Request, extension: Format, period: Asked, language: Language = None, *, bom: Bom = False
) -> Response:
    """The city's figures as a file, with those of all that is below it. Days as in its history."""
    return await _report(request, CITY, period, extension, language, bom=bom)


@router.get("/{kind}/{scope_id}/report.{extension}", response_class=Response, responses=FILE)
async def report(
    request: Request,
    extension: Format,
    scope: Place,
    period: Asked,
    language: Language = None,
    *,
    joined: With = None,
    bom: Bom = False,
) -> Response:
    """The same of a group, a unit or an officer."""
    asked = replace(period, predecessors=joined is not None)
    return await _report(request, scope, asked, extension, language, bom=bom)


async def _report(
    request: Request, scope: Scope, period: Period, extension: Format, asked: str | None, *, bom: bool
) -> Response:
    reading: Moments = request.app.state.moments
    press: Press = request.app.state.press
    language, now = asked or language_of(request), datetime.now(UTC)

    async def made() -> Response:
        with press.place():
            async with reading.at_one_moment() as moment:
                answers = Answers(moment, lambda: now, request.app.state.handled)
                texts: Texts = request.app.state.texts
                found = await gather(answers, texts, scope, period, language=language, made_at=now)
            headers = _headers(found, extension)
            pieces = written(found, extension, bom=bom)
            if extension is Format.CSV:
                return StreamingResponse(pieces, headers=headers)
            return Response(await press.write(lambda: b"".join(pieces)), headers=headers)

    try:
        return await ask(reading, made(), seconds=REPORT_SECONDS)
    except Full:
        raise Problem(REPORTS_FULL, retry_after=FULL_SECONDS, seconds=FULL_SECONDS) from None


def _headers(found: Report, extension: Format) -> dict[str, str]:
    """The file's name is said twice (RFC 6266): for old programs, and for people."""
    plain, named = file_names(found, extension)
    return {
        "Content-Type": MEDIA_TYPES[extension] + ("; charset=utf-8" if extension is Format.CSV else ""),
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(named, safe='')}",
        "Content-Language": found.language,
        "Vary": "Accept-Language",
        "Cache-Control": "no-cache",
    }
