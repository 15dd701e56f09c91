"""Reports over HTTP."""

from dataclasses import replace
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.responses import StreamingResponse

from chassis.problems import Bilingual, Problem, ProblemBody, ProblemType, language_of
from services.aggregation.api import Dated, Place, With, ask
from services.aggregation.documents import Period
from services.aggregation.domain import CITY, Scope
from services.aggregation.files_handled import NOBODY_SAID, FilesHandled
from services.aggregation.reports.files import MEDIA_TYPES, headers, written
from services.aggregation.reports.press import Full, Press
from services.aggregation.reports.report import Format, Moments, Order, Texts, read

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


class _Wanted(NamedTuple):
    """A report of whatever place the address names."""

    period: Period
    format: Format
    language: str
    bom: bool

    def of(self, scope: Scope, *, joined: bool = False) -> Order:
        period = replace(self.period, predecessors=joined)
        return Order(scope, period, self.format, self.language, self.bom)


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


def _wanted(
    request: Request, extension: Format, period: Dated, language: Language = None, *, bom: Bom = False
) -> _Wanted:
    return _Wanted(period, extension, language or language_of(request), bom)


Wanted = Annotated[_Wanted, Depends(_wanted)]


@router.get("/city/report.{extension}", response_class=Response, responses=FILE)
async def city_report(request: Request, wanted: Wanted) -> Response:
    """The city's figures as a file, with those of all that is below it. Days as in its history."""
    return await _report(request, wanted.of(CITY))


@router.get("/{kind}/{scope_id}/report.{extension}", response_class=Response, responses=FILE)
async def report(request: Request, scope: Place, wanted: Wanted, joined: With = None) -> Response:
    """The same of a group, a unit or an officer."""
    return await _report(request, wanted.of(scope, joined=joined is not None))


async def _report(request: Request, order: Order) -> Response:
    reading: Moments = request.app.state.moments
    press: Press = request.app.state.press
    texts: Texts = request.app.state.texts

    async def made() -> Response:
        with press.place():
            found = await read(order, reading, texts, request.app.state.handled)
            pieces, shown = written(found, order.format, bom=order.bom), headers(found, order.format)
            if order.format is Format.CSV:
                return StreamingResponse(pieces, headers=shown)
            return Response(await press.write(lambda: b"".join(pieces)), headers=shown)

    try:
        return await ask(reading, made(), seconds=REPORT_SECONDS)
    except Full:
        raise Problem(REPORTS_FULL, retry_after=FULL_SECONDS, seconds=FULL_SECONDS) from None
