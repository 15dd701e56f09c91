"""Intake's public HTTP API."""

import re
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from chassis.logs import logger
from chassis.problems import NOT_FOUND, Problem, ProblemBody, ProblemType
from services.intake import faults, metrics
from services.intake.catalogue import Catalogue, Document
from services.intake.domain.rating import Rating
from services.intake.entering import EnterPhoneCode
from services.intake.ports import KeysMissing, NotKept
from services.intake.submitting import DirectoryUnread, Faulty, KeyReused, SubmitRating

RETRY_SECONDS = 5
T = TypeVar("T")
log = logger(__name__)
_KEY = re.compile(r"[\x21-\x7e]{16,255}")
Short = Annotated[str, Field(max_length=200)]
PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {"model": ProblemBody, "content": {"application/problem+json": {}}} for code in (400, 413, 422, 503)
}
MISSING: dict[int | str, dict[str, Any]] = {
    404: {"model": ProblemBody, "content": {"application/problem+json": {}}},
    304: {"description": "Not modified"},
}


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ChallengeBody(Body):
    id: Annotated[str, Field(min_length=1, max_length=1024)]
    answer: Annotated[str, Field(max_length=32)] = ""


class RatingBody(Body):
    """`challenge` where the edition asks for one. `consent`: the citizen lets us use their number."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "edition_id": "2017",
                "officer_id": "so-thong-tin-va-truyen-thong.dinh-thi-minh-phuong",
                "answer": "not_satisfied",
                "reasons": ["late"],
                "phone": "0905 123 456",
                "consent": True,
                "challenge": {"id": "…", "answer": "407182"},
                "channel": "portal",
                "language": "vi",
            }
        },
    )

    edition_id: Short
    officer_id: Short
    answer: Short = ""
    reasons: Annotated[list[Short], Field(max_length=50)] = []
    phone: Annotated[str, Field(max_length=40)] = ""
    consent: bool = False
    challenge: ChallengeBody | None = None
    channel: Literal["web", "kiosk", "qr", "portal"] = "portal"
    language: Literal["vi", "en"] = "vi"

    def rating(self) -> Rating:
        return Rating(
            edition_id=self.edition_id,
            officer_id=self.officer_id,
            answer=self.answer,
            reasons=self.reasons,
            phone=self.phone,
            consent=self.consent,
            challenge=(self.challenge.id, self.challenge.answer) if self.challenge else None,
            channel=self.channel,
            language=self.language,
        )


class PhoneCodeBody(Body):
    edition_id: Short
    code: Annotated[str, Field(max_length=20)] = ""


class Taken(BaseModel):
    """Kept for good; ask `outcome_url` for what became of it."""

    rating_id: UUID
    status: Literal["pending"] = "pending"
    outcome_url: str


@dataclass(frozen=True, slots=True)
class Handlers:
    submit: SubmitRating
    enter_phone_code: EnterPhoneCode
    catalogue: Catalogue
    outcome_base_url: str


def routes(handlers: Handlers) -> APIRouter:
    router = APIRouter(prefix="/v1")
    _add_ratings(router, handlers)
    _add_directory(router, handlers.catalogue)
    return router


def _add_ratings(router: APIRouter, handlers: Handlers) -> None:
    @router.post("/ratings", status_code=202, response_model=Taken, responses=PROBLEMS, tags=["ratings"])
    async def submit(body: RatingBody, idempotency_key: Annotated[str, Header()] = "") -> Response:
        """Take a rating in. 202 means that it is kept and will have exactly one outcome.

        The same Idempotency-Key and body may be sent again, after a 503 or a time-out they should be, and
        count once.
        """
        identity = await _answering(handlers.submit(body.rating(), _checked(idempotency_key)))
        metrics.ACCEPTED.labels(body.channel).inc()
        log.info(
            "submission kept",
            correlation_id=str(identity.submission_id),
            officer_id=body.officer_id,
            channel=body.channel,
        )
        return _taken(handlers, identity.rating_id)

    @router.post(
        "/ratings/{rating_id}/phone-code",
        status_code=202,
        response_model=Taken,
        responses=PROBLEMS,
        tags=["ratings"],
    )
    async def enter_phone_code(
        rating_id: UUID, body: PhoneCodeBody, idempotency_key: Annotated[str, Header()] = ""
    ) -> Response:
        """Take in the code sent by SMS. The same Idempotency-Key and code are the same try."""
        event_id = await _answering(
            handlers.enter_phone_code(rating_id, body.edition_id, body.code, _checked(idempotency_key))
        )
        log.info("phone code kept", event_id=str(event_id))
        return _taken(handlers, rating_id)


def _add_directory(router: APIRouter, catalogue: Catalogue) -> None:
    @router.get("/directory", responses=MISSING, tags=["directory"])
    async def groups(request: Request) -> Response:
        """The groups of units."""
        return _document(request, catalogue.groups())

    @router.get("/directory/search", tags=["directory"])
    async def search(
        request: Request,
        q: Annotated[str, Query(max_length=100)] = "",
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> Response:
        """Units and officers by the beginnings of words; neither diacritics nor case matter."""
        return _document(request, catalogue.search(q, limit))

    @router.get("/directory/groups/{group_id}", responses=MISSING, tags=["directory"])
    async def group(request: Request, group_id: str) -> Response:
        """A group with its units."""
        return _document(request, catalogue.group(group_id))

    @router.get("/directory/units/{unit_id}", responses=MISSING, tags=["directory"])
    async def unit(request: Request, unit_id: str) -> Response:
        """A unit with the officers who take ratings today."""
        return _document(request, catalogue.unit(unit_id))

    @router.get("/directory/officers/{officer_id}", responses=MISSING, tags=["directory"])
    async def officer(request: Request, officer_id: str) -> Response:
        """An officer with their unit and group; `active` says whether they take ratings today."""
        return _document(request, catalogue.officer(officer_id))

    @router.get("/edition", responses=MISSING, tags=["directory"])
    async def edition(request: Request) -> Response:
        """What is asked now: the question, the answers, the reasons and the policy."""
        return _document(request, catalogue.edition(), missing=faults.NO_OPEN_EDITION)


def _checked(idempotency_key: str) -> str:
    if not _KEY.fullmatch(idempotency_key):
        metrics.REFUSED.labels(faults.IDEMPOTENCY_KEY_MISSING.code).inc()
        raise Problem(faults.IDEMPOTENCY_KEY_MISSING)
    return idempotency_key


async def _answering(work: Awaitable[T]) -> T:
    """The result of a use case, or the problem that its failure is for the caller."""
    try:
        return await work
    except Faulty as error:
        refusal = faults.problem(error.faults)
    except KeyReused:
        refusal = Problem(faults.IDEMPOTENCY_KEY_REUSED)
    except KeysMissing as error:
        log.warning("keys missing", file=str(error))
        refusal = Problem(faults.EDITION_KEYS_MISSING, retry_after=60)
    except (NotKept, DirectoryUnread) as error:
        log.warning("submission not kept", error=type(error).__name__, detail=str(error))
        refusal = Problem(faults.UNAVAILABLE, retry_after=RETRY_SECONDS, seconds=RETRY_SECONDS)
    metrics.REFUSED.labels(refusal.kind.code).inc()
    raise refusal


def _taken(handlers: Handlers, rating_id: UUID) -> Response:
    url = f"{handlers.outcome_base_url}/v1/ratings/{rating_id}/outcome"
    body = Taken(rating_id=rating_id, outcome_url=url)
    headers = {"Location": url, "Cache-Control": "no-store"}
    return JSONResponse(body.model_dump(mode="json"), status_code=202, headers=headers)


def _document(request: Request, document: Document | None, *, missing: ProblemType = NOT_FOUND) -> Response:
    if document is None:
        raise Problem(missing)
    headers = {"ETag": document.etag, "Cache-Control": "public, max-age=30"}
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if document.etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(document.content, media_type="application/json", headers=headers)
