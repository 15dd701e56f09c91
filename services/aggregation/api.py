"""The query API over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Protocol, TypeVar

from fastapi import APIRouter, Depends, FastAPI, Header, Path, Query, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from pydantic import BaseModel
from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import SendTimeoutError
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from chassis.problems import Problem, ProblemBody
from services.aggregation import examples, metrics
from services.aggregation.answers import (
    FIGURES_AWAY,
    LIVE_FULL,
    Answers,
    looking_back,
    period_of,
    scope_at,
    scopes_of,
    unknown,
)
from services.aggregation.comparisons import Change, Children
from services.aggregation.documents import History, Period, Satisfaction
from services.aggregation.domain import CITY, Scope
from services.aggregation.files_handled import NOBODY_SAID, FilesHandled
from services.aggregation.keeping import Keeping, Moments
from services.aggregation.live import Hub, Stream, Unknown
from services.aggregation.scale_documents import Scales

ANSWER_SECONDS = 5.0
RETRY_MS = 2_000
FULL_SECONDS = 30
DEPARTMENT = "/v1/department"
T = TypeVar("T")

ETAG = {"ETag": {"required": True, "schema": {"type": "string"}}}
AS_BEFORE: dict[int | str, dict[str, Any]] = {
    200: {"headers": ETAG},
    304: {"description": "As the caller has it: If-None-Match names its ETag.", "headers": ETAG},
}
STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}, "example": examples.LIVE}}}
}

router = APIRouter(
    prefix="/v1",
    responses={
        404: {"model": ProblemBody, "description": "Neither the directory nor any figure knows the scope."},
        422: {"model": ProblemBody, "description": "The query is not valid."},
        503: {"model": ProblemBody, "description": "The figures cannot be read at the moment."},
    },
)


def install(app: FastAPI) -> None:
    """The figures are public: any page may read them."""
    app.add_middleware(
        _Public,
        allow_origins=["*"],
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        expose_headers=["ETag", "Content-Disposition", "Location", "Retry-After"],
    )
    app.state.examples = examples.BY_MODEL
    app.include_router(router)


class _Public(CORSMiddleware):
    """Lets the pages of all sites read what is public, and nothing else."""

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        public = scope["type"] == "http" and not scope["path"].startswith(DEPARTMENT)
        await (super().__call__ if public else self.app)(scope, receive, send)


@dataclass(frozen=True, slots=True)
class Pace:
    """Of live streams, in seconds: how often a quiet one shows life, and for how long one whose reader takes
    nothing is kept."""

    heartbeat: float = 15.0
    slow: float = 30.0


def attach(app: FastAPI, reading: Moments, hub: Hub, pace: Pace, handled: FilesHandled = NOBODY_SAID) -> None:
    """Give the routes what they need, once it is there."""
    app.state.reading, app.state.hub, app.state.pace = reading, hub, pace
    app.state.keeping = Keeping(reading, handled)


Edition = Annotated[
    str | None, Query(description="An edition's id; all editions without.", examples=["2017"])
]


def _of_edition(edition: Edition = None) -> Period:
    return period_of(edition, None, None)


def _period(
    edition: Edition = None,
    first: Annotated[
        str | None, Query(alias="from", description="First day, city time.", examples=["2017-11-20"])
    ] = None,
    last: Annotated[
        str | None, Query(alias="to", description="Last day, inclusive.", examples=["2017-11-22"])
    ] = None,
) -> Period:
    return period_of(edition, first, last)


Id = Annotated[
    str, Path(description="Its id, as the directory has it.", examples=["so-thong-tin-va-truyen-thong"])
]


def _scope(
    kind: Annotated[str, Path(description="groups, units or officers.", examples=["units"])],
    scope_id: Id,
) -> Scope:
    return scope_at(kind, scope_id)


def _unit(scope_id: Id) -> Scope:
    return scope_at("units", scope_id)


Asked = Annotated[Period, Depends(_period)]
OfEdition = Annotated[Period, Depends(_of_edition)]


AsOf = Annotated[
    str | None, Query(description="How it stood at the end of this day, city time. Not of officers.")
]


def _dated(period: Asked, as_of: AsOf = None) -> Period:
    return looking_back(period, as_of)


def _dated_days(period: Asked, as_of: AsOf = None) -> Period:
    return looking_back(period, as_of, by_day=True)


Dated = Annotated[Period, Depends(_dated)]
DatedDays = Annotated[Period, Depends(_dated_days)]


With = Annotated[
    Literal["predecessors"] | None,
    Query(alias="with", description="Of a unit: add what is published of all that merged into it."),
]
Place = Annotated[Scope, Depends(_scope)]
UnitPlace = Annotated[Scope, Depends(_unit)]


@router.get("/satisfaction/city", response_model=Satisfaction, responses=AS_BEFORE)
async def city(request: Request, period: Dated) -> Response:
    """The city's figures: `curl -s "$AGGREGATION/v1/satisfaction/city"`"""
    return await _answer(request, Answers.satisfaction, CITY, period)


