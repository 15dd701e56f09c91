"""Intake's public API in memory."""

import hashlib
import json
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from tests.unit.portal.fake_data import (
    GROUPS,
    REASONS,
    SMS_CODE,
    UNITS,
    Json,
    group_of,
    officers_of,
    plain,
    problem,
    text,
    unit_of,
    with_etag,
)
from tests.unit.portal.fake_state import FakeCity


def receipt_of(mark: str) -> str:
    return "-".join(mark.upper()[at : at + 4] for at in range(0, 24, 4))


def limited(seconds: int) -> Response:
    answer = problem(429, "too_many")
    answer.headers["Retry-After"] = str(seconds)
    return answer


def build(city: FakeCity) -> APIRouter:
    routes = APIRouter()

    @routes.get("/v1/directory")
    async def directory(request: Request) -> Response:
        counts = {g: sum(u[0] == g for u in UNITS.values()) for g in GROUPS}
        return with_etag(request, {"groups": [{**group_of(g), "unit_count": counts[g]} for g in GROUPS]})

    @routes.get("/v1/directory/groups/{group_id}")
    async def group(request: Request, group_id: str) -> Response:
        if group_id not in GROUPS:
            return problem(404, "not_found")
        units = [
            {**unit_of(u), "officer_count": len(officers_of(u))} for u in UNITS if UNITS[u][0] == group_id
        ]
        return with_etag(request, {**group_of(group_id), "units": units})

    @routes.get("/v1/directory/units/{unit_id}")
    async def unit(request: Request, unit_id: str) -> Response:
        if unit_id not in UNITS:
            return problem(404, "not_found")
        heir = city.merged.get(unit_id)
        body = {
            **unit_of(unit_id),
            "group": group_of(UNITS[unit_id][0]),
            "officers": [] if heir else officers_of(unit_id),
            "merged_into": unit_of(heir) if heir else None,
        }
        return with_etag(request, body)

    @routes.get("/v1/directory/officers/{officer_id}")
    async def officer(request: Request, officer_id: str) -> Response:
        unit_id = officer_id.split(".", maxsplit=1)[0]
        found = [o for o in officers_of(unit_id) if o["id"] == officer_id] if unit_id in UNITS else []
        if not found:
            return problem(404, "not_found")
        group_id = UNITS[unit_id][0]
        return with_etag(
            request,
            {
                **found[0],
                "unit": unit_of(city.moved.get(officer_id, unit_id)),
                "group": group_of(group_id),
                "active": officer_id not in city.gone,
            },
        )

    @routes.get("/v1/directory/register")
    async def register(request: Request) -> Response:
        officers = [
            {**o, "unit": unit_of(u), "group": group_of(UNITS[u][0]), "active": o["id"] not in city.gone}
            for u in UNITS
            for o in officers_of(u)
        ]
        return with_etag(request, {"units": [unit_of(u) for u in UNITS], "officers": officers})

    @routes.get("/v1/directory/search")
    async def search(q: str, limit: int = 20) -> Json:
        def fits(name: str) -> bool:
            return all(any(w.startswith(p) for w in plain(name).split()) for p in plain(q).split())

        units = [
            {
                **unit_of(u),
                "group": group_of(UNITS[u][0]),
                "predecessors": [unit_of(old) for old, heir in city.merged.items() if heir == u],
            }
            for u in UNITS
            if fits(UNITS[u][1]) and u not in city.merged
        ]
        found = [{**o, "unit": unit_of(u)} for u in UNITS for o in officers_of(u) if fits(o["name"])]
        return {"query": q, "units": units[:limit], "officers": found[:limit]}

    @routes.get("/v1/client")
    async def client(request: Request) -> Response:
        channels = city.clients.get(request.headers["authorization"].removeprefix("Bearer "))
        if channels is None:
            return problem(401, "key_not_in_force")
        known = {"client_id": "screen", "name": "Màn hình thử", "channels": channels}
        return JSONResponse(known | {"vouches": city.vouches})

    @routes.get("/v1/edition")
    async def edition(request: Request) -> Response:
        if not city.edition_open:
            return problem(404, "no_open_edition")
        answers = [
            {"id": "satisfied", "text": text("Hài lòng", "Satisfied"), "asks_reasons": False},
            {"id": "not_satisfied", "text": text("Chưa hài lòng", "Not yet satisfied"), "asks_reasons": True},
        ]
        question = text(
            "Ông/bà có hài lòng với việc tiếp nhận và giải quyết hồ sơ?",
            "Are you satisfied with how your file was received and settled?",
        )
        instrument = {
            "id": "2017",
            "version": "1",
            "question": question,
            "answers": answers,
            "reasons": [{"id": i, "text": text(*t)} for i, t in REASONS.items()],
        }
        if city.asks_further:
            instrument |= asking_further(answers)
        policy = {
            "verification": city.policy,
            "duplicate_window_days": 1,
            "phone_retention_days": 30,
            "proof_of_work": city.proof_of_work,
            "publication": {"officer_batch": city.officer_batch, "officer_hour": 7, "suppress_below": 5},
            "vouching": city.vouching,
            "file_numbers": city.file_numbers,
            "asks_respondent": city.asks_respondent,
        }
        body = {
            "id": "2017",
            "title": text("Đợt khảo sát năm 2017", "2017 edition of the survey"),
            "opens_on": "2017-01-01",
            "closes_on": "2099-12-31",
            "policy": policy,
            "instrument": instrument,
        }
        return with_etag(request, body)

    @routes.post("/v1/ratings")
    async def rate(request: Request) -> Response:
        body = await request.json()
        key = request.headers["idempotency-key"]
        city.headers.append(dict(request.headers))
        if city.takes_no_key:
            return problem(401, "key_not_in_force")
        if city.limited_seconds:
            return limited(city.limited_seconds)
        if city.refused_with is not None:
            return problem(*city.refused_with)
        if city.refuse_phone:
            return problem(
                422,
                "validation_failed",
                [{"pointer": "/phone", "code": "phone", "detail": "Số này không có."}],
            )
        city.posts.append({"key": key, "body": body})
        mark = hashlib.sha256((key + json.dumps(body, sort_keys=True)).encode()).hexdigest()[:32]
        city.ratings.setdefault(mark, {"body": body, "tries": 5, "status": "pending"})
        if city.takes_but_answers_503:
            city.takes_but_answers_503 -= 1
            return problem(503, "not_confirmed")
        taken = {"rating_id": mark, "status": "pending", "outcome_url": "x", "receipt": receipt_of(mark)}
        return JSONResponse(taken, status_code=202)

    @routes.post("/v1/withdrawals")
    async def withdraw(request: Request) -> Response:
        body = await request.json()
        city.headers.append(dict(request.headers))
        if city.limited_seconds:
            return limited(city.limited_seconds)
        if city.takes_but_answers_503:
            city.takes_but_answers_503 -= 1
            return problem(503, "not_confirmed")
        typed = "".join(filter(str.isalnum, body["receipt"])).upper()
        mark = next((each for each in city.ratings if receipt_of(each).replace("-", "") == typed), None)
        if mark is None:
            wrong = {"pointer": "/receipt", "code": "receipt_unknown", "detail": "Mã biên nhận chưa đúng."}
            return problem(422, "validation_failed", [wrong])
        city.withdrawn.add(mark)
        return JSONResponse({"rating_id": mark, "status": "pending", "outcome_url": "x"}, status_code=202)

    @routes.post("/v1/ratings/{rating_id}/phone-code")
    async def phone_code(request: Request, rating_id: str) -> Response:
        body = await request.json()
        key = request.headers["idempotency-key"]
        rating = city.ratings[rating_id]
        if city.limited_seconds:
            return limited(city.limited_seconds)
        if all(p["key"] != key for p in city.phone_posts):
            if body["code"] == SMS_CODE:
                rating["status"] = "accepted"
            else:
                rating["tries"] -= 1
        city.phone_posts.append({"key": key, "body": body})
        return JSONResponse(
            {"rating_id": rating_id, "status": "pending", "outcome_url": "x"}, status_code=202
        )

    return routes


def asking_further(answers: list[dict[str, Any]]) -> dict[str, Any]:
    """Praise beside blame, and a scale of two questions."""
    satisfied, not_satisfied = answers
    reasons = [
        *({"id": i, "text": text(*t), "answers": ["not_satisfied"]} for i, t in REASONS.items()),
        {"id": "nhanh", "text": text("Nhanh gọn", "Quick"), "answers": ["satisfied"]},
    ]
    choices = [
        {"id": each, "text": text(*words), "points": points}
        for each, points, words in (("good", 2, ("Tốt", "Good")), ("bad", 0, ("Kém", "Bad")))
    ]
    questions = [
        {"id": each, "text": text(*words), "choices": choices}
        for each, words in (("time", ("Thời gian", "Time")), ("staff", ("Thái độ", "Attitude")))
    ]
    scale = {"id": "nine", "title": text("Chín chỉ số", "Nine indicators"), "kind": "points"}
    return {
        "answers": [{**satisfied, "asks_reasons": True, "reasons_optional": True}, not_satisfied],
        "reasons": reasons,
        "scales": [{**scale, "questions": questions}],
    }
