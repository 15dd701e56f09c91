"""A rating that goes straight to its use case is answered as FastAPI's own way answers it."""

import json
from typing import Any

import httpx
import pytest

from tests.unit.intake.test_api import BODY, client, intake

__all__ = ["client", "intake"]
STRAIGHT, USUAL = "application/json", "application/vnd.hailong+json"
"""Both are JSON to FastAPI; only the first is looked at before it."""


def _json(**changes: Any) -> bytes:
    return json.dumps(BODY | changes).encode()


BODIES = [
    _json(),
    _json(phone="+84 905 123 456", reasons=["attitude"]),
    _json(consent="true"),
    _json(consent=False, answer=""),
    _json(answer=None),
    _json(extra=1),
    _json(challenge={"id": "token", "answer": "2\u0000"}),
    _json(reasons="late"),
    _json(officer_id="o" * 201, phone="1"),
    _json(edition_id="\ud800"),
    _json(channel="kiosk"),
    b'{"consent": false, ' + _json()[1:],
    json.dumps(BODY).encode("utf-16"),
    b"\xef\xbb\xbf" + _json(),
    _json(answer=float("nan")),
    _json()[:-1],
    b"[1]",
    b"null",
    b"",
    b"[" * 300 + b"]" * 300,
    b"\xff",
]


async def _answer(client: httpx.AsyncClient, content: bytes, kind: str, key: str = "k" * 16) -> Any:
    headers = {"Content-Type": kind, "Idempotency-Key": key, "Accept-Language": "en"}
    answer = await client.post("/v1/ratings", content=content, headers=headers)
    said = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    return answer.status_code, answer.json(), said


@pytest.mark.parametrize("content", BODIES)
async def test_every_body_is_answered_alike(client: httpx.AsyncClient, content: bytes) -> None:
    assert await _answer(client, content, STRAIGHT) == await _answer(client, content, USUAL)


@pytest.mark.parametrize("key", ["", "short", "k" * 256])
async def test_a_key_that_is_none_is_refused_alike(client: httpx.AsyncClient, key: str) -> None:
    assert await _answer(client, _json(), STRAIGHT, key) == await _answer(client, _json(), USUAL, key)
    assert (await _answer(client, _json(), STRAIGHT, key))[0] != 202
