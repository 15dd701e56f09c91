"""Logs, counts and times each request, and nothing that a caller wrote."""

import time
from functools import cache

import structlog
from fastapi import Request
from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import problems, request_ids
from chassis.logs import logger, where_it_failed
from chassis.operations import PROBES

log = logger(__name__)
QUIET = (*PROBES, "/metrics")

REQUESTS = Counter("http_requests_total", "HTTP requests answered.", ["method", "route", "status"])
SECONDS = Histogram("http_request_duration_seconds", "Time to answer an HTTP request.", ["method", "route"])


@cache
def _requests(method: str, route: str, status: int) -> Counter:
    """Looked up once: labels cost more than counting."""
    return REQUESTS.labels(method, route, status)


@cache
def _seconds(method: str, route: str) -> Histogram:
    return SECONDS.labels(method, route)


class RequestLog:
    """Logs, counts and times each request under its route's template; gives it a request id."""

    def __init__(self, app: ASGIApp, *, callers_ids: bool) -> None:
        self.app = app
        self._callers_ids = callers_ids

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = (request_ids.given(scope) if self._callers_ids else None) or request_ids.new()
        scope.setdefault("state", {})["request_id"] = request_id
        status, begun = 500, False
        started = time.perf_counter()

        async def observed(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                if self._callers_ids:
                    message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        bound = structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await self.app(scope, receive, observed)
        except Exception as error:
            # Where and what kind: its message may quote what was sent.
            log.error(  # noqa: TRY400
                "request failed", error=type(error).__name__, where=where_it_failed(error)
            )
            if begun:
                raise  # the connection breaks off; nothing else can be said any more
            await problems.respond(Request(scope), problems.Problem(problems.INTERNAL))(
                scope, receive, observed
            )
        finally:
            self._record(scope, status, time.perf_counter() - started)
            structlog.contextvars.reset_contextvars(**bound)

    @staticmethod
    def _record(scope: Scope, status: int, seconds: float) -> None:
        # A path no route matches may hold anything, a phone number too.
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"]
        _requests(method, route, status).inc()
        _seconds(method, route).observe(seconds)
        if route not in QUIET:
            log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))
