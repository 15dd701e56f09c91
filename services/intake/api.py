"""Taking ratings and phone codes in, over HTTP."""

import re
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool, StringConstraints

from chassis.logs import logger
from chassis.problems import VALIDATION_FAILED, FieldError, Problem, field_error
from contracts.events import ScaleAnswer, Vouching
from services.intake import faults, metrics
from services.intake.calling import Callers
from services.intake.domain.rating import Fault, Rating
from services.intake.entering import EnterPhoneCode
from services.intake.limiting import Limited
from services.intake.ports import DirectoryUnread, FilesAway, KeysMissing, NotKept
from services.intake.submitting import Faulty, KeyReused, SubmitRating
from services.intake.withdrawing import WithdrawRating

RETRY_SECONDS = 5
KEYS_RETRY_SECONDS = 60
FILES_SECONDS = 30
LONGEST = 200
log = logger(__name__)
_KEY = re.compile(r"[\x21-\x7e]{16,255}")
Short = Annotated[str, Field(max_length=LONGEST)]
Proof = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]+={0,2}$", max_length=2048)]
# As challenges are written (base64url), and no control characters: databases refuse some.
ChallengeId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.~=-]+$", max_length=1024)]
Receipt = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=100)]
Typed = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=32)]
IdempotencyKey = Annotated[str, Header(include_in_schema=False)]
"""Described apart: FastAPI would refuse a missing one in words that do not say what to do."""
IDEMPOTENT = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "description": "Yours to choose, one a rating or try, 16 to 255 printable ASCII characters.",
            "schema": {"type": "string", "pattern": f"^{_KEY.pattern}$"},
        }
    ]
}
TAKEN: dict[int | str, dict[str, Any]] = {
    202: {"headers": {"Location": {"required": True, "schema": {"type": "string", "format": "uri"}}}},
    401: {"description": "The key is not known, or not any more."},
    403: {"description": "The key, or the want of one, does not open this channel."},
    429: {"description": "Too many of late from this visit or address block."},
}
LINKED: dict[int | str, dict[str, Any]] = {
    202: {
        **TAKEN[202],
        "links": {
            "phone-code": {
                "operationId": "phone-code",
                "parameters": {"rating_id": "$response.body#/rating_id"},
                "description": "Where the outcome says phone_code_needed.",
            },
            "withdraw": {
                "operationId": "withdraw",
                "requestBody": {"receipt": "$response.body#/receipt"},
                "description": "Where the citizen takes their rating back.",
            },
        },
    }
}


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ChallengeBody(Body):
    id: ChallengeId
    answer: Typed = ""


class ScaleAnswerBody(Body):
    scale: Short
    question: Short
    choice: Short


class RatingBody(Body):
    """`challenge` and `proof_of_work` as the edition's policy asks for them: where its `proof_of_work` is
    `beside`, both; where it is `instead`, either. `consent`: the citizen lets us use their number.

    `channel`: `web` for a citizen's own browser or app; all others need a key (Authorization: Bearer). Where
    it is left out, `portal` with a key and `web` without.
    """

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
                "channel": "web",
                "language": "vi",
            }
        },
    )

    edition_id: Short
    officer_id: Short
    answer: Short = ""
    reasons: Annotated[list[Short], Field(max_length=50)] = []
    phone: Short = ""
    consent: StrictBool = False
    challenge: ChallengeBody | None = None
    channel: Literal["web", "kiosk", "qr", "portal"] | None = None
    language: Literal["vi", "en"] = "vi"
    proof_of_work: Proof | None = Field(None, description="The solution, in ALTCHA's encoding.")
    vouched: StrictBool = Field(
        False, description="A screen that vouches says so, in place of phone, consent, code and proof."
    )
    rated_at: AwareDatetime | None = Field(
        None, description="When it was given, where such a screen kept it for a while."
    )
    file_number: Short = Field("", description="Of the file that it is about, where the edition asks for it.")
    respondent: Literal["citizen", "organisation"] | None = None
    deciding_unit_id: Short = Field("", description="Who decided about the file, if not the officer's unit.")

    scale_answers: Annotated[list[ScaleAnswerBody], Field(max_length=100)] = Field(
        [],
        description="Answers to what the edition asks further (`instrument.scales`), as many as are given.",
    )

    def rating(self, channel: str, vouched_by: Vouching | None) -> Rating:
        return Rating(
            edition_id=self.edition_id,
            officer_id=self.officer_id,
            answer=self.answer,
            reasons=self.reasons,
            phone=self.phone,
            consent=self.consent,
            challenge=(self.challenge.id, self.challenge.answer) if self.challenge else None,
            channel=channel,
            language=self.language,
            proof_of_work=self.proof_of_work,
            vouched_by=vouched_by,
            file_number=self.file_number,
            respondent=self.respondent or "",
            deciding_unit_id=self.deciding_unit_id,
            rated_at=self.rated_at,
            scale_answers=[
                ScaleAnswer.model_construct(**dict(answer)) for answer in self.scale_answers
            ],  # of codes that the edition knows, once it is judged
        )


