"""HTTP by hand: what no client library would send, and every byte of the answer."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

SECONDS = 20.0
MOST_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` 0: the connection ended without one. `answers` is how many came."""

    status: int
    headers: dict[str, str]
    body: bytes
    answers: int

    @classmethod
    def of(cls, raw: bytes) -> Self:
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        fields = first.split(" ", 2)
        status = int(fields[1]) if len(fields) > 1 and fields[1].isdigit() else 0
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return cls(status, headers, body, raw.count(b"HTTP/1.1 "))


async def ask(
    port: int, method: str, target: str, headers: Iterable[tuple[str, str]] = (), *, host: str = "127.0.0.1"
) -> Answer:
    """One request without a body, on a connection of its own. Raises OSError, TimeoutError."""
    names = {name.lower() for name, _ in headers}
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    if "host" not in names:
        lines.append(f"Host: {host}:{port}")
    lines += ["Connection: close", "Content-Length: 0"]
    return await send(port, "\r\n".join((*lines, "", "")).encode("latin-1"), host=host)


async def send(port: int, request: bytes, *, host: str = "127.0.0.1") -> Answer:
    """The answer to any bytes. Raises OSError, TimeoutError."""
    async with asyncio.timeout(SECONDS):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(request)
            return Answer.of(await _all(reader))
        finally:
            writer.close()


async def _all(reader: asyncio.StreamReader) -> bytes:
    """To the end, or until an answer that keeps its connection is whole."""
    found = b""
    while len(found) < MOST_BYTES:
        try:
            more = await reader.read(65536)
        except ConnectionResetError:  # what was sent beyond the refusal was never read
            return found
        found += more
        head, separator, body = found.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")),
            None,
        )
        if not more or (separator and b"connection: keep-alive" in head.lower() and len(body) == length):
            break
    return found
