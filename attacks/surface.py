"""What the world may get: every address of every process, and the answer to whoever comes with nothing.

A new route is unknown here until somebody has thought about who may call it.
"""

import base64
import json
from collections.abc import Mapping

NUMBER = "0905123456"
"""Stands in every address for what a caller may choose: no answer repeats it."""

Answers = Mapping[str, int]
"""The status by method. Every other method is answered 405."""

PROBES: Mapping[str, Answers] = {"/healthz": {"GET": 200}, "/readyz": {"GET": 200}}
OPERATIONS: Mapping[str, Answers] = {**PROBES, "/metrics": {"GET": 200}}
DESCRIBED: Mapping[str, Answers] = {"/openapi.json": {"GET": 200, "HEAD": 200}}
WALK = "/danh-gia/cong-chuc/{officer_id}"

PUBLIC: Mapping[str, Mapping[str, Answers]] = {
    "intake": {
        **PROBES,
        **DESCRIBED,
        "/v1/ratings": {"POST": 422},
        "/v1/ratings/{rating_id}/phone-code": {"POST": 422},
        "/v1/withdrawals": {"POST": 422},
        "/v1/directory": {"GET": 200},
        "/v1/directory/search": {"GET": 200},
        "/v1/directory/register": {"GET": 200},
        "/v1/directory/groups/{group_id}": {"GET": 404},
        "/v1/directory/units/{unit_id}": {"GET": 404},
        "/v1/directory/officers/{officer_id}": {"GET": 404},
        "/v1/edition": {"GET": 200},
        "/v1/client": {"GET": 401},
        "/v1/office/me": {"GET": 401},
        "/v1/office/units": {"GET": 401, "POST": 401},
        "/v1/office/units/{unit_id}": {"GET": 401},
        "/v1/office/units/{unit_id}/rename": {"POST": 401},
        "/v1/office/units/{unit_id}/close": {"POST": 401},
        "/v1/office/units/{unit_id}/merge": {"POST": 401},
        "/v1/office/units/{unit_id}/reopen": {"POST": 401},
        "/v1/office/officers/{officer_id}": {"GET": 401},
        "/v1/office/officers/{officer_id}/move": {"POST": 401},
        "/v1/office/editions": {"GET": 401},
        "/v1/office/editions/{edition_id}": {"GET": 401, "PUT": 401},
        "/v1/office/editions/{edition_id}/close": {"POST": 401},
        "/v1/office/directory.csv": {"GET": 401},
        "/v1/office/imports/preview": {"POST": 401},
        "/v1/office/imports": {"POST": 401},
        "/v1/office/forms": {"GET": 401, "POST": 401},
        "/v1/office/forms/runs/{first}": {"GET": 401},
        "/v1/office/forms/{number}": {"GET": 401},
        "/v1/office/forms/{number}/entries": {"POST": 401},
        "/v1/office/forms/imports/preview": {"POST": 401},
        "/v1/office/forms/imports": {"GET": 401, "POST": 401},  # as the form of that number, which is none
        "/v1/office/actions": {"GET": 401},
        "/v1/office/actions.csv": {"GET": 401},
    },
    "verification": {
        **PROBES,
        **DESCRIBED,
        "/v1/challenges": {"POST": 422},
        "/v1/challenges/{challenge_id}/image.png": {"GET": 404},
        "/v1/challenges/{challenge_id}/audio-{language}.wav": {"GET": 422},
        "/v1/ratings/{rating_id}/outcome": {"GET": 422},
    },
    "aggregation": {
        **PROBES,
        **DESCRIBED,
        "/v1/satisfaction/city": {"GET": 200},
        "/v1/satisfaction/city/history": {"GET": 200},
        "/v1/satisfaction/city/children": {"GET": 200},
        "/v1/satisfaction/city/change": {"GET": 200},
        "/v1/satisfaction/{kind}/{scope_id}": {"GET": 404},
        "/v1/satisfaction/{kind}/{scope_id}/history": {"GET": 404},
        "/v1/satisfaction/{kind}/{scope_id}/children": {"GET": 404},
        "/v1/satisfaction/{kind}/{scope_id}/change": {"GET": 404},
        "/v1/satisfaction/units/{scope_id}/scales": {"GET": 404},
        "/v1/satisfaction/city/report.{extension}": {"GET": 422},
        "/v1/satisfaction/{kind}/{scope_id}/report.{extension}": {"GET": 404},
        "/v1/reports": {"POST": 202},
        "/v1/reports/{job_id}": {"GET": 422},
        "/v1/reports/{job_id}/file": {"GET": 422},
        "/v1/open-data": {"GET": 200},
        "/v1/open-data/{day}.jsonl": {"GET": 422},
        "/v1/live": {"GET": 422},
        "/v1/department/overview": {"GET": 401},
        "/v1/department/satisfaction/city": {"GET": 401},
        "/v1/department/satisfaction/city/history": {"GET": 401},
        "/v1/department/satisfaction/city/children": {"GET": 401},
        "/v1/department/satisfaction/{kind}/{scope_id}": {"GET": 401},
        "/v1/department/satisfaction/{kind}/{scope_id}/history": {"GET": 401},
        "/v1/department/satisfaction/{kind}/{scope_id}/children": {"GET": 401},
    },
    "portal": {
        **PROBES,
        "/": {"GET": 200},
        "/gioi-thieu": {"GET": 200},
        "/rut-lai": {"GET": 200, "POST": 422},
        "/danh-gia": {"GET": 200},
        "/r/{code}": {"GET": 404},
        # Asks for a device's key.
        "/kiosk": {"GET": 200, "POST": 422},
        "/kiosk/gui": {"POST": 422},
        "/kiosk/khi-mat-mang": {"GET": 404},
        "/kiosk/worker.js": {"GET": 200},
        "/kiosk/thiet-bi": {"GET": 303, "POST": 303},
        "/danh-gia/tim-kiem": {"GET": 200},
        "/danh-gia/nhom/{group_id}": {"GET": 404},
        "/danh-gia/don-vi/{unit_id}": {"GET": 404},
        "/static/{name}": {"GET": 404},
        "/embed/{version}/hai-long-rating.js": {"GET": 404},
        "/favicon.ico": {"GET": 200},
        WALK: {"GET": 404, "POST": 404},
        f"{WALK}/ly-do": {"GET": 404, "POST": 404},
        f"{WALK}/cau-hoi-them": {"GET": 404, "POST": 404},
        f"{WALK}/ma-xac-thuc": {"GET": 404, "POST": 404},
        f"{WALK}/ma-xac-thuc/doi-ma": {"GET": 404, "POST": 404},
        f"{WALK}/ma-xac-thuc/tinh-toan": {"GET": 404},
        f"{WALK}/ma-xac-thuc/{{name}}": {"GET": 404},
        # Without a draft, back to the form.
        f"{WALK}/xu-ly": {"GET": 303, "POST": 303},
        f"{WALK}/ma-dien-thoai": {"GET": 303, "POST": 303},
        f"{WALK}/cam-on": {"GET": 303},
        f"{WALK}/da-dong": {"GET": 404},
        "/ket-qua": {"GET": 200},
        "/ket-qua/{table}.csv": {"GET": 404},
        "/ket-qua/{kind}/{place}/{table}.csv": {"GET": 404},
        "/ket-qua/nhom/{place}": {"GET": 404},
        "/ket-qua/don-vi/{place}": {"GET": 404},
        "/ket-qua/cong-chuc/{place}": {"GET": 404},
        # To the provider, and for its answer to an attempt of this browser.
        "/dang-nhap": {"GET": 303},
        "/dang-nhap/xong": {"GET": 400},
        "/dang-xuat": {"GET": 200, "POST": 303},
        # Whoever has not signed in is asked to.
        "/noi-bo": {"GET": 303},
        "/noi-bo/thanh-pho": {"GET": 303},
        "/noi-bo/nhom/{place}": {"GET": 303},
        "/noi-bo/don-vi/{place}": {"GET": 303},
        "/noi-bo/cong-chuc/{place}": {"GET": 303},
        "/office": {"GET": 303},
        "/office/actions": {"GET": 303},
        "/office/actions.csv": {"GET": 303},
        "/office/directory.csv": {"GET": 303},
        "/office/import": {"GET": 303, "POST": 303},
        "/office/import/apply": {"POST": 303},
        "/office/forms": {"GET": 303, "POST": 303},
        "/office/forms/runs/{first}": {"GET": 303},
        "/office/forms/runs/{first}/{number}.pdf": {"GET": 303},
        "/office/forms/entry": {"GET": 303, "POST": 303},
        "/office/forms/import": {"GET": 303, "POST": 303},
        "/office/forms/import/apply": {"POST": 303},
        "/office/units": {"GET": 303, "POST": 303},
        "/office/new-unit": {"GET": 303},
        "/office/units/{unit_id}": {"GET": 303},
        "/office/units/{unit_id}/rename": {"POST": 303},
        "/office/units/{unit_id}/merge": {"POST": 303},
        "/office/units/{unit_id}/reopen": {"POST": 303},
        "/office/units/{unit_id}/close": {"POST": 303},
        "/office/officers/{officer_id}": {"GET": 303},
        "/office/officers/{officer_id}/move": {"POST": 303},
        "/office/editions": {"GET": 303, "POST": 303},
        "/office/new-edition": {"GET": 303},
        "/office/editions/{edition_id}": {"GET": 303},
        "/office/editions/{edition_id}/close": {"POST": 303},
        "/noi-bo/{kind}/{place}/qr-{paper}.{format}": {"GET": 404},
    },
}


