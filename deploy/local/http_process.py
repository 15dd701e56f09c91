"""A process of ours that serves HTTP: ready when its operations say so."""

import asyncio

from deploy.local.ports import HOST
from deploy.local.process import Process, until_ready

READY_DEADLINE = 60.0


class HttpProcess:
    """`port` is where its operations are, on the loopback interface."""

    def __init__(self, process: Process, port: int) -> None:
        self.process = process
        self.port = port

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def start(self, deadline: float = READY_DEADLINE) -> float:
        """Return the seconds until it was ready. Raises StackError."""
        await self.process.start()
        return await until_ready(self.process, self._probe, deadline)

    async def _probe(self) -> str:
        try:
            status, body = await get(self.port, "/readyz")
        except (OSError, ValueError, asyncio.IncompleteReadError) as error:
            return str(error) or type(error).__name__
        return "" if status == 200 else f"/readyz answers {status}: {body[:300]}"


async def get(port: int, path: str) -> tuple[int, str]:
    """Status and body of a GET on the loopback interface. Raises OSError, or ValueError for what is no HTTP.

    By hand: an HTTP client library would be the larger part of the supervisor's memory.
    """
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\n\r\n".encode())
        answer = (await reader.read()).decode("utf-8", "replace")
    finally:
        writer.close()
    head, _, body = answer.partition("\r\n\r\n")
    fields = head.split(maxsplit=2)
    if len(fields) < 2 or not fields[0].startswith("HTTP/") or not fields[1].isdigit():
        raise ValueError("no HTTP answer")
    return int(fields[1]), body.strip()
