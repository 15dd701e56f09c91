"""The three public HTTP APIs in memory, as the portal sees them: same shapes, no Kafka, no database."""

import asyncio
import hashlib
import json
import math
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

Json = dict[str, Any]
OFFICER = "so-thong-tin-va-truyen-thong.dinh-thi-minh-phuong"
SAMPLE = "so-thong-tin-va-truyen-thong.tran-van-mau"
RIGHT_CODE = "246813"
SMS_CODE = "123456"
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c02"
    "0000000b4944415478da6364f80f00010501012718e3660000000049454e44ae426082"
)
GROUPS = {
    "so-ban-nganh": {"vi": "Sở, Ban, Ngành", "en": "Departments, boards and sectors"},
    "quan-huyen": {"vi": "UBND các quận, huyện", "en": "People's Committees of districts"},
}
UNITS = {
    "van-phong-ubnd-thanh-pho": ("so-ban-nganh", "Văn phòng UBND thành phố", "Office of the City People's Committee"),
    "so-thong-tin-va-truyen-thong": (
        "so-ban-nganh",
        "Sở Thông tin và Truyền thông",
        "Department of Information and Communications",
    ),
    "so-noi-vu": ("so-ban-nganh", "Sở Nội vụ", "Department of Home Affairs"),
    "so-nong-nghiep": (
        "so-ban-nganh",
        "Sở Nông nghiệp và Phát triển nông thôn",
        "Department of Agriculture and Rural Development",
    ),
    "so-lao-dong": (
        "so-ban-nganh",
        "Sở Lao động – Thương binh và Xã hội",
        "Department of Labour, Invalids and Social Affairs",
    ),
    "hai-chau": ("quan-huyen", "UBND quận Hải Châu", "People's Committee of Hai Chau District"),
}
TITLE = {
    "vi": "Công chức tiếp nhận và giải quyết hồ sơ",
    "en": "One-stop officer, receives and settles files",
}
OFFICERS = {
    OFFICER: ("Đinh Thị Minh Phương", False),
    SAMPLE: ("Trần Văn Mẫu", True),
    "so-thong-tin-va-truyen-thong.nguyen-thi-thuy-an": ("Nguyễn Thị Thùy Ân", True),
}
REASONS = {
    "thai-do": ("Thái độ phục vụ chưa đúng mực", "The manner of service was not proper"),
    "tre-hen": ("Trả kết quả trễ hẹn", "The result came later than promised"),
    "huong-dan": ("Hướng dẫn không rõ ràng, phải đi lại nhiều lần", "Guidance was unclear, several trips were needed"),
    "ho-so": ("Yêu cầu thêm giấy tờ ngoài quy định", "Papers beyond the rules were asked for"),
    "khac": ("Lý do khác", "Another reason"),
}


@dataclass
class FakeCity:
    """What the APIs hold, and how they misbehave; tests set it and look at it."""

    policy: str = "captcha"
    edition_open: bool = True
    intake_down: bool = False
    takes_but_answers_503: int = 0
    verification_down: bool = False
    aggregation_down: bool = False
    undecided: bool = False
    forced_reason: str | None = None
    refuse_phone: bool = False
    posts: list[Json] = field(default_factory=list)
    ratings: dict[str, Json] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    challenges: int = 0
    phone_posts: list[Json] = field(default_factory=list)
    figures: dict[str, tuple[int, int]] = field(default_factory=dict)
    revision: int = 7
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    updated_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def count(self, satisfied: int, rest: int) -> None:
        """Set every scope's figures, and tell the streams."""
        self.figures = {"*": (satisfied, rest)}
        self.revision += 1
        self.updated_at = datetime.now(UTC)
        self.changed.set()
        self.changed = asyncio.Event()


def problem(status: int, code: str, errors: list[Json] | None = None) -> Response:
    body: Json = {"type": f"urn:hailong:problem:{code}", "title": code, "status": status, "detail": code}
    if errors:
        body["errors"] = errors
    headers = {"Retry-After": "1"} if status == 503 else {}
    return JSONResponse(body, status_code=status, headers=headers, media_type="application/problem+json")


def text(vi: str, en: str) -> Json:
    return {"vi": vi, "en": en}


