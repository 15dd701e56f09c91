"""Reports in the background over HTTP: order one, ask after it, and fetch it."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from pydantic import BaseModel, Field

from chassis.problems import NOT_FOUND, Bilingual, Problem, ProblemBody, ProblemType, language_of
from services.aggregation.answers import scopes_of
from services.aggregation.api import Dated, With, ask
from services.aggregation.domain import CITY
from services.aggregation.report_api import FILE, REPORTS_FULL, Bom, Language
from services.aggregation.reports.jobs import Job, Jobs, Maker, State
from services.aggregation.reports.press import Full
from services.aggregation.reports.report import Format, Moments, Order, of_now

ASK_AGAIN_SECONDS = 1
QUEUE_SECONDS = 30
NOT_READY = ProblemType(
    "report_not_ready",
    409,
    Bilingual("Báo cáo chưa lập xong", "The report is not ready yet"),
    Bilingual("Vui lòng hỏi lại sau {seconds} giây.", "Please ask again in {seconds} seconds."),
)
NOT_MADE = ProblemType(
    "report_failed",
    410,
    Bilingual("Không lập được báo cáo này", "This report could not be made"),
    Bilingual("Vui lòng yêu cầu lại.", "Please order it again."),
)
LOCATION = {
    "Location": {"required": True, "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}},
}
ORDERED: dict[int | str, dict[str, Any]] = {202: {"description": "It will be made.", "headers": LOCATION}}

router = APIRouter(
    prefix="/v1",
    responses={
        404: {"model": ProblemBody, "description": "There is no such place, or no such report any more."},
        422: {"model": ProblemBody, "description": "The query is not valid."},
        503: {"model": ProblemBody, "description": "The figures cannot be read, or no report more is taken."},
    },
)


class ReportJob(BaseModel):
    """A report that is made in the background."""

    id: UUID
    state: State
    done: int = Field(description="How many levels of places have been read.")
    steps: int = Field(description="Of so many; 0 until it is begun.")
    ordered_at: datetime
    ended_at: datetime | None
    expires_at: datetime | None = Field(description="When the file is dropped, at the latest.")
    href: str | None = Field(description="Where the file is, once it is ready.")

    @classmethod
    def of(cls, job: Job) -> Self:
        return cls(
            id=job.id,
            state=job.state,
            done=job.done,
            steps=job.steps,
            ordered_at=job.ordered_at,
            ended_at=job.ended_at,
            expires_at=job.expires_at,
            href=f"{_address(job.id)}/file" if job.state is State.READY else None,
        )


def install(app: FastAPI) -> None:
    app.include_router(router)


def attach(app: FastAPI, jobs: Jobs, maker: Maker) -> None:
    """Give the routes what they need, once it is there."""
    app.state.jobs, app.state.maker = jobs, maker


def _order(
    request: Request,
    period: Dated,
    scope: Annotated[str, Query(description="city, group:ID, unit:ID or officer:ID.")] = CITY.id,
    extension: Annotated[Format, Query(alias="format")] = Format.PDF,
    language: Language = None,
    *,
    joined: With = None,
    bom: Bom = False,
) -> Order:
    (place,), asked = scopes_of([scope]), replace(period, predecessors=joined is not None)
    return Order(place, asked, extension, language or language_of(request), bom)


@router.post("/reports", status_code=202, response_model=ReportJob, responses=ORDERED)
async def order_report(
    request: Request, response: Response, order: Annotated[Order, Depends(_order)]
) -> ReportJob:
    """Have a report made in the background; `Location` says where to ask after it. Who orders what is waiting
    or being made gets the same one:
    `curl -si -X POST "$AGGREGATION/v1/reports?scope=city&format=pdf&from=2017-11-01&to=2017-11-30"`"""
    jobs: Jobs = request.app.state.jobs
    maker: Maker = request.app.state.maker
    reading: Moments = request.app.state.moments

    async def ordered() -> Job:
        async with of_now(reading, request.app.state.handled) as (answers, _):
            await answers.would_answer(order.scope, order.period)
        return await jobs.order(order)

    try:
        found = await ask(jobs, ordered())
    except Full:
        raise Problem(REPORTS_FULL, retry_after=QUEUE_SECONDS, seconds=QUEUE_SECONDS) from None
    maker.wake()
    response.headers["Location"] = _address(found.id)
    _ask_again(response, found)
    return ReportJob.of(found)


@router.get("/reports/{job_id}", response_model=ReportJob)
async def job(request: Request, response: Response, job_id: UUID) -> ReportJob:
    """How far a report is: `curl -s "$AGGREGATION/v1/reports/$ID"`"""
    found = await _find(request, job_id)
    _ask_again(response, found)
    return ReportJob.of(found)


@router.get(
    "/reports/{job_id}/file",
    response_class=Response,
    responses={
        **FILE,
        409: {"model": ProblemBody, "description": "It is not ready yet."},
        410: {"model": ProblemBody, "description": "It could not be made."},
    },
)
async def file(request: Request, job_id: UUID) -> Response:
    """The file of a report that is ready: `curl -sOJ "$AGGREGATION/v1/reports/$ID/file"`"""
    found = await _find(request, job_id)
    if found.state is State.FAILED:
        raise Problem(NOT_MADE)
    jobs: Jobs = request.app.state.jobs
    made = await ask(jobs, jobs.file(job_id)) if found.state is State.READY else None
    if made is None:
        raise Problem(NOT_READY, retry_after=ASK_AGAIN_SECONDS, seconds=ASK_AGAIN_SECONDS)
    return Response(made.content, headers=dict(made.headers))


async def _find(request: Request, job_id: UUID) -> Job:
    jobs: Jobs = request.app.state.jobs
    found = await ask(jobs, jobs.find(job_id))
    if found is None:
        raise Problem(NOT_FOUND)
    return found


def _ask_again(response: Response, job: Job) -> None:
    response.headers["Cache-Control"] = "no-store"
    if job.ended_at is None:
        response.headers["Retry-After"] = str(ASK_AGAIN_SECONDS)


def _address(job_id: UUID) -> str:
    return f"/v1/reports/{job_id}"
