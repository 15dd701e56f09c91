"""The HTTP side of every process: what its applications have in common, and how it starts and stops."""

import asyncio
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import operations, problems, traces
from chassis.headers import Headers, OnEveryAnswer, for_data
from chassis.openapi import Described
from chassis.operations import PROBES
from chassis.overload import Capacity, Door, Pulse, Shedding
from chassis.readiness import Check, Readiness
from chassis.refusing import behind
from chassis.request_log import RequestLog
from chassis.tasks import Owned
from chassis.traces.requests import TracedRequests

SHUTDOWN_SECONDS = 5
STARTING_POLL_SECONDS = 0.1
TICK_SECONDS = 1.0
DEFAULT_CAPACITY = Capacity()
STALLED_SECONDS = 30.0
ACCEPTED_AT_ONCE = 64
"""libuv accepts one connection from each listener in a turn of the event loop. Turns are long under overload,
and callers would wait unseen in the kernel's queue: so several listeners share one socket."""
SEND_BUFFER = 128 * 1024
"""Bytes in the kernel for one connection; Linux keeps as much again for its own books (socket(7))."""

Lifespan = Callable[[FastAPI, Readiness, Owned], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Files:
    """The paths that take whole files, and how many bytes in one."""

    paths: re.Pattern[str]
    limit: int


def create_app(
    *,
    title: str,
    description: str,
    lifespan: Lifespan,
    body_limit: int = 16 * 1024,
    files: Files | None = None,
    capacity: Capacity = DEFAULT_CAPACITY,
    headers: Headers = for_data(),  # noqa: B008 - never changed
    callers_request_ids: bool = True,
    openapi_url: str | None = "/openapi.json",
) -> FastAPI:
    """A public application with /healthz, /readyz, problem details and a request log.

    `lifespan` opens what the process needs; background work goes to the `Owned` it is given, whose failure
    ends the process. `body_limit` is in bytes, `files` are exceptions from it. What is past `capacity` is
    refused; probes never are. `headers` are those of every answer. Without `callers_request_ids` a caller
    neither chooses nor learns the id of a request, nor that of its trace: nothing that a citizen's browser
    holds may lead to log lines.
    """
    app, readiness, pulse = _application(title, description, lifespan, openapi_url=openapi_url)
    app.add_middleware(_BodyLimit, limit=body_limit, files=files)
    app.add_middleware(RequestLog, callers_ids=callers_request_ids)
    if traces.on():
        app.add_middleware(TracedRequests, callers=callers_request_ids)
    # Before the log: under overload, a line for each refusal would be the larger part of the work.
    app.state.door = Door(capacity, PROBES, pulse)
    app.add_middleware(Shedding, door=app.state.door)
    app.add_middleware(OnEveryAnswer, headers=headers)
    app.state.headers = headers
    operations.install_probes(app, readiness, detailed=False)
    app.state.operations = _operations_of(readiness)
    return app


def create_worker(*, title: str, description: str, lifespan: Lifespan) -> FastAPI:
    """An application without a public side: only operators reach it."""
    app, readiness, _ = _application(title, description, lifespan, openapi_url=None)
    _for_operators(app, readiness)
    return app


def _application(
    title: str, description: str, lifespan: Lifespan, *, openapi_url: str | None
) -> tuple[FastAPI, Readiness, Pulse]:
    readiness, owned, pulse = Readiness(), Owned(), Pulse()

    @asynccontextmanager
    async def owning(app: FastAPI) -> AsyncIterator[None]:
        owned.start("pulse", pulse.run())
        try:
            async with lifespan(app, readiness, owned):
                yield
        finally:
            await owned.close(seconds=1)  # what the lifespan itself has not closed

    app = _bare(title=title, description=description, lifespan=owning, openapi_url=openapi_url)
    app.state.readiness, app.state.owned = readiness, owned
    return app, readiness, pulse


def _bare(**options: Any) -> FastAPI:
    # FastAPI's pages of documentation load scripts from elsewhere; its slash redirects repeat the caller's
    # Host and path. Its own telemetry, which an environment variable turns on, tells paths as they were
    # asked for, and what was refused in a body.
    app = Described(
        version="1.0.0",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        generate_unique_id_function=lambda route: route.name,  # what generated clients call it
        **options,
    )
    problems.install(app)
    return app


def _operations_of(readiness: Readiness) -> FastAPI:
    app = _bare(title="Operations", openapi_url=None)
    _for_operators(app, readiness)
    return app


def _for_operators(app: FastAPI, readiness: Readiness) -> None:
    app.add_middleware(_BodyLimit, limit=0)
    app.add_middleware(RequestLog, callers_ids=True)
    app.add_middleware(OnEveryAnswer, headers=for_data())
    app.state.headers = for_data()
    # Answered from memory, in one turn of the event loop: nobody needs to wait for a place.
    app.state.door = None
    operations.install(app, readiness)


def serve(
    app: FastAPI,
    *,
    operations: Address,
    public: Address | None = None,
    stalled_seconds: float = STALLED_SECONDS,
) -> None:
    """Run until SIGTERM or SIGINT, then drain. Exits with 1 where a background task failed.

    What `create_worker` made has no `public` address. Operations answer from the start to the end of it all.
    A connection whose other end takes nothing of what is sent for `stalled_seconds` is cut.
    """
    owned: Owned = app.state.owned
    beside: _Beside | None = None
    if public is None:
        server: _Server = _Server(_config(app, operations))
    else:
        server = _Public(_config(app, public), app.state.readiness.check("listener"))
        beside = _Beside(_config(app.state.operations, operations, lifespan="off"))
    owned.stop_process = lambda: setattr(server, "should_exit", True)
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn drains on these, then raises them again for whoever handled them before: nobody here.
        signal.signal(number, lambda *_: None)
    listening: dict[uvicorn.Server, list[socket.socket]] = {
        each: _listen(each.config, stalled_seconds) for each in (server, beside) if each is not None
    }
    try:
        with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
            given_up = runner.run(_run(server, beside, listening))
    finally:
        traces.close()
    if owned.failure is not None or not (server.started or given_up):
        sys.exit(1)


def _config(app: FastAPI, address: Address, **options: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=address.host,
        port=address.port,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # uvicorn would believe any process of this machine; see chassis.origin
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        loop="uvloop",
        ws="none",
        http=behind(app.state.door, app.state.headers),
        **options,
    )


async def _run(
    server: uvicorn.Server, beside: "_Beside | None", listening: dict[uvicorn.Server, list[socket.socket]]
) -> bool:
    """Returns whether it was told to stop before it had started."""
    if beside is None:
        return await _serve(server, listening[server])
    answering = asyncio.create_task(beside.serve(sockets=listening[beside]))
    try:
        return await _serve(server, listening[server])
    finally:
        beside.should_exit = True
        await answering


async def _serve(server: uvicorn.Server, sockets: list[socket.socket]) -> bool:
    """uvicorn hears nobody while an application starts, which may wait for a dependency for long."""
    serving = asyncio.create_task(server.serve(sockets=sockets))
    while not (server.started or serving.done()):
        if server.should_exit:
            serving.cancel()
            await asyncio.wait([serving])
            return True
        await asyncio.wait([serving], timeout=STARTING_POLL_SECONDS)
    await serving
    return False


class _Server(uvicorn.Server):
    """Ticks once a second, for the date in its answers; uvicorn's own looks ten times whether to end."""

    _told_to_end = False
    _ending: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    @property
    def should_exit(self) -> bool:
        return self._told_to_end

    @should_exit.setter
    def should_exit(self, told: bool) -> None:
        """Also by a handler of signals, whose turn comes anywhere between two steps of the event loop."""
        self._told_to_end = told
        if told and self._ending is not None:
            loop, ending = self._ending
            loop.call_soon_threadsafe(ending.set)

    async def main_loop(self) -> None:
        ending = asyncio.Event()
        self._ending = asyncio.get_running_loop(), ending
        try:
            while not await self.on_tick(0):
                with suppress(TimeoutError):
                    await asyncio.wait_for(ending.wait(), TICK_SECONDS)
        finally:
            self._ending = None


class _Public(_Server):
    """Not ready before it listens, nor while it drains."""

    def __init__(self, config: uvicorn.Config, check: Check) -> None:
        super().__init__(config)
        self._check = check
        check.down("starting")

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._check.up()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._check.down("stopping")
        await super().shutdown(sockets)


class _Beside(_Server):
    """Runs beside another, which hears the signals and says when to end."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(config: uvicorn.Config, stalled_seconds: float) -> list[socket.socket]:
    listening = config.bind_socket()
    _bound(listening, stalled_seconds)
    return [listening, *(listening.dup() for _ in range(ACCEPTED_AT_ONCE - 1))]


def _bound(listening: socket.socket, stalled_seconds: float) -> None:
    """Bound what a connection may hold, and for how long. Connections have what the listening socket has.

    asyncio closes a connection once all that was written is sent: never, where nobody reads. The kernel ends
    it instead (TCP_USER_TIMEOUT, RFC 5482; also while the other end's window stays closed, tcp(7)).
    """
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(stalled_seconds * 1000))


class _BodyLimit:
    """Refuses a body of more than `limit` bytes, by what it says of itself or else while it is read.

    FastAPI's own limit answers in plain text, by way of an exception that looks like a fault of ours.
    """

    def __init__(self, app: ASGIApp, *, limit: int, files: Files | None = None) -> None:
        self.app = app
        self.limit = limit
        self.files = files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.limit
        if self.files is not None and self.files.paths.fullmatch(scope["path"]):
            limit = self.files.limit
        said = dict(scope["headers"]).get(b"content-length", b"")
        if said.isdigit() and int(said) > limit:
            refusal = problems.respond(Request(scope), problems.Problem(problems.TOO_LARGE))
            await refusal(scope, receive, send)
            return
        left = limit

        async def counted() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413)
            return message

        await self.app(scope, counted, send)
