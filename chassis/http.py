"""The HTTP side of every process: operations, request log, limits, and how it starts and stops."""

import asyncio
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from uuid import uuid4

import structlog
import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import problems
from chassis.logs import logger
from chassis.openapi import Described
from chassis.overload import Capacity, Door, Pulse, Shedding
from chassis.readiness import Readiness
from chassis.refusing import behind
from chassis.tasks import Owned

log = logger(__name__)
OPERATIONS = ("/healthz", "/readyz", "/metrics")
SHUTDOWN_SECONDS = 5
DEFAULT_CAPACITY = Capacity()
STALLED_SECONDS = 30.0
ACCEPTED_AT_ONCE = 64
"""libuv accepts one connection from each listener in a turn of the event loop. Turns are long under overload,
and callers would wait unseen in the kernel's queue: so several listeners share one socket."""
SEND_BUFFER = 128 * 1024
"""Bytes in the kernel for one connection; Linux keeps as much again for its own books (socket(7))."""

REQUESTS = Counter("http_requests_total", "HTTP requests answered.", ["method", "route", "status"])
SECONDS = Histogram("http_request_duration_seconds", "Time to answer an HTTP request.", ["method", "route"])

Lifespan = Callable[[FastAPI, Readiness, Owned], AbstractAsyncContextManager[None]]


def create_app(
    *,
    title: str,
    description: str,
    lifespan: Lifespan,
    body_limit: int = 16 * 1024,
    capacity: Capacity = DEFAULT_CAPACITY,
    **options: Any,
) -> FastAPI:
    """An application with /healthz, /readyz, /metrics, problem details and a request log.

    `lifespan` opens what the process needs; background work goes to the `Owned` it is given, whose failure
    ends the process. `body_limit` is in bytes. What is past `capacity` is refused; operations never are.
    """
    readiness, owned, pulse = Readiness(), Owned(), Pulse()

    @asynccontextmanager
    async def owning(app: FastAPI) -> AsyncIterator[None]:
        owned.start("pulse", pulse.run())
        try:
            async with lifespan(app, readiness, owned):
                yield
        finally:
            await owned.close(seconds=1)  # what the lifespan itself has not closed

    app = Described(
        title=title,
        description=description,
        version="1.0.0",
        lifespan=owning,
        **options,
    )
    app.state.readiness, app.state.owned = readiness, owned
    problems.install(app)
    app.add_middleware(_BodyLimit, limit=body_limit)
    app.add_middleware(_RequestLog)
    # Before the log: under overload, a line for each refusal would be the larger part of the work.
    app.state.door = Door(capacity, OPERATIONS, pulse)
    app.add_middleware(Shedding, door=app.state.door)

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        checks = {c.name: {"ok": c.ok, "detail": c.detail} for c in readiness.checks.values()}
        status = "ready" if readiness.ready else "not ready"
        return JSONResponse({"status": status, "checks": checks}, status_code=200 if readiness.ready else 503)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return app


def serve(app: FastAPI, *, host: str, port: int, stalled_seconds: float = STALLED_SECONDS) -> None:
    """Run until SIGTERM or SIGINT, then drain. Exits with 1 where a background task failed.

    A connection whose other end takes nothing of what is sent for `stalled_seconds` is cut.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        loop="uvloop",
        http=behind(app.state.door),
    )
    server = uvicorn.Server(config)
    owned: Owned = app.state.owned
    owned.stop_process = lambda: setattr(server, "should_exit", True)
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn drains on these, then raises them again for whoever handled them before: nobody here.
        signal.signal(number, lambda *_: None)
    listening = config.bind_socket()
    _bound(listening, stalled_seconds)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        listeners = [listening, *(listening.dup() for _ in range(ACCEPTED_AT_ONCE - 1))]
        runner.run(server.serve(sockets=listeners))
    if owned.failure is not None or not server.started:
        sys.exit(1)


def _bound(listening: socket.socket, stalled_seconds: float) -> None:
    """Bound what a connection may hold, and for how long. Connections have what the listening socket has.

    asyncio closes a connection once all that was written is sent: never, where nobody reads. The kernel ends
    it instead (TCP_USER_TIMEOUT, RFC 5482; also while the other end's window stays closed, tcp(7)).
    """
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(stalled_seconds * 1000))


class _RequestLog:
    """Logs, counts and times each request under its route's template; gives it a request id."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        status, begun = 500, False
        started = time.perf_counter()

        async def observed(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, observed)
            except Exception as error:
                log.exception("request failed", error=type(error).__name__)
                if begun:
                    raise  # the connection breaks off; nothing else can be said any more
                await problems.respond(Request(scope), problems.Problem(problems.INTERNAL))(
                    scope, receive, observed
                )
            finally:
                self._record(scope, status, time.perf_counter() - started)

    @staticmethod
    def _record(scope: Scope, status: int, seconds: float) -> None:
        # A path no route matches may hold anything, a phone number too.
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"]
        REQUESTS.labels(method, route, status).inc()
        SECONDS.labels(method, route).observe(seconds)
        if route not in OPERATIONS:
            log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


class _BodyLimit:
    """Refuses a body of more than `limit` bytes, by what it says of itself or else while it is read.

    FastAPI's own limit answers in plain text, by way of an exception that looks like a fault of ours.
    """

    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        said = dict(scope["headers"]).get(b"content-length", b"")
        if said.isdigit() and int(said) > self.limit:
            refusal = problems.respond(Request(scope), problems.Problem(problems.TOO_LARGE))
            await refusal(scope, receive, send)
            return
        left = self.limit

        async def counted() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413)
            return message

        await self.app(scope, counted, send)


def _request_id(scope: Scope) -> str:
    """The caller's X-Request-Id where it is short and plain, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and len(value) <= 64 and value.replace(b"-", b"").isalnum():
            return str(value.decode())
    return str(uuid4())
