"""A span for each request, under its route's template."""

import structlog
from opentelemetry.trace import SpanKind, StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import traces
from chassis.operations import PROBES


class TracedRequests:
    """Goes on with the caller's trace where `callers` may say theirs; a browser never may: nothing that a
    citizen holds leads to what operators look at."""

    def __init__(self, app: ASGIApp, *, callers: bool) -> None:
        self.app = app
        self._callers = callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self.app(scope, receive, send)
            return
        method, status = scope["method"], 500
        caller = _traceparent(scope) if self._callers else None

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with (
            traces.root(method, SpanKind.SERVER, caller=caller) as span,
            structlog.contextvars.bound_contextvars(trace_id=traces.trace_id()),
        ):
            try:
                await self.app(scope, receive, observed)
            finally:
                # A path no route matches may hold anything, a phone number too.
                route = getattr(scope.get("route"), "path", "unmatched")
                span.update_name(f"{method} {route}")
                span.set_attribute("http.request.method", method)
                span.set_attribute("http.route", route)
                span.set_attribute("http.response.status_code", status)
                if status >= 500:
                    span.set_status(StatusCode.ERROR)


def _traceparent(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"traceparent":
            return str(value.decode("latin-1"))
    return None
