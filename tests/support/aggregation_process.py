"""Aggregation's processes, and what they stream."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

DEADLINE = 90.0  # long: these machines are slow at times, and a wait that ends early costs nothing
ROOT = Path(__file__).parents[2]


async def until(what: Callable[[], Awaitable[bool]], *, seconds: float = DEADLINE, why: str) -> float:
    """Wait for a condition; returns the seconds it took."""
    begun = time.monotonic()
    while not await what():
        assert time.monotonic() - begun < seconds, f"not within {seconds} s: {why}"
        await asyncio.sleep(0.02)
    return time.monotonic() - begun


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Process:
    """`python -m services.aggregation <command>`, or another module that offers its commands."""

    command: str
    environment: dict[str, str]
    log: Path
    module: str = "services.aggregation"
    port: int = field(default_factory=free_port)
    operations_port: int = field(default_factory=free_port)
    running: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def operations_url(self) -> str:
        return f"http://127.0.0.1:{self.operations_port}"

    async def start(self) -> "Process":
        number = {
            "AGGREGATION_PORT": str(self.port),
            "AGGREGATION_OPERATIONS_PORT": str(self.operations_port),
            "AGGREGATION_WORKER_OPERATIONS_PORT": str(self.operations_port),
        }
        with self.log.open("ab") as log:
            self.running = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", self.module, self.command),
                env={**os.environ, **self.environment, **number},
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )
        return self

    async def ready(self) -> "Process":
        try:
            await until(self.is_ready, why=f"{self.command} ready")
        except AssertionError as error:
            raise AssertionError(f"{await self.checks()}\n{self.log.read_text()[-2000:]}") from error
        return self

    async def is_ready(self) -> bool:
        assert self.running is None or self.running.returncode is None, "it ended"
        return (await self.checks())[0] == 200

    async def checks(self) -> tuple[int, dict[str, Any]]:
        try:
            async with httpx.AsyncClient() as client:
                response = await client.get(f"{self.operations_url}/readyz")
        except httpx.TransportError:
            return 0, {}
        return response.status_code, response.json()["checks"]

    async def ended(self, seconds: float = DEADLINE) -> int:
        assert self.running is not None
        return await asyncio.wait_for(self.running.wait(), seconds)

    async def kill(self) -> None:
        if self.running is not None and self.running.returncode is None:
            self.running.kill()
            await self.running.wait()

    async def leave(self) -> None:
        if self.running is not None and self.running.returncode is None:
            self.running.send_signal(signal.SIGCONT)
            self.running.terminate()
            try:
                await self.ended(8)
            except TimeoutError:
                await self.kill()

    async def terminate(self) -> tuple[int, float]:
        """SIGTERM; the exit code and how long it took."""
        assert self.running is not None
        begun = time.monotonic()
        self.running.terminate()
        return await self.ended(), time.monotonic() - begun


@dataclass
class Event:
    event: str
    id: int
    document: dict[str, Any]


@asynccontextmanager
async def live(url: str, *, after: int | None = None) -> AsyncIterator[AsyncIterator[Event]]:
    """A live stream's events."""
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    timeout = httpx.Timeout(DEADLINE)
    async with (
        httpx.AsyncClient(timeout=timeout) as client,
        client.stream("GET", url, headers=headers) as response,
    ):
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield _events(response)


async def _events(response: httpx.Response) -> AsyncIterator[Event]:
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
            continue
        if "data" in fields:
            yield Event(fields["event"], int(fields["id"]), json.loads(fields["data"]))
        fields = {}
