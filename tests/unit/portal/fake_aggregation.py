"""Aggregation's public API in memory."""

import json
import math
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
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

Joined = Annotated[str | None, Query(alias="with")]
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

    def document(level: str, place: str | None, share: float = 1.0) -> Json:
        good, rest = city.figures.get("*", (0, 0))
        good, rest = round(good * share), round(rest * share)
        weights = zip(REASONS, (0.5, 0.3, 0.12, 0.08), strict=False)
        total = good + rest
        reasons = [{"id": i, "count": round(rest * w)} for i, w in weights]
        channels = [{"id": "portal", "count": total - total // 5}, {"id": "qr", "count": total // 5}]
        left_out = [] if total >= city.suppress_below else ["channel", "reason"]
        return {
            "scope": scope_of(level, place),
            **counts(good, rest),
            "edition": None,
            "from": None,
            "to": None,
            "reasons": [] if left_out else reasons,
            "channels": [] if left_out else channels,
            "rejected": [],
            "left_out": [*left_out, *city.left_out],
            "updated_at": city.updated_at.isoformat() if total else None,
            "revision": city.revision,
        }

    levels = {"groups": "group", "units": "unit", "officers": "officer"}

    async def figures(level: str, place: str | None, part: str, joined: str | None = None) -> Response:
        try:
            body = document(level, place, 2.0 if joined else 1.0)
        except KeyError:
            return problem(404, "scope_unknown")
        if part == "history":
            today = date(2026, 11, 23)
            days = []
            for back in range(29, -1, -1):
                wave = (math.sin(back * 1.7) + 1.2) / 60 if back % 7 not in (1, 2) else 0
                good, rest = (
                    round((body["satisfied"] or 0) * wave),
                    round((body["not_satisfied"] or 0) * wave),
                )
                days.append({"day": (today - timedelta(days=back)).isoformat(), **counts(good, rest)})
            return JSONResponse({"scope": body["scope"], "days": days})
        if part == "children":
            below = {
                "city": [("group", g) for g in GROUPS],
                "group": [("unit", u) for u in UNITS if UNITS[u][0] == place],
                "unit": [("officer", o) for o in OFFICERS if o.startswith(f"{place}.")],
            }.get(level, [])
            shares = (0.6, 0.3, 0.08, 0.02, 0.0)
            return JSONResponse(
                {
                    "scope": body["scope"],
                    "children": [document(k, i, shares[n % 5]) for n, (k, i) in enumerate(below)],
                }
            )
        return JSONResponse(body)

    @routes.get("/v1/satisfaction/city")
    async def whole() -> Response:
        return await figures("city", None, "")

    @routes.get("/v1/satisfaction/city/{part}")
    async def whole_part(part: str) -> Response:
        return await figures("city", None, part)

    @routes.get("/v1/satisfaction/{kind}/{place}")
    async def scope(kind: str, place: str, joined: Joined = None) -> Response:
        return await figures(levels[kind], place, "", joined)

    @routes.get("/v1/satisfaction/{kind}/{place}/{part}")
    async def scope_part(kind: str, place: str, part: str, joined: Joined = None) -> Response:
        return await figures(levels[kind], place, part, joined)

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
        return await figures(levels[kind], place, part)

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
