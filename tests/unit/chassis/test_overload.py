"""What is past a process's capacity is refused at once, and nothing else suffers from it."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY

from chassis.http import create_app
from chassis.overload import LATE_SECONDS, RETRY_SECONDS, Capacity, Door, Full, Pulse
from chassis.readiness import Readiness
from chassis.tasks import Owned

CAPACITY = Capacity(reads=2, writes=3, waits=4, waiting=re.compile("/outcome$"))
DEADLINE = 5.0


class Office:
    """An application whose requests take until the door is opened."""

    def __init__(self) -> None:
        self.door = asyncio.Event()
        self.inside = 0
        self.app = self._application()
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://test")

    def _application(self) -> FastAPI:
        @asynccontextmanager
        async def lifespan(app: FastAPI, readiness: Readiness, owned: Owned) -> AsyncIterator[None]:
            yield

        app = create_app(title="Office", description="", lifespan=lifespan, capacity=CAPACITY)

        async def serve() -> dict[str, str]:
            self.inside += 1
            await self.door.wait()
            return {}

        app.get("/page")(serve)
        app.get("/outcome")(serve)
        app.post("/page")(serve)

        @app.post("/broken")
        async def broken() -> None:
            raise RuntimeError("of ours")

        return app

    async def fill(self, method: str, path: str, count: int) -> "list[asyncio.Task[httpx.Response]]":
        """So many requests under way."""
        wanted = self.inside + count
        tasks = [asyncio.create_task(self.http.request(method, path)) for _ in range(count)]
        async with asyncio.timeout(DEADLINE):
            while self.inside < wanted:
                await asyncio.sleep(0)
        return tasks

    async def ask(self, method: str, path: str, **headers: str) -> httpx.Response:
        async with asyncio.timeout(DEADLINE):
            return await self.http.request(method, path, headers=headers)


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    office = Office()
    yield office
    office.door.set()
    await office.http.aclose()


def shed(kind: str) -> float:
    return REGISTRY.get_sample_value("http_requests_shed_total", {"kind": kind}) or 0.0


@pytest.mark.parametrize(
    ("method", "path", "kind", "places"),
    [("GET", "/page", "reads", 2), ("POST", "/page", "writes", 3), ("GET", "/outcome", "waits", 4)],
)
async def test_each_kind_has_its_places_and_what_is_past_them_is_refused(
    office: Office, method: str, path: str, kind: str, places: int
) -> None:
    before = shed(kind)
    inside = await office.fill(method, path, places)
    refused = await office.ask(method, path)
    assert refused.status_code == 503
    assert shed(kind) == before + 1
    office.door.set()
    assert [answer.status_code for answer in await asyncio.gather(*inside)] == [200] * places


@pytest.mark.parametrize(
    ("language", "said"), [("vi", "Hệ thống đang quá tải"), ("en", "Too many requests at the moment")]
)
async def test_a_refusal_says_when_to_come_back_in_the_language_of_the_caller(
    office: Office, language: str, said: str
) -> None:
    await office.fill("POST", "/page", 3)
    refused = await office.ask("POST", "/page", **{"Accept-Language": language})
    body = refused.json()
    assert refused.headers["content-type"] == "application/problem+json"
    assert (body["type"], body["title"]) == ("urn:hailong:problem:overloaded", said)
    assert RETRY_SECONDS[0] <= int(refused.headers["retry-after"]) <= RETRY_SECONDS[1]
    assert str(body["retry_after"]) in body["detail"]


async def test_a_browser_is_refused_with_a_page(office: Office) -> None:
    await office.fill("GET", "/page", 2)
    refused = await office.ask("GET", "/page", **{"Accept": "text/html,*/*;q=0.8", "Accept-Language": "vi"})
    assert refused.headers["content-type"] == "text/html; charset=utf-8"
    assert '<html lang="vi">' in refused.text
    assert "<h1>Hệ thống đang quá tải</h1>" in refused.text
    assert f"sau {refused.headers['retry-after']} giây" in refused.text
    assert "style" not in refused.text, "a page's policy lets nothing inline through"


async def test_full_of_writes_reads_go_on(office: Office) -> None:
    await office.fill("POST", "/page", 3)
    await office.fill("GET", "/page", 2)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_probes_are_never_refused(office: Office, path: str) -> None:
    await office.fill("GET", "/page", 2)
    assert (await office.ask("GET", path)).status_code == 200


async def test_a_late_event_loop_gives_fewer_places() -> None:
    pulse = Pulse()
    door = Door(Capacity(writes=16), (), pulse)
    for _ in range(2):
        door.enter("POST", "/page")
    beating = asyncio.create_task(pulse.run())
    await asyncio.sleep(0)
    time.sleep(2 * LATE_SECONDS)  # noqa: ASYNC251  what nobody should do
    with pytest.raises(Full):
        door.enter("POST", "/page")
    async with asyncio.timeout(DEADLINE):
        while pulse.late:
            await asyncio.sleep(0.01)
    assert door.enter("POST", "/page") == "writes"
    beating.cancel()


async def test_the_pulse_beats_seldom_until_somebody_asks_for_something() -> None:
    pulse = Pulse()
    door = Door(Capacity(), ("/healthz",), pulse)
    beating = asyncio.create_task(pulse.run())

    async def beats() -> float:
        before = REGISTRY.get_sample_value("event_loop_lag_seconds_count") or 0.0
        await asyncio.sleep(0.5)
        return (REGISTRY.get_sample_value("event_loop_lag_seconds_count") or 0.0) - before

    door.enter("GET", "/healthz")
    assert await beats() <= 2
    door.enter("GET", "/page")
    assert await beats() > 3
    beating.cancel()


async def test_a_place_is_free_again_after_an_answer_and_after_a_failure(office: Office) -> None:
    office.door.set()
    for _ in range(10):
        assert (await office.ask("POST", "/page")).status_code == 200
        assert (await office.ask("POST", "/broken")).status_code == 500


async def test_a_place_is_free_again_after_a_caller_went_away(office: Office) -> None:
    for task in await office.fill("POST", "/page", 3):
        task.cancel()
    await asyncio.sleep(0)
    await office.fill("POST", "/page", 3)