def plain(value: str) -> str:
    folded = unicodedata.normalize("NFD", value.casefold().replace("đ", "d"))
    return "".join(c for c in folded if not unicodedata.combining(c))


def build(city: FakeCity) -> FastAPI:  # noqa: C901, PLR0915 - one small route after another
    app = FastAPI()

    @app.middleware("http")
    async def watch(request: Request, call_next: Any) -> Response:
        city.requests.append(f"{request.method} {request.url}")
        path = request.url.path
        down = (
            (city.intake_down and (path.startswith(("/v1/directory", "/v1/edition")) or request.method == "POST" and path.startswith("/v1/ratings")))
            or (city.verification_down and (path.startswith("/v1/challenges") or path.endswith("/outcome")))
            or (city.aggregation_down and path.startswith(("/v1/satisfaction", "/v1/live")))
        )
        answer: Response = problem(503, "unavailable") if down else await call_next(request)
        return answer

    @app.get("/healthz")
    async def healthz() -> Json:
        return {"status": "ok"}

    def unit_of(unit_id: str) -> Json:
        return {"id": unit_id, "name": text(*UNITS[unit_id][1:])}

    def group_of(group_id: str) -> Json:
        return {"id": group_id, "name": GROUPS[group_id]}

    def officers_of(unit_id: str) -> list[Json]:
        return [
            {"id": i, "name": name, "title": TITLE, "sample": sample}
            for i, (name, sample) in OFFICERS.items()
            if i.startswith(unit_id + ".")
        ]

    def with_etag(request: Request, body: Json) -> Response:
        etag = '"' + hashlib.sha256(json.dumps(body).encode()).hexdigest()[:16] + '"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"ETag": etag})
        return JSONResponse(body, headers={"ETag": etag, "Cache-Control": "public, max-age=10"})

    @app.get("/v1/directory")
    async def directory(request: Request) -> Response:
        counts = {g: sum(u[0] == g for u in UNITS.values()) for g in GROUPS}
        return with_etag(request, {"groups": [{**group_of(g), "unit_count": counts[g]} for g in GROUPS]})

    @app.get("/v1/directory/groups/{group_id}")
    async def group(request: Request, group_id: str) -> Response:
        if group_id not in GROUPS:
            return problem(404, "not_found")
        units = [{**unit_of(u), "officer_count": len(officers_of(u))} for u in UNITS if UNITS[u][0] == group_id]
        return with_etag(request, {**group_of(group_id), "units": units})

    @app.get("/v1/directory/units/{unit_id}")
    async def unit(request: Request, unit_id: str) -> Response:
        if unit_id not in UNITS:
            return problem(404, "not_found")
        body = {**unit_of(unit_id), "group": group_of(UNITS[unit_id][0]), "officers": officers_of(unit_id)}
        return with_etag(request, body)

    @app.get("/v1/directory/officers/{officer_id}")
    async def officer(request: Request, officer_id: str) -> Response:
        unit_id = officer_id.split(".")[0]
        found = [o for o in officers_of(unit_id) if o["id"] == officer_id] if unit_id in UNITS else []
        if not found:
            return problem(404, "not_found")
        group_id = UNITS[unit_id][0]
        return with_etag(request, {**found[0], "unit": unit_of(unit_id), "group": group_of(group_id), "active": True})

    @app.get("/v1/directory/search")
    async def search(q: str, limit: int = 20) -> Json:
        def fits(name: str) -> bool:
            return all(any(w.startswith(p) for w in plain(name).split()) for p in plain(q).split())

        units = [{**unit_of(u), "group": group_of(UNITS[u][0])} for u in UNITS if fits(UNITS[u][1])]
        found = [
            {**o, "unit": unit_of(u)} for u in UNITS for o in officers_of(u) if fits(o["name"])
        ]
        return {"query": q, "units": units[:limit], "officers": found[:limit]}

    @app.get("/v1/edition")
    async def edition(request: Request) -> Response:
        if not city.edition_open:
            return problem(404, "no_open_edition")
        answers = [
            {"id": "satisfied", "text": text("Hài lòng", "Satisfied"), "asks_reasons": False},
            {"id": "not_satisfied", "text": text("Chưa hài lòng", "Not yet satisfied"), "asks_reasons": True},
        ]
        question = text(
            "Bạn có hài lòng với việc tiếp nhận và giải quyết hồ sơ?",
            "Are you satisfied with how your file was received and settled?",
        )
        instrument = {
            "id": "2017",
            "version": "1",
            "question": question,
            "answers": answers,
            "reasons": [{"id": i, "text": text(*t)} for i, t in REASONS.items()],
        }
        policy = {"verification": city.policy, "duplicate_window_days": 1, "phone_retention_days": 30}
        body = {
            "id": "2017",
            "title": text("Đợt khảo sát năm 2017", "2017 edition of the survey"),
            "opens_on": "2017-01-01",
            "closes_on": "2099-12-31",
            "policy": policy,
            "instrument": instrument,
        }
        return with_etag(request, body)

    @app.post("/v1/ratings")
    async def rate(request: Request) -> Response:
        body = await request.json()
        key = request.headers["idempotency-key"]
        if city.refuse_phone:
            return problem(
                422, "validation_failed", [{"pointer": "/phone", "code": "phone", "detail": "Số này không có."}]
            )
        city.posts.append({"key": key, "body": body})
        mark = hashlib.sha256((key + json.dumps(body, sort_keys=True)).encode()).hexdigest()[:32]
        city.ratings.setdefault(mark, {"body": body, "tries": 5, "status": "pending"})
        if city.takes_but_answers_503:
            city.takes_but_answers_503 -= 1
            return problem(503, "not_confirmed")
        return JSONResponse({"rating_id": mark, "status": "pending", "outcome_url": "x"}, status_code=202)

    @app.post("/v1/ratings/{rating_id}/phone-code")
    async def phone_code(request: Request, rating_id: str) -> Response:
        body = await request.json()
        key = request.headers["idempotency-key"]
        rating = city.ratings[rating_id]
        if all(p["key"] != key for p in city.phone_posts):
            if body["code"] == SMS_CODE:
                rating["status"] = "accepted"
            else:
                rating["tries"] -= 1
        city.phone_posts.append({"key": key, "body": body})
        return JSONResponse({"rating_id": rating_id, "status": "pending", "outcome_url": "x"}, status_code=202)

    @app.post("/v1/challenges", status_code=201)
    async def challenge() -> Json:
        city.challenges += 1
        number = f"challenge-{city.challenges}"
        expires = datetime.now(UTC) + timedelta(minutes=10)
        return {"id": number, "edition_id": "2017", "expires_at": expires.isoformat(), "image": "x", "audio": {}}

    @app.get("/v1/challenges/{challenge_id}/{name}")
    async def media(challenge_id: str, name: str) -> Response:
        kind = "image/png" if name.endswith(".png") else "audio/wav"
        return Response(PIXEL, media_type=kind, headers={"Cache-Control": "no-store"})

    @app.get("/v1/ratings/{rating_id}/outcome")
    async def outcome(rating_id: str) -> Json:
        rating = city.ratings.get(rating_id)
        answer: Json = {"rating_id": rating_id, "status": "pending"}
        if rating is None or city.undecided:
            return answer
        if city.forced_reason:
            return {**answer, "status": "rejected", "reason": city.forced_reason}
        body = rating["body"]
        if city.policy != "phone" and (body["challenge"] or {}).get("answer") != RIGHT_CODE:
            return {**answer, "status": "rejected", "reason": "challenge_wrong"}
        if city.policy == "captcha" or rating["status"] == "accepted":
            return {**answer, "status": "accepted"}
        if rating["tries"] <= 0:
            return {**answer, "status": "rejected", "reason": "phone_code_wrong"}
        expires = datetime.now(UTC) + timedelta(minutes=5)
        state = {"expires_at": expires.isoformat(), "tries_left": rating["tries"]}
        return {**answer, "status": "phone_code_needed", "phone_code": state}

    def counts(satisfied: int, rest: int) -> Json:
        total = satisfied + rest
        if not total:
            return {"total": 0, "satisfied": 0, "not_satisfied": 0, "rate": None, "interval": None}
        rate, z = satisfied / total, 1.96
        middle = (rate + z * z / (2 * total)) / (1 + z * z / total)
        half = z / (1 + z * z / total) * math.sqrt(rate * (1 - rate) / total + z * z / (4 * total * total))
        interval = {"low": max(0.0, middle - half), "high": min(1.0, middle + half), "confidence": 0.95, "method": "wilson"}
        return {"total": total, "satisfied": satisfied, "not_satisfied": rest, "rate": rate, "interval": interval}

    def scope_of(level: str, place: str | None) -> Json:
        top = {"level": "city", "id": None, "name": None}
        if level == "group" and place in GROUPS:
            return {"level": level, "id": place, "name": GROUPS[place], "parent": top}
        if level == "unit" and place in UNITS:
            return {"level": level, **unit_of(place), "parent": {"level": "group", **group_of(UNITS[place][0])}}
        if level == "officer" and place in OFFICERS:
            name = OFFICERS[place][0]
            parent = {"level": "unit", **unit_of(place.split(".")[0])}
            return {"level": level, "id": place, "name": text(name, name), "parent": parent}
        if level == "city":
            return {**top, "parent": None}
        raise KeyError(place)

    def document(level: str, place: str | None, share: float = 1.0) -> Json:
        good, rest = city.figures.get("*", (0, 0))
        good, rest = round(good * share), round(rest * share)
        weights = zip(REASONS, (0.5, 0.3, 0.12, 0.08), strict=False)
        reasons = [{"id": i, "count": round(rest * w)} for i, w in weights]
        total = good + rest
        channels = [{"id": "portal", "count": total - total // 5}, {"id": "qr", "count": total // 5}]
        return {
            "scope": scope_of(level, place),
            **counts(good, rest),
            "edition": None,
            "from": None,
            "to": None,
            "reasons": reasons,
            "channels": channels,
            "rejected": [],
            "updated_at": city.updated_at.isoformat() if total else None,
            "revision": city.revision,
        }

    levels = {"groups": "group", "units": "unit", "officers": "officer"}

    async def figures(level: str, place: str | None, part: str) -> Response:
        try:
            body = document(level, place)
        except KeyError:
            return problem(404, "scope_unknown")
        if part == "history":
            today = date(2026, 11, 23)
            days = []
            for back in range(29, -1, -1):
                wave = (math.sin(back * 1.7) + 1.2) / 60 if back % 7 not in (1, 2) else 0
                good, rest = round(body["satisfied"] * wave), round(body["not_satisfied"] * wave)
                days.append({"day": (today - timedelta(days=back)).isoformat(), **counts(good, rest)})
            return JSONResponse({"scope": body["scope"], "days": days})
        if part == "children":
            below = {
                "city": [("group", g) for g in GROUPS],
                "group": [("unit", u) for u in UNITS if UNITS[u][0] == place],
                "unit": [("officer", o) for o in OFFICERS if o.startswith(f"{place}.")],
            }.get(level, [])
            shares = (0.6, 0.3, 0.08, 0.02, 0.0)
            return JSONResponse({"scope": body["scope"], "children": [document(k, i, shares[n % 5]) for n, (k, i) in enumerate(below)]})
        return JSONResponse(body)

    @app.get("/v1/satisfaction/city")
    async def whole() -> Response:
        return await figures("city", None, "")

    @app.get("/v1/satisfaction/city/{part}")
    async def whole_part(part: str) -> Response:
        return await figures("city", None, part)

    @app.get("/v1/satisfaction/{kind}/{place}")
    async def scope(kind: str, place: str) -> Response:
        return await figures(levels[kind], place, "")

    @app.get("/v1/satisfaction/{kind}/{place}/{part}")
    async def scope_part(kind: str, place: str, part: str) -> Response:
        return await figures(levels[kind], place, part)

    @app.get("/v1/live")
    async def live(scope: str) -> StreamingResponse:
        level, _, place = scope.partition(":")

        async def stream() -> AsyncIterator[str]:
            name = "snapshot"
            while True:
                data = json.dumps(document(level, place or None))
                yield f"event: {name}\nid: {city.revision}\nretry: 500\ndata: {data}\n\n"
                name = "figures"
                await city.changed.wait()

        return StreamingResponse(stream(), media_type="text/event-stream", headers={"Access-Control-Allow-Origin": "*"})

    return app