@router.get("/satisfaction/city/history", response_model=History, responses=AS_BEFORE)
async def city_history(request: Request, period: DatedDays) -> Response:
    """The city's figures day by day; the last 30 days unless asked otherwise, 400 at most:
    `curl -s "$AGGREGATION/v1/satisfaction/city/history?from=2017-11-20&to=2017-11-22"`"""
    return await _answer(request, Answers.history, CITY, period)


@router.get("/satisfaction/city/change", response_model=Change, responses=AS_BEFORE)
async def city_change(request: Request, period: Asked) -> Response:
    """The city's share of a period and of the one before it, as long, and whether the difference is more than
    noise; the last 30 days unless asked otherwise, 400 at most:
    `curl -s "$AGGREGATION/v1/satisfaction/city/change?from=2017-11-20&to=2017-11-22"`"""
    return await _answer(request, Answers.change, CITY, period)


@router.get("/satisfaction/city/children", response_model=Children, responses=AS_BEFORE)
async def city_children(request: Request, period: Dated) -> Response:
    """The figures of every group, and the places that they may have among each other:
    `curl -s "$AGGREGATION/v1/satisfaction/city/children"`"""
    return await _answer(request, Answers.children, CITY, period)


@router.get("/satisfaction/{kind}/{scope_id}", response_model=Satisfaction, responses=AS_BEFORE)
async def satisfaction(request: Request, scope: Place, period: Dated, joined: With = None) -> Response:
    """The figures of a group, a unit or an officer:
    `curl -s "$AGGREGATION/v1/satisfaction/units/so-thong-tin-va-truyen-thong?edition=2017"`"""
    asked = replace(period, predecessors=joined is not None)
    return await _answer(request, Answers.satisfaction, scope, asked)


@router.get("/satisfaction/{kind}/{scope_id}/history", response_model=History, responses=AS_BEFORE)
async def history(request: Request, scope: Place, period: DatedDays, joined: With = None) -> Response:
    """The same day by day; the last 30 days unless asked otherwise, 400 at most:
    `curl -s "$AGGREGATION/v1/satisfaction/units/so-thong-tin-va-truyen-thong/history?from=2017-11-20"`"""
    asked = replace(period, predecessors=joined is not None)
    return await _answer(request, Answers.history, scope, asked)


@router.get("/satisfaction/{kind}/{scope_id}/change", response_model=Change, responses=AS_BEFORE)
async def change(request: Request, scope: Place, period: Asked) -> Response:
    """The share of a period and of the one before it, as long, and whether the difference is more than noise;
    the last 30 days unless asked otherwise, 400 at most. Of officers no days are public, so all is null:
    `curl -s "$AGGREGATION/v1/satisfaction/units/so-thong-tin-va-truyen-thong/change"`"""
    return await _answer(request, Answers.change, scope, period)


