"""Overload: what comes on top of what a process can do is refused at once, before anything is done for it.

Without a bound everybody waits ever longer and memory grows with them. Refused requests cost a header's
parsing and no more, so that the process goes on with those that it has let in.
"""

import asyncio
import random
import re
from dataclasses import dataclass, field

from fastapi import Request
from prometheus_client import Counter, Gauge, Histogram
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis import problems

SAFE = ("GET", "HEAD", "OPTIONS")
RETRY_SECONDS = (1, 5)
"""Drawn, so that those who were refused together do not come back together."""
LAG_EVERY_SECONDS = 0.05

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


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many requests are let in at a time. Reads have places of their own, so that they go on while
    writes wait for a dependency; so have requests that wait by their nature (long polls, streams), whose
    paths `waiting` matches.
    """

    reads: int = 64
    writes: int = 64
    waits: int = 1_000
    waiting: re.Pattern[str] = field(default_factory=lambda: re.compile("(?!)"))

    def kind(self, scope: Scope) -> tuple[str, int]:
        """The kind's name, and its places."""
        if self.waiting.search(scope["path"]):
            return "waits", self.waits
        return ("reads", self.reads) if scope["method"] in SAFE else ("writes", self.writes)


class Shedding:
    """Refuses with 503 and Retry-After what finds no place. `exempt` paths are always let in."""

    def __init__(self, app: ASGIApp, *, capacity: Capacity, exempt: tuple[str, ...]) -> None:
        self.app = app
        self._capacity = capacity
        self._exempt = exempt
        self._under_way = dict.fromkeys(("reads", "writes", "waits"), 0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._exempt:
            await self.app(scope, receive, send)
            return
        kind, places = self._capacity.kind(scope)
        if self._under_way[kind] >= places:
            SHED.labels(kind).inc()
            await _refusal(scope)(scope, receive, send)
            return
        self._count(kind, 1)
        try:
            await self.app(scope, receive, send)
        finally:
            self._count(kind, -1)

    def _count(self, kind: str, change: int) -> None:
        self._under_way[kind] += change
        UNDER_WAY.labels(kind).set(self._under_way[kind])


def _refusal(scope: Scope) -> ASGIApp:
    seconds = random.randint(*RETRY_SECONDS)
    return problems.respond(
        Request(scope), problems.Problem(OVERLOADED, retry_after=seconds, seconds=seconds)
    )


async def measure_lag() -> None:
    """Never returns."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LAG_EVERY_SECONDS
        await asyncio.sleep(LAG_EVERY_SECONDS)
        LAG.observe(max(0.0, loop.time() - due))
