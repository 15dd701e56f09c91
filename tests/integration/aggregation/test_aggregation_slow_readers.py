"""Readers of the live stream that take nothing: dropped in time, and nobody else's trouble."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.support.aggregation import Stage
from tests.support.aggregation_process import Process, live, until
from tests.support.outcomes import accepted

pytestmark = pytest.mark.any_servers

SLOW_SECONDS = 3.0
IDLE_READERS = 24
OFFICERS = 19  # with the city, as many scopes as a stream may have
OWN_FILES = 12  # of the one who reads, of the database's pool, and of the caller of /metrics
MOST_HELD = 0.5  # MiB of the server's own for one reader; what the kernel holds for it is bounded too


@dataclass
class IdleReader:
    """Asks for a stream, and reads nothing of it."""

    connection: socket.socket

    @classmethod
    async def ask(cls, api: Process, path: str) -> "IdleReader":
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(connection, ("127.0.0.1", api.port))
        await loop.sock_sendall(connection, f"GET {path} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
        return cls(connection)

    def close(self) -> None:
        self.connection.close()


def private_mib(api: Process) -> float:
    assert api.running is not None
    status = Path(f"/proc/{api.running.pid}/status").read_text()
    found = re.search(r"RssAnon:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


def open_files(api: Process) -> int:
    assert api.running is not None
    return len(list(Path(f"/proc/{api.running.pid}/fd").iterdir()))


async def measured(api: Process, name: str) -> float:
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{api.operations_url}/metrics")).text
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


@asynccontextmanager
async def ratings(stage: Stage, officers: list[str]) -> AsyncIterator[None]:
    """All of these officers' figures change again and again."""

    async def rate() -> None:
        while True:
            await stage.send([accepted(officer) for officer in officers])
            await asyncio.sleep(0.05)

    rating = asyncio.create_task(rate())
    try:
        yield
    finally:
        rating.cancel()
        await asyncio.wait({rating})


async def test_readers_that_take_nothing_are_dropped_and_hold_no_memory_and_others_go_on(
    stage: Stage,
) -> None:
    officers = [f"u.{uuid4()}" for _ in range(OFFICERS)]
    await stage.send([accepted(officer) for officer in officers])
    await stage.worker()
    await stage.counts(OFFICERS)
    api = await stage.api(AGGREGATION_LIVE_SLOW_SECONDS=str(SLOW_SECONDS))
    query = "/v1/live?scope=city&" + "&".join(f"scope=officer:{officer}" for officer in officers)
    files = open_files(api)
    async with live(f"{api.url}/v1/live?scope=city") as reading, ratings(stage, officers):
        before = private_mib(api)
        idle = [await IdleReader.ask(api, query) for _ in range(IDLE_READERS)]
        try:
            most, seen = before, 0

            async def all_there() -> bool:
                return await measured(api, "aggregation_live_clients") == IDLE_READERS + 1

            await until(all_there, why="all streams open")

            async def all_cut() -> bool:
                nonlocal most, seen
                seen = (await anext(reading)).document["total"]
                most = max(most, private_mib(api))
                return open_files(api) <= files + OWN_FILES

            await until(all_cut, seconds=60, why="every idle reader's connection closed by the server")
            assert await measured(api, "aggregation_live_clients") == 1
            assert most - before < IDLE_READERS * MOST_HELD
            assert (await anext(reading)).document["total"] > seen, "others go on"
        finally:
            for reader in idle:
                reader.close()


async def test_a_reader_that_was_dropped_comes_back_to_the_newest_figures(stage: Stage) -> None:
    officers = [f"u.{uuid4()}" for _ in range(OFFICERS)]
    await stage.send([accepted(officer) for officer in officers])
    await stage.worker()
    await stage.counts(OFFICERS)
    api = await stage.api(AGGREGATION_LIVE_SLOW_SECONDS=str(SLOW_SECONDS))
    query = "/v1/live?" + "&".join(f"scope=officer:{officer}" for officer in officers)
    async with live(api.url + query) as events:
        last = [await anext(events) for _ in officers][-1].id
    async with ratings(stage, officers):
        idle = await IdleReader.ask(api, f"{query}&last_event_id={last}")

        async def there() -> bool:
            return await measured(api, "aggregation_live_clients") == 1

        async def dropped() -> bool:
            return await measured(api, "aggregation_live_clients") == 0

        await until(there, why="its stream open")
        await until(dropped, seconds=60, why="the idle reader dropped")
        idle.close()
    total = await stage.total()
    async with live(api.url + query, after=last) as events, asyncio.timeout(30):
        newest: dict[str, int] = {}
        while sum(newest.values()) < total:
            event = await anext(events)
            assert event.event == "figures"
            newest[event.document["scope"]["id"]] = event.document["total"]
            total = await stage.total()
    assert sum(newest.values()) == total


async def test_a_quiet_stream_shows_that_it_lives(stage: Stage) -> None:
    api = await stage.api(AGGREGATION_LIVE_HEARTBEAT_SECONDS="0.2")
    async with (
        httpx.AsyncClient(timeout=20) as client,
        client.stream("GET", f"{api.url}/v1/live?scope=city") as response,
    ):
        beats = 0
        async for line in response.aiter_lines():
            beats += line == ": heartbeat"
            if beats == 3:
                break
    assert beats == 3
