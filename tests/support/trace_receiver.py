"""A receiver of traces, OTLP/HTTP with protobuf, as a process of its own; and what it was sent.

python -m tests.support.trace_receiver PORT FILE [hangs]
"""

import asyncio
import base64
import gzip
import json
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from deploy.local.layout import CHECKOUT
from deploy.local.ports import HOST, free_ports
from deploy.local.process import Process

ARRIVES_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Span:
    """`links` are trace ids with span ids."""

    process: str
    name: str
    trace: str
    id: str
    parent: str
    kind: str
    attributes: dict[str, str]
    links: tuple[tuple[str, str], ...]
    failed: bool


class Receiver:
    def __init__(self, url: str, file: Path, process: Process) -> None:
        self.url = url
        self.file = file
        self.process = process

    def everything(self) -> bytes:
        """All that was received, as text."""
        return self.file.read_bytes() if self.file.exists() else b""

    def spans(self) -> list[Span]:
        return [span for line in self.everything().splitlines() for span in _spans(json.loads(line))]

    async def until(self, found: Callable[[list[Span]], bool]) -> list[Span]:
        async with asyncio.timeout(ARRIVES_SECONDS):
            while not found(spans := self.spans()):
                await asyncio.sleep(0.1)
        return spans


@asynccontextmanager
async def receiver(folder: Path, *how: str) -> AsyncIterator[Receiver]:
    [port] = free_ports(1)
    file = folder / "traces.jsonl"
    command = (sys.executable, "-m", "tests.support.trace_receiver", str(port), str(file), *how)
    process = Process("traces", command, folder / "traces.log", os.environ, directory=CHECKOUT)
    await process.start()
    try:
        async with asyncio.timeout(ARRIVES_SECONDS):
            while True:
                try:
                    _, writer = await asyncio.open_connection(HOST, port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    break
        yield Receiver(f"http://{HOST}:{port}", file, process)
    finally:
        await process.stop()


def _spans(request: dict[str, Any]) -> Iterator[Span]:
    for resource in request.get("resourceSpans", ()):
        process = _attributes(resource["resource"])["service.name"]
        for span in (each for scope in resource["scopeSpans"] for each in scope["spans"]):
            yield Span(
                process,
                span["name"],
                _hex(span["traceId"]),
                _hex(span["spanId"]),
                _hex(span.get("parentSpanId", "")),
                span["kind"].removeprefix("SPAN_KIND_").lower(),
                _attributes(span),
                tuple((_hex(link["traceId"]), _hex(link["spanId"])) for link in span.get("links", ())),
                span.get("status", {}).get("code") == "STATUS_CODE_ERROR",
            )


def _hex(id_: str) -> str:
    return base64.b64decode(id_).hex()


def _attributes(of: dict[str, Any]) -> dict[str, str]:
    return {each["key"]: str(*each["value"].values()) for each in of.get("attributes", ())}


class _Handler(BaseHTTPRequestHandler):
    file: Path
    hangs: bool
    writing = threading.Lock()

    def do_POST(self) -> None:
        if self.hangs:
            threading.Event().wait()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if self.path != "/v1/traces" or self.headers["Content-Type"] != "application/x-protobuf":
            self.send_error(404)
            return
        request = MessageToDict(ExportTraceServiceRequest.FromString(body))
        with self.writing, self.file.open("a") as out:
            out.write(json.dumps(request, ensure_ascii=False) + "\n")
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


if __name__ == "__main__":
    _Handler.file, _Handler.hangs = Path(sys.argv[2]), "hangs" in sys.argv
    ThreadingHTTPServer((HOST, int(sys.argv[1])), _Handler).serve_forever()
