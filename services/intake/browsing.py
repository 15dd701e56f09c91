"""The directory and the edition over HTTP: public, cacheable, readable by any page."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.pages_elsewhere import Origins, answering
from chassis.problems import NOT_FOUND, Problem, ProblemType
from services.intake import documents, faults
from services.intake.catalogue import Catalogue, Document
from services.intake.ports import DirectoryUnread

RETRY_SECONDS = 2
ETAG = {"ETag": {"required": True, "schema": {"type": "string"}}}
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"headers": ETAG},
    304: {"description": "As the caller has it: If-None-Match names its ETag.", "headers": ETAG},
    404: {"description": "The directory has none of that id; no edition is open."},
}


class ReadableByAnyPage:
    """Lets pages of every origin read the directory. Ratings come from servers, from the same origin, or from
    pages of the origins named as `rated_in`."""

    def __init__(self, app: ASGIApp, *, rated_in: Origins) -> None:
        self._app = answering(app, rated_in) if rated_in else app
        self._open = CORSMiddleware(
            app,
            allow_origins=["*"],
            allow_methods=["GET"],
            allow_headers=["If-None-Match"],
            expose_headers=["ETag"],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        public = scope["type"] == "http" and scope["path"].startswith(("/v1/directory", "/v1/edition"))
        await (self._open if public else self._app)(scope, receive, send)


def routes(catalogue: Catalogue) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["directory"], responses=RESPONSES)

    @router.get("/directory", response_model=documents.Groups)
    async def groups(request: Request) -> Response:
        """The groups of units."""
        return _answer(request, catalogue.groups)

    @router.get("/directory/register", response_model=documents.Register)
    async def register(request: Request) -> Response:
        """Every unit and officer, also those who take no ratings any more."""
        return _answer(request, catalogue.register)

    @router.get("/directory/search", response_model=documents.Found)
    async def search(
        request: Request,
        q: Annotated[str, Query(max_length=100)] = "",
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> Response:
        """Units and officers by the beginnings of words; neither diacritics nor case matter. A unit that has
        merged into another is found as that one."""
        return _answer(request, lambda: catalogue.search(q, limit))

    @router.get("/directory/groups/{group_id}", response_model=documents.GroupWithUnits)
    async def group(request: Request, group_id: str) -> Response:
        """A group with its units."""
        return _answer(request, lambda: catalogue.group(group_id))

    @router.get("/directory/units/{unit_id}", response_model=documents.UnitWithOfficers)
    async def unit(request: Request, unit_id: str) -> Response:
        """A unit with the officers who take ratings today."""
        return _answer(request, lambda: catalogue.unit(unit_id))

    @router.get("/directory/officers/{officer_id}", response_model=documents.OfficerWithPlace)
    async def officer(request: Request, officer_id: str) -> Response:
        """An officer with their unit and group; `active` says whether they take ratings today."""
        return _answer(request, lambda: catalogue.officer(officer_id))

    @router.get("/edition", response_model=documents.Edition)
    async def edition(request: Request) -> Response:
        """What is asked now: the question, the answers, the reasons and the policy."""
        return _answer(request, catalogue.edition, missing=faults.NO_OPEN_EDITION)

    return router


def _answer(
    request: Request, document_of: Callable[[], Document | None], *, missing: ProblemType = NOT_FOUND
) -> Response:
    try:
        document = document_of()
    except DirectoryUnread:
        raise Problem(faults.DIRECTORY_UNREAD, retry_after=RETRY_SECONDS) from None
    if document is None:
        raise Problem(missing)
    headers = {"ETag": document.etag, "Cache-Control": "public, max-age=30"}
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if document.etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(document.content, media_type="application/json", headers=headers)