Sound = Callable[[RatingBody, Request], Awaitable[Response]]


class PhoneCodeBody(Body):
    edition_id: Short
    code: Short = ""


class WithdrawalBody(Body):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"receipt": "K7QX-2MPA-9B7T-HC3E-WJ5N-RV4G"}}
    )

    receipt: Receipt = ""


class Taken(BaseModel):
    """Kept for good; ask `outcome_url` for what became of it."""

    rating_id: UUID
    status: Literal["pending"] = "pending"
    outcome_url: str


class TakenRating(Taken):
    """`receipt` is for the citizen alone, who can withdraw the rating with it; it says nothing else."""

    receipt: str


def routes(
    *,
    submit: SubmitRating,
    enter_phone_code: EnterPhoneCode,
    withdraw: WithdrawRating,
    callers: Callers,
    outcome_base_url: str,
) -> tuple[APIRouter, Sound]:
    """The routes, and what answers a rating whose body is sound without them (`straight`)."""
    router = APIRouter(
        prefix="/v1", tags=["ratings"], responses=TAKEN, route_class=_reporting_all(submit.faults)
    )

    def taken(rating_id: UUID, receipt: str | None = None) -> Response:
        url = f"{outcome_base_url}/v1/ratings/{rating_id}/outcome"
        body: Taken = Taken(rating_id=rating_id, outcome_url=url)
        if receipt is not None:
            body = TakenRating(rating_id=rating_id, outcome_url=url, receipt=receipt)
        headers = {"Location": url, "Cache-Control": "no-store"}
        return Response(body.model_dump_json(), 202, headers, "application/json")

    @router.post(
        "/ratings", status_code=202, response_model=TakenRating, responses=LINKED, openapi_extra=IDEMPOTENT
    )
    async def submit_rating(
        body: RatingBody, request: Request, idempotency_key: IdempotencyKey = ""
    ) -> Response:
        """Take a rating in. 202 means that it is kept and will have exactly one outcome.

        The same Idempotency-Key and body may be sent again, after a 429, a 503 or a time-out they should be,
        and count once.

        A client with a key (Authorization: Bearer) says which visit the rating is from (Hailong-Session: 16
        to 128 characters of its choice) and from which address (X-Forwarded-For): without both, all its
        citizens are limited as one.
        """
        with _answering():
            known = callers.of(request)
            channel = known.channel(body.channel)
            rating = body.rating(channel, known.vouching(body.vouched, channel))
            identity = await submit(rating, _checked(idempotency_key), known.caller)
        metrics.accepted(channel).inc()
        return taken(identity.rating_id, identity.receipt)

    async def sound(body: RatingBody, request: Request) -> Response:
        try:
            return await submit_rating(body, request, request.headers.get("idempotency-key", ""))
        except Problem as problem:
            metrics.REFUSED.labels(problem.kind.code).inc()
            raise

    @router.post(
        "/ratings/{rating_id}/phone-code",
        operation_id="phone-code",
        status_code=202,
        response_model=Taken,
        openapi_extra=IDEMPOTENT,
    )
    async def enter(
        rating_id: UUID, body: PhoneCodeBody, request: Request, idempotency_key: IdempotencyKey = ""
    ) -> Response:
        """Take in the code sent by SMS. The same Idempotency-Key and code are the same try."""
        with _answering():
            caller = callers.of(request).caller
            await enter_phone_code(rating_id, body.edition_id, body.code, _checked(idempotency_key), caller)
        return taken(rating_id)

    @router.post("/withdrawals", operation_id="withdraw", status_code=202, response_model=Taken)
    async def withdraw_rating(body: WithdrawalBody, request: Request) -> Response:
        """Withdraw a rating by its receipt. The same receipt may be sent again, and is the same request.

        The answer is alike for every receipt. At `outcome_url` the rating is `withdrawn` within seconds, if
        it was `accepted` and `withdrawable_until` is not over.
        """
        with _answering():
            rating_id = await withdraw(body.receipt, callers.of(request).caller)
        return taken(rating_id)

    return router, sound


