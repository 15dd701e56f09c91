"""Open data over HTTP."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from chassis.problems import ProblemBody
from services.aggregation.answers import Reading, day_of
from services.aggregation.api import ask
from services.aggregation.open_data import OpenData, catalogue, lines
from services.aggregation.publication import UnitDay

MEDIA_TYPE = "application/x-ndjson"
FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "A rating a line.", "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}},
    422: {"model": ProblemBody, "description": "This is not a day."},
}

router = APIRouter(
    prefix="/v1/open-data",
    responses={503: {"model": ProblemBody, "description": "The figures cannot be read at the moment."}},
)


class UnitDays(Reading, Protocol):
    async def unit_days(self) -> Sequence[UnitDay]: ...


def install(app: FastAPI) -> None:
    app.include_router(router)


def attach(app: FastAPI, reading: UnitDays) -> None:
    """Give the routes what they need, once it is there."""
    app.state.unit_days = reading


def _day(day: str) -> date:
    return day_of("day", day)


@router.get("")
async def open_data(request: Request, response: Response) -> OpenData:
    """The days that have a file of ratings, and what a row says."""
    response.headers["Cache-Control"] = "no-cache"
    return catalogue(await _unit_days(request))


@router.get("/{day}.jsonl", response_class=Response, responses=FILE)
async def day(request: Request, day: Annotated[date, Depends(_day)]) -> Response:
    """The published ratings of a day, a line each; none of a day that has none."""
    unit_days = await _unit_days(request)
    headers = {
        "Content-Disposition": f'attachment; filename="hai-long-{day}.jsonl"',
        "Cache-Control": "no-cache",
    }
    return StreamingResponse(lines(day, unit_days), media_type=MEDIA_TYPE, headers=headers)


async def _unit_days(request: Request) -> Sequence[UnitDay]:
    reading: UnitDays = request.app.state.unit_days
    return await ask(reading, reading.unit_days())