def _unsigned(**claims: object) -> str:
    parts = (json.dumps(part).encode() for part in ({"alg": "none", "typ": "at+jwt"}, claims))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")

FORGED = (
    "hl_draft=gAAAAABforged; hl_department=gAAAAABforged; hl_signin=gAAAAABforged; hl_lang=../../etc/passwd;"
    " session=admin"
)

ROLES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "anonymous": (),
    "a wrong token": (("Authorization", "Bearer wrong"), ("X-Api-Key", "wrong")),
    "an unsigned token": (
        ("Authorization", f"Bearer {_unsigned(sub='admin', exp=9999999999, hailong_departments=['*'])}"),
    ),
    "a default password": (("Authorization", "Basic YWRtaW46YWRtaW4="),),
    "forged headers": (
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Real-IP", "127.0.0.1"),
        ("Forwarded", "for=127.0.0.1;host=localhost;proto=https"),
        ("X-Forwarded-Host", "localhost"),
        ("X-Forwarded-Prefix", "/metrics"),
        ("X-Original-URL", "/metrics"),
        ("X-Rewrite-URL", "/metrics"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-Remote-User", "admin"),
        ("X-Request-Id", NUMBER),
    ),
    "a forged host": (("Host", "elsewhere.example"),),
    "a forged cookie": (("Cookie", FORGED),),
    "another site's page": (("Origin", "https://elsewhere.example"), ("Sec-Fetch-Site", "cross-site")),
}


def expected(process: str, answers: Answers, method: str, role: str) -> int:
    """Where signing in is on. Nobody gets more than who comes with nothing; posts to the portal from another
    site get less."""
    if process == "portal" and role == "another site's page" and method not in ("GET", "HEAD", "OPTIONS"):
        return 403
    return answers.get(method, 405)