def _checked(idempotency_key: str) -> str:
    if not _KEY.fullmatch(idempotency_key):
        raise Problem(faults.IDEMPOTENCY_KEY_MISSING)
    return idempotency_key


@contextmanager
def _answering() -> Iterator[None]:
    """What fails in it is a problem for the caller."""
    try:
        yield
    except Faulty as error:
        raise faults.problem(error.faults) from None
    except Limited as error:
        raise Problem(faults.TOO_MANY, retry_after=error.seconds, seconds=error.seconds) from None
    except KeyReused:
        raise Problem(faults.IDEMPOTENCY_KEY_REUSED) from None
    except KeysMissing as error:
        log.warning("keys missing", file=str(error))
        raise Problem(faults.EDITION_KEYS_MISSING, retry_after=KEYS_RETRY_SECONDS) from error
    except FilesAway as error:
        raise Problem(faults.FILES_AWAY, retry_after=FILES_SECONDS, seconds=FILES_SECONDS) from error
    except (NotKept, DirectoryUnread) as error:
        log.warning("submission not kept", error=type(error).__name__, detail=str(error))
        raise Problem(faults.UNAVAILABLE, retry_after=RETRY_SECONDS, seconds=RETRY_SECONDS) from error


def _reporting_all(faults_of: Callable[[Rating], list[Fault]]) -> type[APIRoute]:
    """Routes that count what they refuse, and name all that is wrong with a rating at once.

    FastAPI stops at a body of the wrong shape; what else is wrong with it is added here.
    """

    class Route(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def handled(request: Request) -> Response:
                try:
                    return await handle(request)
                except RequestValidationError as error:
                    errors = [field_error(each) for each in error.errors()]
                    if self.path_format.endswith("/ratings") and isinstance(error.body, dict):
                        errors += _further(errors, error.body, faults_of)
                    metrics.REFUSED.labels(VALIDATION_FAILED.code).inc()
                    raise Problem(VALIDATION_FAILED, errors=errors) from None
                except Problem as problem:
                    metrics.REFUSED.labels(problem.kind.code).inc()
                    raise

            return handled

    return Route


def _further(
    found: list[FieldError], body: dict[str, Any], faults_of: Callable[[Rating], list[Fault]]
) -> list[FieldError]:
    """What is wrong with the fields whose shape is right."""

    def text(name: str) -> str:
        value = body.get(name)
        return value if isinstance(value, str) and len(value) <= LONGEST else ""

    def field_of(pointer: str) -> str:
        return pointer.split("/")[1] if pointer.startswith("/") else pointer

    reasons = body.get("reasons")
    challenge = body.get("challenge")
    rating = Rating(
        edition_id=text("edition_id"),
        officer_id=text("officer_id"),
        answer=text("answer"),
        reasons=[r for r in reasons if isinstance(r, str)] if isinstance(reasons, list) else [],
        phone=text("phone"),
        consent=body.get("consent") is True,
        challenge=("", str(challenge.get("answer", ""))) if isinstance(challenge, dict) else None,
        channel="",
        language="",
        vouched_by=Vouching.DEVICE if body.get("vouched") is True else None,
        file_number=text("file_number"),
        respondent=text("respondent"),
        deciding_unit_id=text("deciding_unit_id"),
        proof_of_work="" if body.get("proof_of_work") is not None else None,
    )
    named = {field_of(error.pointer) for error in found}
    try:
        more = faults.field_errors(faults_of(rating))
    except DirectoryUnread:
        return []
    return [error for error in more if field_of(error.pointer) not in named]
