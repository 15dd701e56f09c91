"""Verification's public API in memory."""

from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Response

from tests.unit.portal.fake_data import PIXEL, PROOF, RIGHT_CODE, Json
from tests.unit.portal.fake_state import FakeCity


def build(city: FakeCity) -> APIRouter:
    routes = APIRouter()

    @routes.post("/v1/challenges", status_code=201)
    async def challenge(asked: Json) -> Json:
        if asked["kind"] == "proof_of_work":
            return {"algorithm": "SHA-256", "challenge": "c", "salt": "s", "signature": "x", "maxnumber": 9}
        city.challenges += 1
        number = f"challenge-{city.challenges}"
        expires = datetime.now(UTC) + timedelta(minutes=10)
        return {
            "id": number,
            "edition_id": "2017",
            "expires_at": expires.isoformat(),
            "image": "x",
            "audio": {},
        }

    @routes.get("/v1/challenges/{challenge_id}/{name}")
    async def media(challenge_id: str, name: str) -> Response:
        kind = "image/png" if name.endswith(".png") else "audio/wav"
        return Response(PIXEL, media_type=kind, headers={"Cache-Control": "no-store"})

    @routes.get("/v1/ratings/{rating_id}/outcome")
    async def outcome(rating_id: str) -> Json:  # noqa: PLR0911 - one a status
        rating = city.ratings.get(rating_id)
        answer: Json = {"rating_id": rating_id, "status": "pending"}
        if rating is None or city.undecided:
            return answer
        until = datetime.now(UTC) + timedelta(days=city.withdrawable_days)
        if city.forced_reason:
            if city.forced_reason == "duplicate" and city.policy == "captcha":
                return {**answer, "status": "accepted", "withdrawable_until": until.isoformat()}
            return {**answer, "status": "rejected", "reason": city.forced_reason}
        body = rating["body"]
        proved = city.proof_of_work == "instead" and body.get("proof_of_work") == PROOF
        if body.get("vouched"):
            return {**answer, "status": "accepted", "withdrawable_until": until.isoformat()}
        if not proved and city.policy != "phone" and (body["challenge"] or {}).get("answer") != RIGHT_CODE:
            return {**answer, "status": "rejected", "reason": "challenge_wrong"}
        if city.policy == "captcha" or rating["status"] == "accepted":
            withdrawn = (
                rating_id in city.withdrawn and not city.slow_to_withdraw and city.withdrawable_days >= 0
            )
            status = "withdrawn" if withdrawn else "accepted"
            return {**answer, "status": status, "withdrawable_until": until.isoformat()}
        if rating["tries"] <= 0:
            return {**answer, "status": "rejected", "reason": "phone_code_wrong"}
        expires = datetime.now(UTC) + timedelta(minutes=5)
        state = {"expires_at": expires.isoformat(), "tries_left": rating["tries"]}
        return {**answer, "status": "phone_code_needed", "phone_code": state}

    return routes