@router.get("/satisfaction/{kind}/{scope_id}/children", response_model=Children, responses=AS_BEFORE)
async def children(request: Request, scope: Place, period: Dated) -> Response:
    """The figures of a group's units, or of a unit's officers, and the places that they may have among each
    other: `curl -s "$AGGREGATION/v1/satisfaction/groups/so-ban-nganh/children"`"""
    return await _answer(request, Answers.children, scope, period)


@router.get("/satisfaction/units/{scope_id}/scales", response_model=Scales, responses=AS_BEFORE)
async def scales(request: Request, scope: UnitPlace, period: OfEdition) -> Response:
    """How a unit's further questions were answered, in an edition or in each:
    `curl -s "$AGGREGATION/v1/satisfaction/units/so-thong-tin-va-truyen-thong/scales?edition=2017"`"""
    return await _answer(request, Answers.scales, scope, period)


@router.get("/live", response_class=EventSourceResponse, responses=STREAM)
async def live(
    request: Request,
    scope: Annotated[list[str], Query(description="city, group:ID, unit:ID or officer:ID; 1 to 20.")] = [],  # noqa: B006
    last_event_id: Annotated[str | None, Query(description="Goes on after this event.")] = None,
    last_event_header: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
) -> Response:
    """Server-sent events: a `snapshot` of each scope (the document of /v1/satisfaction, without `response`),
    then `figures` whenever a scope changes. With the id of the last event seen, only what changed since
    comes, at once:
    `curl -sN "$AGGREGATION/v1/live?scope=city&scope=unit:so-thong-tin-va-truyen-thong"`"""
    hub: Hub = request.app.state.hub
    if hub.full:
        raise Problem(LIVE_FULL, retry_after=FULL_SECONDS, seconds=FULL_SECONDS)
    joined = await ask(
        request.app.state.reading, hub.join(scopes_of(scope), _revision(last_event_header or last_event_id))
    )
    if isinstance(joined, Unknown):
        raise unknown()
    return _LiveResponse(hub, joined, request.app.state.pace)


class _LiveResponse(EventSourceResponse):
    def __init__(self, hub: Hub, stream: Stream, pace: Pace) -> None:
        super().__init__(
            _server_sent(stream),
            ping=pace.heartbeat,
            ping_message_factory=lambda: ServerSentEvent(comment="heartbeat", sep="\n"),
            sep="\n",
            send_timeout=pace.slow,
        )
        self._hub, self._stream = hub, stream

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except SendTimeoutError:
            metrics.DROPPED.inc()
        finally:
            self._hub.leave(self._stream)


async def _server_sent(stream: Stream) -> AsyncIterator[ServerSentEvent]:
    yield ServerSentEvent(comment="live", retry=RETRY_MS)
    async for event in stream.events():
        yield ServerSentEvent(event=event.event, id=str(event.id), data=event.data)


def _revision(text: str | None) -> int:
    """0, which asks for everything, where the id is none of ours: an EventSource cannot act on an error."""
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 19 else 0


class Dependency(Protocol):
    def outage(self, error: BaseException) -> bool:
        """Whether it will pass."""


async def ask(reading: Dependency, work: Awaitable[T], *, seconds: float = ANSWER_SECONDS) -> T:
    """Raises a problem where the figures cannot be read in time."""
    try:
        async with asyncio.timeout(seconds):
            return await work
    except Exception as error:
        if reading.outage(error):
            raise Problem(FIGURES_AWAY, retry_after=2) from error
        raise


async def _answer(
    request: Request,
    use: Callable[[Answers, Scope, Period], Awaitable[BaseModel]],
    scope: Scope,
    period: Period,
) -> Response:
    """The document, or 304 where the caller has it. Its digest (the revision is in it) is its version."""
    keeping: Keeping = request.app.state.keeping
    question = (use.__name__, scope, period)
    answer = await ask(
        request.app.state.reading, keeping.answer(question, lambda answers: use(answers, scope, period))
    )
    headers = {"ETag": answer.etag, "Cache-Control": "no-cache"}
    had = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if answer.etag in had:
        return Response(status_code=304, headers=headers)
    return Response(answer.body, media_type="application/json", headers=headers)
