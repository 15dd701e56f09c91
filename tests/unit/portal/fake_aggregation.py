"""Aggregation's public API in memory."""

import json
import math
from collections.abc import AsyncIterator, Mapping
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from tests.unit.portal.fake_data import (
    GROUPS,
    OFFICERS,
    REASONS,
    UNITS,
    Json,
    group_of,
    problem,
    text,
    unit_of,
)
from tests.unit.portal.fake_state import FakeCity

TODAY = date(2026, 11, 23)
DAYS, MOST_DAYS = 30, 400
TOKEN = "a-token-in-force"


def build(city: FakeCity) -> APIRouter:
    routes = APIRouter()

    def counts(satisfied: int, rest: int) -> Json:
        total = satisfied + rest
        if 0 < total < city.suppress_below:
            nothing = dict.fromkeys(("total", "satisfied", "not_satisfied", "rate", "interval"))
            return {"suppressed": True, "partial": True, **nothing}
        said = {"suppressed": False, "partial": city.partial}
        if not total:
            return {**said, "total": 0, "satisfied": 0, "not_satisfied": 0, "rate": None, "interval": None}
        rate, z = satisfied / total, 1.96
        middle = (rate + z * z / (2 * total)) / (1 + z * z / total)
        half = z / (1 + z * z / total) * math.sqrt(rate * (1 - rate) / total + z * z / (4 * total * total))
        interval = {
            "low": max(0.0, middle - half),
            "high": min(1.0, middle + half),
            "confidence": 0.95,
            "method": "wilson",
        }
        return {
            **said,
            "total": total,
            "satisfied": satisfied,
            "not_satisfied": rest,
            "rate": rate,
            "interval": interval,
        }

    def scope_of(level: str, place: str | None) -> Json:
        top = {"level": "city", "id": None, "name": None}
        if level == "group" and place in GROUPS:
            return {"level": level, "id": place, "name": GROUPS[place], "parent": top}
        if level == "unit" and place in UNITS:
            return {
                "level": level,
                **unit_of(place),
                "parent": {"level": "group", **group_of(UNITS[place][0])},
                "closed_on": "2026-07-01" if place in city.merged else None,
                "merged_into": unit_of(city.merged[place]) if place in city.merged else None,
                "predecessors": [unit_of(old) for old, heir in city.merged.items() if heir == place],
            }
        if level == "officer" and place in OFFICERS:
            name = OFFICERS[place][0]
            parent = {"level": "unit", **unit_of(place.split(".")[0])}
            return {"level": level, "id": place, "name": text(name, name), "parent": parent}
        if level == "city":
            return {**top, "parent": None}
        raise KeyError(place)

    def parted(total: int, **shares: float) -> list[Json]:
        counts = {item: int(total * share) for item, share in shares.items()}
        return [{"id": item.strip("_"), "count": count} for item, count in counts.items() if count]

    def more(total: int) -> Json:
        """What newer versions of the API say beside."""
        return {
            "hours": parted(total, _08=0.3, _09=0.25, _10=0.15, _14=0.2, _16=0.1),
            "weekdays": parted(total, _1=0.3, _2=0.2, _3=0.2, _4=0.2, _5=0.1),
            "assurances": parted(total, captcha=0.9, phone_code=0.1),
            "funnel": {"decided": total + 50, "accepted": total, "rejected": 50, "complete": True},
            "response": city.response,
        }

    def document(level: str, place: str | None, share: float = 1.0) -> Json:
        good, rest = city.figures.get("*", (0, 0))
        good, rest = round(good * share), round(rest * share)
        weights = zip(REASONS, (0.5, 0.3, 0.12, 0.08), strict=False)
        total = good + rest
        reasons = [{"id": i, "count": round(rest * w)} for i, w in weights]
        items = ["assurance", "channel", "hour", "reason", "weekday"]
        left_out = [] if total >= city.suppress_below else items
        shown = total if total >= city.suppress_below else 0
        return {
            "scope": scope_of(level, place),
            **counts(good, rest),
            "edition": None,
            "from": None,
            "to": None,
            "reasons": [] if left_out else reasons,
            "channels": parted(shown, portal=0.8, qr=0.2),
            **({} if city.older_api else more(shown)),
            "rejected": [{"reason": "duplicate", "count": 40}, {"reason": "challenge_wrong", "count": 10}],
            "left_out": [*left_out, *city.left_out],
            "updated_at": city.updated_at.isoformat() if total else None,
            "revision": city.revision,
        }

    levels = {"groups": "group", "units": "unit", "officers": "officer"}

    def days(body: Json, asked: Mapping[str, str]) -> Response:
        last = date.fromisoformat(asked["to"]) if "to" in asked else TODAY
        first = date.fromisoformat(asked["from"]) if "from" in asked else last - timedelta(days=DAYS - 1)
        if (last - first).days >= MOST_DAYS:
            return problem(422, "validation_failed")
        found = []
        for back in range((last - first).days, -1, -1):
            wave = (math.sin(back * 1.7) + 1.2) / 60 if back % 7 not in (1, 2) else 0
            good, rest = round((body["satisfied"] or 0) * wave), round((body["not_satisfied"] or 0) * wave)
            found.append({"day": (last - timedelta(days=back)).isoformat(), **counts(good, rest)})
        return JSONResponse({"scope": body["scope"], "days": found})

    def below(level: str, place: str | None) -> list[Json]:
        inside = {
            "city": [("group", each) for each in GROUPS],
            "group": [("unit", each) for each in UNITS if UNITS[each][0] == place],
            "unit": [("officer", each) for each in OFFICERS if each.startswith(f"{place}.")],
        }.get(level, [])
        shares = (0.6, 0.3, 0.08, 0.02, 0.0)
        found = [document(kind, each, shares[n % 5]) for n, (kind, each) in enumerate(inside)]
        return found if city.older_api else [{**each, "rank": city.rank} for each in found]

    async def figures(level: str, place: str | None, part: str, asked: Mapping[str, str]) -> Response:
        try:
            body = document(level, place, 2.0 if "with" in asked else 1.0)
        except KeyError:
            return problem(404, "scope_unknown")
        if part == "history":
            return days(body, asked)
        if part == "children":
            return JSONResponse({"scope": body["scope"], "children": below(level, place)})
        if part == "change":
            if city.change is None:
                return problem(404, "not_found")
            return JSONResponse({"scope": body["scope"], **city.change})
        if "from" in asked or "to" in asked:
            items = ("reasons", "channels", "hours", "weekdays", "assurances", "rejected")
            body |= {each: [] for each in items if each in body}  # of days, no items are shown
        return JSONResponse(body)

    @routes.get("/v1/satisfaction/city")
    async def whole(request: Request) -> Response:
        return await figures("city", None, "", request.query_params)

    @routes.get("/v1/satisfaction/city/{part}")
    async def whole_part(request: Request, part: str) -> Response:
        return await figures("city", None, part, request.query_params)

    @routes.get("/v1/satisfaction/{kind}/{place}")
    async def scope(request: Request, kind: str, place: str) -> Response:
        return await figures(levels[kind], place, "", request.query_params)

    @routes.get("/v1/satisfaction/units/{place}/scales")
    async def scales(place: str, edition: str | None = None) -> Response:
        if place not in UNITS:
            return problem(404, "scope_unknown")
        found = [each for each in city.scales if edition in (None, each["edition"])]
        return JSONResponse({"scope": scope_of("unit", place), "edition": edition, "scales": found})

    @routes.get("/v1/satisfaction/{kind}/{place}/{part}")
    async def scope_part(request: Request, kind: str, place: str, part: str) -> Response:
        return await figures(levels[kind], place, part, request.query_params)

    def signed_in(authorization: str) -> bool:
        return authorization == f"Bearer {TOKEN}"

    @routes.get("/v1/department/overview")
    async def overview(authorization: Annotated[str, Header()] = "") -> Response:
        if not signed_in(authorization):
            return problem(401, "not_signed_in")
        return JSONResponse({"scopes": [document("unit", next(iter(UNITS)))]})

    @routes.get("/v1/department/satisfaction/{path:path}")
    async def department(path: str, authorization: Annotated[str, Header()] = "") -> Response:
        if not signed_in(authorization):
            return problem(401, "not_signed_in")
        kind, place, part = [*path.split("/"), "", ""][:3]
        if kind == "city":
            return problem(404, "scope_not_yours")
        return await figures(levels[kind], place, part, {})

    @routes.get("/v1/live")
    async def live(scope: str) -> StreamingResponse:
        level, _, place = scope.partition(":")

        async def stream() -> AsyncIterator[str]:
            name = "snapshot"
            while True:
                data = json.dumps(document(level, place or None))
                yield f"event: {name}\nid: {city.revision}\nretry: 500\ndata: {data}\n\n"
                name = "figures"
                await city.changed.wait()

        return StreamingResponse(
            stream(), media_type="text/event-stream", headers={"Access-Control-Allow-Origin": "*"}
        )

    return routes
