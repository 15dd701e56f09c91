"""Full figures over HTTP, to whoever brings a token of the provider. Kept nowhere, and for no other site."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from pydantic import BaseModel

from chassis.bearer import HEADERS, Credentials, claims_of
from chassis.oidc import Provider
from chassis.problems import ProblemBody
from services.aggregation.access import Caller, caller_of
from services.aggregation.answers import Reading
from services.aggregation.api import DEPARTMENT, Asked, Dated, DatedDays, Place, ask
from services.aggregation.comparisons import Children
from services.aggregation.department import NOT_SIGNED_IN, PROVIDER_AWAY, Department, Overview
from services.aggregation.documents import History, Satisfaction
from services.aggregation.domain import CITY


@dataclass(frozen=True, slots=True)
class Admission:
    """`audience` is ours, as the provider names it; `claim` lists ids of units or groups, or `*`."""

    provider: Provider
    audience: str
    claim: str

    async def caller(self, credentials: Credentials) -> Caller:
        """Raises Problem."""
        claims = await claims_of(
            credentials,
            self.provider,
            self.audience,
            not_signed_in=NOT_SIGNED_IN,
            provider_away=PROVIDER_AWAY,
        )
        return caller_of(claims, self.claim)


def attach(app: FastAPI, department: Department, admission: Admission, reading: Reading) -> None:
    """Give the routes what they need, once it is there."""
    app.state.department, app.state.admission, app.state.full_reading = department, admission, reading


async def _caller(request: Request, credentials: Credentials) -> Caller:
    admission: Admission = request.app.state.admission
    return await admission.caller(credentials)


Who = Annotated[Caller, Depends(_caller)]

router = APIRouter(
    prefix=DEPARTMENT,
    generate_unique_id_function=lambda route: f"department_{route.name}",  # others are called so, too
    dependencies=[Depends(_caller)],  # before anything else that is asked is looked at
    responses={
        401: {"model": ProblemBody, "description": "No access token in force."},
        404: {"model": ProblemBody, "description": "No such place, or not one of the caller's."},
        422: {"model": ProblemBody, "description": "The query is not valid."},
        503: {"model": ProblemBody, "description": "Figures or the provider are away."},
    },
)


def install(app: FastAPI) -> None:
    app.include_router(router)


@router.get("/overview", response_model=Overview)
async def overview(request: Request, who: Who, period: Asked) -> Response:
    """What the caller may see in full, with its figures."""
    return await _answer(request, _department(request).overview(who, period))


@router.get("/satisfaction/city", response_model=Satisfaction)
async def city(request: Request, who: Who, period: Dated) -> Response:
    """The city's figures, with nothing left out."""
    return await _answer(request, _department(request).satisfaction(who, CITY, period))


@router.get("/satisfaction/city/history", response_model=History)
async def city_history(request: Request, who: Who, period: DatedDays) -> Response:
    """The same day by day."""
    return await _answer(request, _department(request).history(who, CITY, period))


@router.get("/satisfaction/city/children", response_model=Children)
async def city_children(request: Request, who: Who, period: Dated) -> Response:
    """The figures of every group."""
    return await _answer(request, _department(request).children(who, CITY, period))


@router.get("/satisfaction/{kind}/{scope_id}", response_model=Satisfaction)
async def satisfaction(request: Request, who: Who, scope: Place, period: Dated) -> Response:
    """The figures of a group, a unit or an officer, up to the last rating that was counted."""
    return await _answer(request, _department(request).satisfaction(who, scope, period))


@router.get("/satisfaction/{kind}/{scope_id}/history", response_model=History)
async def history(request: Request, who: Who, scope: Place, period: DatedDays) -> Response:
    """The same day by day, an officer's too; the last 30 days unless asked otherwise, 400 at most."""
    return await _answer(request, _department(request).history(who, scope, period))


@router.get("/satisfaction/{kind}/{scope_id}/children", response_model=Children)
async def children(request: Request, who: Who, scope: Place, period: Dated) -> Response:
    """The figures of a group's units, or of a unit's officers."""
    return await _answer(request, _department(request).children(who, scope, period))


def _department(request: Request) -> Department:
    department: Department = request.app.state.department
    return department


async def _answer(request: Request, work: Awaitable[BaseModel]) -> Response:
    document = await ask(request.app.state.full_reading, work)
    return Response(document.model_dump_json(by_alias=True), media_type="application/json", headers=HEADERS)
