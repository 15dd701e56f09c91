"""A portal's own backend in front of the survey: the key stays here, browsers meet one address alone.

    INTAKE=https://… VERIFICATION=https://… HAI_LONG_KEY_FILE=portal.key uvicorn backend:app

Needs starlette, httpx and an ASGI server. Mount `app` where the element's `intake` points.
"""

import os
import re
import secrets
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

VISIT = "hai_long_visit"
WORD = r"[A-Za-z0-9_.~=-]+"
OF_VERIFICATION = re.compile(
    rf"v1/(challenges(/{WORD}/(image\.png|audio-(vi|en)\.wav))?|ratings/{WORD}/outcome)"
)
OF_INTAKE = re.compile(
    rf"v1/(edition|directory(/(groups|units|officers)/{WORD})?|ratings(/{WORD}/phone-code)?)"
)
ASKED = ("accept-language", "content-type", "idempotency-key")
ANSWERED = ("cache-control", "content-language", "content-type", "retry-after")
MOST_BYTES = 16 * 1024
KEY = Path(os.environ["HAI_LONG_KEY_FILE"]).read_text().strip()
http = httpx.AsyncClient(timeout=30)


async def forward(request: Request) -> Response:
    """Only what the element asks for, and nothing of the portal's own session."""
    path: str = request.path_params["path"]
    verification = OF_VERIFICATION.fullmatch(path)
    if ".." in path or not (verification or OF_INTAKE.fullmatch(path)):
        return Response(status_code=404)
    if int(request.headers.get("content-length", "0")) > MOST_BYTES:
        return Response(status_code=413)
    headers = {name: request.headers[name] for name in ASKED if name in request.headers}
    visit = request.cookies.get(VISIT) or secrets.token_urlsafe(24)
    if not verification and request.method == "POST":
        address = request.client.host if request.client else ""
        headers |= {
            "Authorization": f"Bearer {KEY}",
            "Hailong-Session": visit,
            "X-Forwarded-For": address,
        }
    base = os.environ["VERIFICATION" if verification else "INTAKE"].rstrip("/")
    try:
        answer = await http.request(
            request.method,
            f"{base}/{path}",
            params=request.query_params,
            headers=headers,
            content=await request.body(),
        )
    except httpx.HTTPError:
        return Response(status_code=503, headers={"Retry-After": "2"})
    told = {name: answer.headers[name] for name in ANSWERED if name in answer.headers}
    response = Response(answer.content, answer.status_code, told)
    response.set_cookie(VISIT, visit, httponly=True, samesite="strict", secure=request.url.scheme == "https")
    return response


app = Starlette(routes=[Route("/{path:path}", forward, methods=["GET", "POST"])])
