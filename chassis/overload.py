"""Overload: what comes on top of what a process can do is refused at once, before anything is done for it.

Without a bound everybody waits ever longer and memory grows with them. Refused requests cost a header's
parsing and no more, so that the process goes on with those that it has let in.
"""

import asyncio
import math
import random
import re
import time
from contextlib import suppress
from dataclasses import dataclass, field

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from prometheus_client import Counter, Gauge, Histogram
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis import problems
from chassis.counters import from_zero

SAFE = ("GET", "HEAD", "OPTIONS")
PLACE = "hailong.place"
"""Where in its scope a request has the place that it was given before it came to the application."""
RETRY_SECONDS = (1, 5)
"""Drawn, so that those who were refused together do not come back together."""
BEAT_SECONDS = 0.02
LATE_SECONDS = 0.03
QUIET_SECONDS, SELDOM_SECONDS = 2.0, 1.0
"""Where nothing was asked for so long, the event loop is looked at this often: idle processes cost next to
nothing."""
CROWDED = 8
"""While the event loop is late, one place of so many is given: more requests inside would only make it later,
and those who are refused wait as long for their answer."""

SHED = Counter("http_requests_shed_total", "Requests refused because too many were under way.", ["kind"])
UNDER_WAY = Gauge("http_requests_under_way", "Requests let in and not answered yet.", ["kind"])
LAG = Histogram(
    "event_loop_lag_seconds",
    "How late the event loop runs what is due: what every request waits before anything is done for it.",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)

OVERLOADED = problems.ProblemType(
    "overloaded",
    503,
    problems.Bilingual("Hệ thống đang quá tải", "Too many requests at the moment"),
    problems.Bilingual(
        "Yêu cầu này chưa được xử lý. Vui lòng gửi lại y như vậy sau {seconds} giây.",
        "Nothing was done for this request. Please send it again, unchanged, in {seconds} seconds.",
    ),
)

PAGE = """<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<h1>{title}</h1>
<p>{detail}</p>
</html>
"""
"""Whole in itself: whatever else it named would be refused as well. And without a style of its own: pages may
hold nothing inline."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many requests are let in at a time, while the event loop keeps up. Reads have places of their own,
    so that they go on while writes wait for a dependency; so have requests that wait by their nature (long
    polls, streams), whose paths `waiting` matches.
    """

    reads: int = 128
    writes: int = 128
    waits: int = 1_000
    waiting: re.Pattern[str] = field(default_factory=lambda: re.compile("(?!)"))

    def kind(self, method: str, path: str) -> tuple[str, int]:
        """The kind's name, and its places."""
        if self.waiting.search(path):
            return "waits", self.waits
        return ("reads", self.reads) if method in SAFE else ("writes", self.writes)


class Full(Exception):
    """There is no place."""


class Pulse:
    """How late the event loop is, by a beat that it should keep: a slow one while nobody asks for
    anything."""

    def __init__(self) -> None:
        self._due = math.inf
        self._late_by = 0.0
        self._stirred = -math.inf
        self._wanted = asyncio.Event()

    @property
    def late(self) -> bool:
        """Whether the last beat came late, or the next is late already. Never before the first."""
        return max(self._late_by, time.monotonic() - self._due) > LATE_SECONDS

    def stir(self) -> None:
        """Somebody asks for something, so it matters from now on."""
        self._stirred = time.monotonic()
        if not self._wanted.is_set():
            self._wanted.set()
            self._due = min(self._due, self._stirred + BEAT_SECONDS)

    async def run(self) -> None:
        """Never returns."""
        while True:
            begun = time.monotonic()
            if begun - self._stirred > QUIET_SECONDS:
                self._wanted.clear()
                self._due = begun + SELDOM_SECONDS
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wanted.wait(), SELDOM_SECONDS)
            else:
                self._due = begun + BEAT_SECONDS
                await asyncio.sleep(BEAT_SECONDS)
            self._late_by = max(0.0, time.monotonic() - self._due)
            LAG.observe(self._late_by)


class Door:
    """Counts who is inside. `exempt` paths are always let in."""

    def __init__(self, capacity: Capacity, exempt: tuple[str, ...], pulse: Pulse) -> None:
        self._capacity = capacity
        self._exempt = exempt
        self._pulse = pulse
        self._inside = dict.fromkeys(("reads", "writes", "waits"), 0)
        self._gauges = {kind: UNDER_WAY.labels(kind) for kind in self._inside}
        from_zero(SHED, self._inside)

    def enter(self, method: str, path: str) -> str:
        """The kind of the place taken, which `leave` wants back; empty for what takes none. Raises Full."""
        if path in self._exempt:
            return ""
        self._pulse.stir()
        kind, places = self._capacity.kind(method, path)
        inside = self._inside[kind]
        if inside >= places or (inside >= places / CROWDED and self._pulse.late):
            SHED.labels(kind).inc()
            raise Full
        self._change(kind, 1)
        return kind

    def leave(self, kind: str) -> None:
        if kind:
            self._change(kind, -1)

    def _change(self, kind: str, by: int) -> None:
        self._inside[kind] += by
        self._gauges[kind].set(self._inside[kind])


class Shedding:
    """Refuses with 503 and Retry-After what finds no place; gives the place back that a request had.

    A server that knows the door (`chassis.refusing`) refuses earlier, and at less cost; then this refuses
    nothing.
    """

    def __init__(self, app: ASGIApp, *, door: Door) -> None:
        self.app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        kind = scope.get(PLACE)
        if kind is None:
            try:
                kind = self._door.enter(scope["method"], scope["path"])
            except Full:
                request = Request(scope)
                language, page = problems.language_of(request), wants_page(request.headers.get("accept", ""))
                answer = refusal_after(language, random.randint(*RETRY_SECONDS), page=page)
                await answer(scope, receive, send)
                return
        try:
            await self.app(scope, receive, send)
        finally:
            self._door.leave(kind)


def wants_page(accept: str) -> bool:
    """Whether a person looks at the answer: browsers name HTML, programs seldom do."""
    return "text/html" in accept


def refusal_after(language: str, seconds: int, *, page: bool) -> Response:
    """Asks to come back after so many seconds."""
    problem = problems.Problem(OVERLOADED, retry_after=seconds, seconds=seconds)
    answer = problems.respond_in(language, problem)
    if not page:
        return answer
    headers = {name: value for name, value in answer.headers.items() if not name.startswith("content-t")}
    del headers["content-length"]
    title, detail = (text.say(language, problem.values) for text in (OVERLOADED.title, OVERLOADED.detail))
    return HTMLResponse(PAGE.format(language=language, title=title, detail=detail), 503, headers)
