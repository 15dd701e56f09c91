"""HTTP/1.1 for a client that must cost little: requests made beforehand, just enough of the answers read."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast


@dataclass(frozen=True, slots=True)
class Answer:
    """`seconds` from handing the request to the kernel until the answer was read. `status` 0: the connection
    broke, and `head` says how."""

    status: int
    seconds: float
    head: str = ""
    body: bytes = b""

    def header(self, name: str) -> str:
        """Empty where there is none. `name` in small letters."""
        for line in self.head.lower().split("\r\n"):
            if line.startswith(f"{name}:"):
                return line.partition(":")[2].strip()
        return ""


class Connection(asyncio.Protocol):
    """One request at a time. `done` is called with each answer, and the connection can be used again."""

    def __init__(self, done: "Callable[[Connection, Answer], None]") -> None:
        self._done = done
        self._transport: asyncio.Transport | None = None
        self._read = bytearray()
        self._sent: float | None = None

    @property
    def open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    @property
    def waited(self) -> float:
        """Seconds since the request that is under way was sent; 0 where none is."""
        return time.perf_counter() - self._sent if self._sent is not None else 0.0

    def send(self, request: bytes) -> None:
        if self._transport is None:
            raise RuntimeError("not connected")
        self._transport.write(request)
        self._sent = time.perf_counter()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # of a stream; uvloop's are of its own kind

    def data_received(self, data: bytes) -> None:
        self._read += data
        end = self._read.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._read[:end].decode("latin-1")
        body = end + 4
        length = int(Answer(0, 0, head).header("content-length") or 0)
        if len(self._read) < body + length:
            return
        answer = Answer(int(head[9:12]), self.waited, head, bytes(self._read[body : body + length]))
        self._read.clear()
        self._sent = None
        self._done(self, answer)

    def connection_lost(self, error: Exception | None) -> None:
        if self._sent is not None:
            waited, self._sent = self.waited, None
            self._done(self, Answer(0, waited, type(error).__name__ if error else "closed"))


def request_of(port: int, body: bytes, key: str, headers: Mapping[str, str]) -> bytes:
    head = (
        "POST /v1/ratings HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Content-Type: application/json",
        "Accept-Language: en",
        f"Idempotency-Key: {key}",
        *(f"{name}: {value}" for name, value in headers.items()),
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join((*head, "", "")).encode() + body
