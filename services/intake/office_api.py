"""The office over HTTP, for whoever brings a token of the provider: reading, and the trail."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from chassis.bearer import HEADERS, Credentials, claims_of
from chassis.oidc import Provider
from chassis.problems import NOT_FOUND, Problem, ProblemBody
from services.intake import faults, office_faults
from services.intake import office_documents as documents
from services.intake.access import Caller, caller_of
from services.intake.adapters.tables import directory_table, write_table
from services.intake.office_reading import OfficeReading, Wanted
from services.intake.ports import DirectoryUnread

T = TypeVar("T")
OFFICE = "/v1/office"
UNREAD_SECONDS = 2
PAGE = 50
TRAIL_HEAD = ("number", "taken_at", "action", "target", "actor", "role", "via", "key", "change", "field")
RESPONSES: dict[int | str, dict[str, Any]] = {
    401: {"model": ProblemBody, "description": "No access token in force."},
    403: {"model": ProblemBody, "description": "The account has no role, or one that only reads."},
    404: {"model": ProblemBody, "description": "There is none, or it is not the caller's."},
    503: {"model": ProblemBody, "description": "The directory, Kafka or the provider is away."},
}


@dataclass(frozen=True, slots=True)
class Admission:
    """`audience` is ours, as the provider names it; the claims say who may do what."""

    provider: Provider
    audience: str
    roles_claim: str
    departments_claim: str

    async def caller(self, credentials: Credentials) -> Caller:
        """Raises Problem."""
        claims = await claims_of(
            credentials,
            self.provider,
            self.audience,
            not_signed_in=office_faults.NOT_SIGNED_IN,
            provider_away=office_faults.PROVIDER_AWAY,
        )
        caller = caller_of(claims, self.roles_claim, self.departments_claim)
        if caller is None:
            raise Problem(office_faults.NO_ROLE)
        return caller


async def signed_in(request: Request, credentials: Credentials) -> Caller:
    """Who calls. Raises Problem."""
    admission: Admission = request.app.state.office_admission
    return await admission.caller(credentials)


Who = Annotated[Caller, Depends(signed_in)]


def _wanted(
    action: Annotated[str, Query(max_length=64)] = "",
    about: Annotated[str, Query(max_length=200)] = "",
    actor: Annotated[str, Query(max_length=32)] = "",
    first: Annotated[date | None, Query(alias="from")] = None,
    last: Annotated[date | None, Query(alias="to")] = None,
) -> Wanted:
    return Wanted(action, about, actor, first, last)


Filter = Annotated[Wanted, Depends(_wanted)]


def routes(reading: OfficeReading) -> APIRouter:
    router = APIRouter(prefix=OFFICE, tags=["office"], responses=RESPONSES, dependencies=[Depends(signed_in)])

    @router.get("/me", response_model=documents.Me)
    async def me(who: Who) -> Response:
        """Who the caller is here, and whether they may change anything."""
        return answer(documents.Me(subject=who.subject, role=who.role, may_change=who.may_change))

    @router.get("/units", response_model=documents.Units)
    async def units(who: Who) -> Response:
        """Every unit that is the caller's to see, closed ones too."""
        return answer(_read(lambda: reading.units(who)))

    @router.get("/units/{unit_id}", response_model=documents.UnitWithOfficers)
    async def unit(who: Who, unit_id: str) -> Response:
        """A unit with every officer it has or had."""
        return answer(_found(_read(lambda: reading.unit(who, unit_id))))

    @router.get("/officers/{officer_id}", response_model=documents.Officer)
    async def officer(who: Who, officer_id: str) -> Response:
        """An officer, whether they take ratings or not."""
        return answer(_found(_read(lambda: reading.officer(who, officer_id))))

    @router.get("/editions", response_model=documents.Editions)
    async def editions(who: Who) -> Response:
        """Every edition, the newest first."""
        del who
        return answer(_read(reading.editions))

    @router.get("/editions/{edition_id}", response_model=documents.Edition)
    async def edition(who: Who, edition_id: str) -> Response:
        """An edition as it stands."""
        del who
        return answer(_found(_read(lambda: reading.edition(edition_id))))

    @router.get("/directory.csv", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
    async def table(who: Who) -> Response:
        """The directory as a table that an import takes."""
        content = _read(lambda: directory_table(reading.directory(who)))
        return _file(content, "directory.csv")

    @router.get("/actions", response_model=documents.Actions)
    async def actions(
        who: Who,
        wanted: Filter,
        before: Annotated[int | None, Query(ge=0)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = PAGE,
    ) -> Response:
        """Who did what and when, the newest first."""
        return answer(_read(lambda: reading.actions(who, wanted, before=before, most=limit)))

    @router.get("/actions.csv", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
    async def actions_table(who: Who, wanted: Filter) -> Response:
        """All of it as a table: a row for each field that changed."""
        found = _read(lambda: reading.actions(who, wanted, most=10**9))
        return _file(trail_table(found.actions), "office-actions.csv")

    return router


def trail_table(actions: list[documents.Action]) -> bytes:
    rows: list[tuple[object, ...]] = []
    for each in actions:
        who = (each.number, each.taken_at, each.action, each.target, each.actor, each.role, each.via)
        for change in each.changes:
            what = (*who, change.key, change.change)
            rows += [(*what, field.name, field.before, field.after) for field in change.fields] or [what]
        if not each.changes:
            rows.append(who)
    return write_table([*TRAIL_HEAD, "before", "after"], rows)


def answer(document: BaseModel) -> Response:
    return Response(document.model_dump_json(), media_type="application/json", headers=HEADERS)


def _file(content: bytes, name: str) -> Response:
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


def _read(read: Callable[[], T]) -> T:
    try:
        return read()
    except DirectoryUnread:
        raise Problem(faults.DIRECTORY_UNREAD, retry_after=UNREAD_SECONDS) from None


def _found(document: T | None) -> T:
    if document is None:
        raise Problem(NOT_FOUND)
    return document
