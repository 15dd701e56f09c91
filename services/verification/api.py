"""Verification's public HTTP API."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict

from chassis.problems import Bilingual, Problem, ProblemBody, ProblemType
from contracts.values import Identifier
from services.verification import metrics
from services.verification.challenges import Challenge, Challenges, NotAChallenge
from services.verification.domain.status import PublicStatus
from services.verification.outcomes import Outcomes
from services.verification.picture import draw
from services.verification.ports import Clock
from services.verification.proof_of_work import ALGORITHM, ProofsOfWork
from services.verification.sound import speak

RENDERINGS_AT_ONCE = 4
CHALLENGE_INVALID = ProblemType(
    "challenge_invalid",
    404,
    Bilingual("Không có mã xác thực này", "There is no such code"),
    Bilingual("Vui lòng đổi mã khác.", "Ask for a new code."),
)
CHALLENGE_EXPIRED = ProblemType(
    "challenge_expired",
    410,
    Bilingual("Mã xác thực đã hết hạn", "The code has expired"),
    Bilingual("Vui lòng đổi mã khác.", "Ask for a new code."),
)
OUTCOME_UNAVAILABLE = ProblemType(
    "outcome_unavailable",
    503,
    Bilingual("Tạm thời chưa xem được kết quả", "The outcome cannot be looked up right now"),
    Bilingual(
        "Đánh giá đã gửi không bị mất. Vui lòng thử lại sau ít giây.",
        "A rating that was sent is not lost. Please try again in a few seconds.",
    ),
)
NO_STORE = {"Cache-Control": "no-store"}
# A portal elsewhere may show the picture and play the sound: whoever knows the address may have them.
MEDIA = {**NO_STORE, "Cross-Origin-Resource-Policy": "cross-origin"}
ISSUED: dict[int | str, dict[str, Any]] = {
    201: {
        "links": {
            medium: {"operationId": medium, "parameters": {"challenge_id": "$response.body#/id"}}
            for medium in ("image", "audio")
        }
    }
}


class NewChallenge(BaseModel):
    model_config = ConfigDict(extra="forbid")

    edition_id: Identifier
    kind: Literal["digits", "proof_of_work"] = "digits"


class Audio(BaseModel):
    vi: str
    en: str


class ChallengeBody(BaseModel):
    """`image` and `audio` say the same digits. The rating carries `id` and what the person typed."""

    id: str
    edition_id: str
    expires_at: datetime
    image: str
    audio: Audio


class ProofOfWorkBody(BaseModel):
    """A puzzle in ALTCHA's format: find the number, at most `maxnumber`, for which the SHA-256 of `salt` and
    number is `challenge`.

    The rating carries, as `proof_of_work`, the base64 of the JSON object of `algorithm`, `challenge`,
    `number`, `salt` and `signature`. Expiry, edition and difficulty count as they were signed.
    """

    edition_id: str
    expires_at: datetime
    algorithm: str = ALGORITHM
    challenge: str
    salt: str
    signature: str
    maxnumber: int


class PhoneCodeBody(BaseModel):
    expires_at: datetime
    tries_left: int


class OutcomeBody(BaseModel):
    """`pending` also stands for a rating that this API has not heard of. `withdrawn`: it does not count any
    more; one that is `accepted` can be withdrawn until `withdrawable_until`.

    Where the edition asks for no phone code, a duplicate is told as `accepted`: only who proved to
    hold the phone may learn what was rated with it.
    """

    rating_id: UUID
    status: Literal["pending", "phone_code_needed", "accepted", "rejected", "withdrawn"]
    reason: str | None = None
    phone_code: PhoneCodeBody | None = None
    decided_at: datetime | None = None
    withdrawable_until: datetime | None = None


def routes(
    *,
    challenges: Challenges,
    proofs: ProofsOfWork,
    outcomes: Outcomes,
    clock: Clock,
    outage: Callable[[BaseException], bool],
) -> APIRouter:
    router = APIRouter(prefix="/v1", responses={422: {"model": ProblemBody}})
    rendering = asyncio.Semaphore(RENDERINGS_AT_ONCE)

    def opened(challenge_id: str) -> Challenge:
        try:
            challenge = challenges.open(challenge_id)
        except NotAChallenge:
            raise Problem(CHALLENGE_INVALID) from None
        if clock() > challenge.expires_at:
            raise Problem(CHALLENGE_EXPIRED)
        return challenge

    @router.post(
        "/challenges",
        status_code=201,
        response_model=ChallengeBody | ProofOfWorkBody,
        responses=ISSUED,
    )
    async def new_challenge(asked: NewChallenge) -> Response:
        """Six digits to read in a picture or to hear, within ten minutes; or a puzzle for the citizen's
        device to solve unseen, within thirty. Either counts once. The edition's policy says which is asked.
        """
        metrics.CHALLENGES.inc()
        if asked.kind == "proof_of_work":
            puzzle = proofs.issue(asked.edition_id, clock())
            return _issued(
                ProofOfWorkBody(
                    edition_id=puzzle.edition_id,
                    expires_at=puzzle.expires_at,
                    challenge=puzzle.challenge,
                    salt=puzzle.salt,
                    signature=puzzle.signature,
                    maxnumber=puzzle.maxnumber,
                )
            )
        challenge = challenges.issue(asked.edition_id, clock())
        here = f"/v1/challenges/{challenge.id}"
        body = ChallengeBody(
            id=challenge.id,
            edition_id=challenge.edition_id,
            expires_at=challenge.expires_at,
            image=f"{here}/image.png",
            audio=Audio(vi=f"{here}/audio-vi.wav", en=f"{here}/audio-en.wav"),
        )
        return _issued(body)

    gone: dict[int | str, dict[str, Any]] = {404: {"model": ProblemBody}, 410: {"model": ProblemBody}}

    @router.get(
        "/challenges/{challenge_id}/image.png",
        operation_id="image",
        response_class=Response,
        responses=gone | _file("image/png"),
    )
    async def image(challenge_id: str) -> Response:
        challenge = opened(challenge_id)
        async with rendering:
            seed = challenges.seed(challenge, "image")
            content = await asyncio.to_thread(draw, challenge.digits, seed)
        return Response(content, media_type="image/png", headers=MEDIA)

    @router.get(
        "/challenges/{challenge_id}/audio-{language}.wav",
        operation_id="audio",
        response_class=Response,
        responses=gone | _file("audio/wav"),
    )
    async def audio(challenge_id: str, language: Literal["vi", "en"]) -> Response:
        challenge = opened(challenge_id)
        async with rendering:
            seed = challenges.seed(challenge, f"audio-{language}")
            content = await asyncio.to_thread(speak, challenge.digits, language, seed)
        return Response(content, media_type="audio/wav", headers=MEDIA)

    @router.get(
        "/ratings/{rating_id}/outcome",
        response_model=OutcomeBody,
        response_model_exclude_none=True,
    )
    async def outcome(
        rating_id: UUID,
        response: Response,
        wait: Annotated[float, Query(ge=0, le=25, description="Seconds to wait while pending.")] = 0,
        tries_left: Annotated[
            int | None, Query(description="As seen before a phone code was entered: wait until it changes.")
        ] = None,
    ) -> OutcomeBody:
        try:
            status = await outcomes.outcome(rating_id, seconds=wait, tries_left=tries_left)
        except Exception as error:
            if outage(error):
                raise Problem(OUTCOME_UNAVAILABLE, retry_after=2) from error
            raise
        response.headers.update(NO_STORE)
        return _body(rating_id, status)

    return router


def _issued(body: ChallengeBody | ProofOfWorkBody) -> Response:
    """Written here: what FastAPI is given as a model it validates once more."""
    return Response(body.model_dump_json(), 201, NO_STORE, "application/json")


def _file(media_type: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {media_type: {"schema": {"type": "string", "format": "binary"}}}}}


def _body(rating_id: UUID, status: PublicStatus) -> OutcomeBody:
    code = None
    if status.code_expires_at is not None and status.tries_left is not None:
        code = PhoneCodeBody(expires_at=status.code_expires_at, tries_left=status.tries_left)
    return OutcomeBody(
        rating_id=rating_id,
        status=status.status,
        reason=status.reason,
        phone_code=code,
        decided_at=status.decided_at,
        withdrawable_until=status.withdrawable_until,
    )
