"""Which pages of other sites an API answers in a browser."""

from collections.abc import AsyncIterator

import httpx
import pytest
from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from chassis.pages_elsewhere import Origins, answering

PORTAL, ELSEWHERE = "https://congdan.example", "https://elsewhere.example"


async def _kept(_: Request) -> Response:
    return PlainTextResponse("kept", 202, {"Retry-After": "5", "Set-Cookie": "a=b"})


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = answering(Starlette(routes=[Route("/v1/ratings", _kept, methods=["POST"])]), (PORTAL,))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://intake") as client:
        yield client


async def asked(client: httpx.AsyncClient, origin: str) -> httpx.Response:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,idempotency-key",
    }
    return await client.options("/v1/ratings", headers=headers)


async def test_a_page_of_a_named_origin_may_post_without_its_readers_cookies(
    client: httpx.AsyncClient,
) -> None:
    before = await asked(client, PORTAL)
    assert before.status_code == 200
    assert "Idempotency-Key" in before.headers["access-control-allow-headers"]
    answer = await client.post("/v1/ratings", headers={"Origin": PORTAL})
    assert answer.headers["access-control-allow-origin"] == PORTAL
    assert "Retry-After" in answer.headers["access-control-expose-headers"]
    for each in (before, answer):
        assert "access-control-allow-credentials" not in each.headers


@pytest.mark.parametrize("origin", [ELSEWHERE, "null", "http://congdan.example", f"{PORTAL}.evil.example"])
async def test_a_page_of_another_may_not(client: httpx.AsyncClient, origin: str) -> None:
    before = await asked(client, origin)
    assert before.status_code == 400
    assert "access-control-allow-origin" not in before.headers
    answer = await client.post("/v1/ratings", headers={"Origin": origin})
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "said", ["*", "https://*.example", "congdan.example", f"{PORTAL}/", "null", "ftp://a"]
)
def test_what_is_no_origin_is_refused_at_the_start(said: str) -> None:
    with pytest.raises(ValidationError, match="is no origin"):
        TypeAdapter(Origins).validate_python(f"{PORTAL}, {said}")
