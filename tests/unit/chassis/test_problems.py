"""Errors are problem details in the caller's language, whoever found the error."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.unit.chassis.apps import BODY_LIMIT, application, client


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with client(application()) as connected:
        connected.headers["Content-Type"] = "application/json"
        yield connected


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        (None, "vi"),
        ("", "vi"),
        ("*", "vi"),
        ("fr, de;q=0.8", "vi"),
        ("en", "en"),
        ("EN-gb", "en"),
        ("vi-VN,vi;q=0.9,en;q=0.8", "vi"),
        ("en-US,en;q=0.9,vi;q=0.8", "en"),
        ("vi;q=0.2, en;q=0.7", "en"),
        ("fr;q=1, en; q=0.5", "en"),
        ("en;q=0", "vi"),
        ("en;q=nonsense, vi", "vi"),
        (",;=,;q=", "vi"),
        ("en;q=nan", "vi"),
    ],
)
async def test_the_language_is_the_one_the_caller_prefers(
    http: httpx.AsyncClient, asked: str | None, language: str
) -> None:
    headers = {} if asked is None else {"Accept-Language": asked}
    answer = await http.get("/busy", headers=headers)
    assert answer.headers["content-language"] == language
    assert answer.json()["title"] == {"vi": "Đang bận", "en": "Busy"}[language]
    assert answer.headers["vary"] == "Accept-Language"


async def test_a_problem_says_what_happened_what_to_do_and_when_to_come_back(http: httpx.AsyncClient) -> None:
    answer = await http.get("/busy")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "type": "urn:hailong:problem:busy",
        "title": "Đang bận",
        "status": 503,
        "detail": "Thử lại sau 7 giây.",
        "errors": [{"pointer": "/text", "code": "too_long", "detail": "Dài quá 3 ký tự."}],
        "retry_after": 7,
    }


async def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, body["status"], body["type"]) == (
        status,
        status,
        f"urn:hailong:problem:{code}",
    )
    assert body["title"]
    assert body["detail"]
    return body


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_what_the_framework_refuses_is_a_problem_too(http: httpx.AsyncClient, language: str) -> None:
    http.headers["Accept-Language"] = language
    texts = [
        await problem(await http.get("/nowhere"), 404, "not_found"),
        await problem(await http.delete("/busy"), 405, "method_not_allowed"),
        await problem(await http.get("/broken"), 500, "internal"),
        await problem(await http.post("/notes/1", content=b"{"), 422, "validation_failed"),
        await problem(await http.post("/notes/1", content=b"x" * 200), 413, "too_large"),
    ]
    assert all(language in text["title"] or text["title"].isascii() == (language == "en") for text in texts)


async def test_each_field_that_is_wrong_is_named_by_its_pointer(http: httpx.AsyncClient) -> None:
    answer = await http.post("/notes/1", json={"stars": "many", "else": 1}, headers={"Accept-Language": "en"})
    body = await problem(answer, 422, "validation_failed")
    assert {(error["pointer"], error["code"]) for error in body["errors"]} == {
        ("/text", "missing"),
        ("/stars", "int_parsing"),
        ("/else", "extra_forbidden"),
    }
    assert "many" not in answer.text, "what was entered is not repeated"
    answer = await http.post("/notes/1", json={"text": "a", "0905123456": "a"})
    body = await problem(answer, 422, "validation_failed")
    assert [error["pointer"] for error in body["errors"]] == ["/…"], "nor what a field was called"


async def test_a_body_at_the_limit_is_taken_and_a_larger_one_is_not(http: httpx.AsyncClient) -> None:
    frame = len('{"text":""}')
    fits = '{"text":"%s"}' % ("x" * (BODY_LIMIT - frame))
    over = '{"text":"%s"}' % ("x" * (BODY_LIMIT - frame + 1))
    assert (await http.post("/notes/1", content=fits)).status_code == 200
    await problem(await http.post("/notes/1", content=over), 413, "too_large")


async def test_a_body_that_does_not_say_its_size_is_cut_off_at_the_limit(http: httpx.AsyncClient) -> None:
    handed_over = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal handed_over
        for _ in range(1000):
            handed_over += 10
            yield b" " * 10

    answer = await http.post("/notes/1", content=endless())
    assert "content-length" not in answer.request.headers
    await problem(answer, 413, "too_large")


SPELT = ("{}", "aaaaaaaa-aaaa-4aaa-8aaa-aa{}", "aaaaaaaa-aaaa-4aaa-8a09-05123456aaaa")


async def test_a_request_is_known_by_its_id(http: httpx.AsyncClient) -> None:
    good = "6f1f0c0e-aaaa-4bbb-8ccc-01234abcdeab"
    assert (await http.get("/healthz", headers={"X-Request-Id": good})).headers["x-request-id"] == good
    for bad in ("a" * 65, "a" * 15, "a b", "<script>", *(each.format("0905123456") for each in SPELT)):
        made = (await http.get("/healthz", headers={"X-Request-Id": bad})).headers["x-request-id"]
        assert made != bad
        assert len(made) == 36
    assert "x-request-id" in (await http.get("/broken")).headers
