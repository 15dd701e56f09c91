"""How a process starts, says whether it is ready, logs, fails and stops: seen from outside."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.http_process import HttpProcess
from deploy.local.layout import CHECKOUT
from deploy.local.ports import HOST, free_ports
from deploy.local.process import Process
from tests.support.leaks import spellings
from tests.unit.chassis.process import PLACES

ENDS_SECONDS = 10.0
PHONE = "0905123456"
REQUEST_ID = "6f1f0c0e-aaaa-4bbb-8ccc-01234abcdeab"


class Obedient:
    """tests/unit/chassis/process.py, running."""

    def __init__(self, process: Process, http: httpx.AsyncClient, operations: httpx.AsyncClient) -> None:
        self.process = process
        self.http = http
        self.operations = operations

    async def exit_code(self) -> int:
        async with asyncio.timeout(ENDS_SECONDS):
            return await self.process.wait()

    def logged(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.process.log.read_text().splitlines()]

    async def has_logged(self, event: str) -> None:
        async with asyncio.timeout(ENDS_SECONDS):
            while event not in self.process.log.read_text():
                await asyncio.sleep(0.01)


def process(folder: Path, port: int, operations: int, *how: str) -> Process:
    command = (sys.executable, "-m", "tests.unit.chassis.process", str(port), str(operations), *how)
    return Process("obedient", command, folder / "obedient.log", os.environ, directory=CHECKOUT)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Obedient]:
    port, operations = free_ports(2)
    child = HttpProcess(process(folder, port, operations), operations)
    await child.start()
    try:
        async with (
            httpx.AsyncClient(base_url=f"http://{HOST}:{port}") as http,
            httpx.AsyncClient(base_url=child.url) as operating,
        ):
            yield Obedient(child.process, http, operating)
    finally:
        await child.process.kill()


@pytest.fixture
async def obedient(tmp_path: Path) -> AsyncIterator[Obedient]:
    async with running(tmp_path) as started:
        yield started


@pytest.mark.parametrize("work", ["raising", "returning"])
async def test_a_background_task_that_fails_or_ends_stops_the_process_with_1(
    obedient: Obedient, work: str
) -> None:
    await obedient.http.post(f"/start/{work}")
    assert await obedient.exit_code() == 1
    [critical] = [entry for entry in obedient.logged() if entry["level"] == "critical"]
    assert critical["task"] == work
    assert {"raising": "LookupError", "returning": "ended although"}[work] in critical["exception"]
    assert obedient.logged()[-1]["event"] != "task failed, stopping the process", "it drains before it exits"
    assert "closed" in {entry["event"] for entry in obedient.logged()}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_what_is_being_answered_finish_and_exits_with_0(
    obedient: Obedient, number: signal.Signals
) -> None:
    answering = asyncio.create_task(obedient.http.post(f"/slow/{PHONE}"))
    await obedient.has_logged("slow request begun")
    os.kill(obedient.process.pid, number)
    assert (await answering).json() == {"status": "done"}
    assert await obedient.exit_code() == 0
    events = [entry["event"] for entry in obedient.logged()]
    assert events.index("task cancelled") < events.index("closed")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_a_process_that_still_waits_to_start(
    tmp_path: Path, number: signal.Signals
) -> None:
    port, operations = free_ports(2)
    child = process(tmp_path, port, operations, "waits")
    await child.start()
    try:
        async with asyncio.timeout(ENDS_SECONDS):
            while "waiting to start" not in child.log.read_text():
                await asyncio.sleep(0.01)
            os.kill(child.pid, number)
            assert await child.wait() == 0
        assert "task cancelled" in child.log.read_text()
    finally:
        await child.kill()


@pytest.mark.parametrize("of", ["public", "operations"])
async def test_a_taken_port_is_an_error(tmp_path: Path, of: str) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen(1)
        both = [taken.getsockname()[1], *free_ports(1)]
        child = process(tmp_path, *(both if of == "public" else reversed(both)))
        await child.start()
        async with asyncio.timeout(ENDS_SECONDS):
            assert await child.wait() > 0
    assert "already in use" in child.log.read_text()


async def test_it_is_ready_while_it_has_all_that_it_requires(obedient: Obedient) -> None:
    async def readyz() -> tuple[int, Any]:
        answer = await obedient.operations.get("/readyz")
        return answer.status_code, answer.json()

    listener = {"listener": {"ok": True, "detail": "ok"}}
    assert await readyz() == (200, {"status": "ready", "checks": listener})
    await obedient.http.post("/checks/kafka", params={"ok": False})
    assert await readyz() == (
        503,
        {"status": "not ready", "checks": {**listener, "kafka": {"ok": False, "detail": "away"}}},
    )
    public = await obedient.http.get("/readyz")
    assert (public.status_code, public.json()) == (503, {"status": "not ready"}), "and nothing of why"
    for each in (obedient.http, obedient.operations):
        assert (await each.get("/healthz")).json() == {"status": "ok"}, "alive all the same"
    await obedient.http.post("/checks/kafka", params={"ok": True})
    await obedient.http.post("/checks/sms", params={"ok": False, "required": False})
    status, body = await readyz()
    assert (status, body["checks"]["sms"]["ok"]) == (200, False)


async def test_logs_are_json_lines_without_paths_queries_or_bodies(obedient: Obedient) -> None:
    http = obedient.http
    await http.post(
        f"/slow/{PHONE}?code={PHONE}", json={"phone": PHONE}, headers={"X-Request-Id": REQUEST_ID}
    )
    await http.get(f"/nowhere/{PHONE}?code={PHONE}")
    await http.post(f"/checks/{PHONE}?ok={PHONE}")
    metrics = (await obedient.operations.get("/metrics")).text
    requests = [entry for entry in obedient.logged() if entry["event"] == "request"]
    assert [(entry["route"], entry["status"]) for entry in requests] == [
        ("/slow/{phone}", 200),
        ("unmatched", 404),
        ("/checks/{name}", 422),
    ]
    assert requests[0]["request_id"] == REQUEST_ID
    begun = next(entry for entry in obedient.logged() if entry["event"] == "slow request begun")
    assert begun["request_id"] == REQUEST_ID, "what is logged while answering belongs to the request"
    assert all(entry["service"] == "obedient" and entry["timestamp"] for entry in obedient.logged())
    assert 'route="/slow/{phone}",status="200"' in metrics
    assert PHONE not in obedient.process.log.read_text() + metrics


async def test_what_an_error_quotes_of_a_request_is_not_logged(obedient: Obedient) -> None:
    answer = await obedient.http.post(f"/broken/{PHONE}", json={"phone": PHONE})
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:hailong:problem:internal")
    logged = {entry["logger"]: entry for entry in obedient.logged() if entry["level"] == "error"}
    assert logged["chassis.request_log"]["error"] == "ValueError"
    assert "process.py" in logged["chassis.request_log"]["where"][-1]
    assert "cannot read [number]" in logged["asyncio"]["exception"], "nor what a library says of it"
    seen = obedient.process.log.read_bytes() + answer.content
    assert [needle for needle in spellings(PHONE) if needle in seen] == []


async def test_what_finds_no_place_is_refused_before_its_body_is_read_and_the_connection_goes_on(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as obedient:
        inside = [asyncio.create_task(obedient.http.post(f"/slow/{n}")) for n in range(PLACES)]
        async with asyncio.timeout(ENDS_SECONDS):
            while obedient.process.log.read_text().count("slow request begun") < PLACES:
                await asyncio.sleep(0.01)
        reader, writer = await asyncio.open_connection(HOST, obedient.http.base_url.port)
        head = b"POST /slow/5 HTTP/1.1\r\nHost: t\r\nAccept-Language: en\r\nContent-Length: 5\r\n\r\n"
        writer.write(head)
        async with asyncio.timeout(ENDS_SECONDS):
            refused = (await reader.readuntil(b"\r\n\r\n")).decode()
            body = json.loads(await reader.readexactly(int(refused.split("content-length: ")[1].split()[0])))
        assert refused.startswith("HTTP/1.1 503 ")
        assert "content-type: application/problem+json" in refused
        assert f"retry-after: {body['retry_after']}" in refused
        assert body["title"] == "Too many requests at the moment"
        writer.write(b"12345GET /healthz HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
        async with asyncio.timeout(ENDS_SECONDS):
            assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
        writer.close()
        assert (await obedient.operations.get("/readyz")).status_code == 200
        assert [(await task).status_code for task in inside] == [200] * PLACES
        assert (await obedient.http.post("/slow/6")).status_code == 200
        shown = (await obedient.operations.get("/metrics")).text
        assert 'http_requests_shed_total{kind="writes"} 1.0' in shown
        assert 'http_requests_under_way{kind="writes"} 0.0' in shown


async def test_who_asks_whether_to_go_on_is_refused_and_cut_off(tmp_path: Path) -> None:
    async with running(tmp_path) as obedient:
        inside = [asyncio.create_task(obedient.http.post(f"/slow/{n}")) for n in range(PLACES)]
        async with asyncio.timeout(ENDS_SECONDS):
            while obedient.process.log.read_text().count("slow request begun") < PLACES:
                await asyncio.sleep(0.01)
        reader, writer = await asyncio.open_connection(HOST, obedient.http.base_url.port)
        head = b"POST /slow/5 HTTP/1.1\r\nHost: t\r\nAccept: text/html\r\nContent-Length: 5\r\n"
        writer.write(head + b"Expect: 100-continue\r\n\r\n")
        async with asyncio.timeout(ENDS_SECONDS):
            refused = await reader.read()
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"connection: close" in refused
        assert "<h1>Hệ thống đang quá tải</h1>".encode() in refused
        writer.close()
        await asyncio.gather(*inside)
