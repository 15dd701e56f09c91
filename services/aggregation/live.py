"""The live stream: whoever watches a scope gets its newest figures, soon after they change.

One query per notification serves all streams. What waits for a slow reader is a map from scope to the newest
document, so it never grows, and never holds back anybody else.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from chassis.readiness import Check
from chassis.tasks import wait_out
from services.aggregation import metrics
from services.aggregation.documents import Figures, Period, Snapshot
from services.aggregation.domain import Scope

PAUSE_SECONDS = 0.01
"""At least, between two deliveries, and as long as the last one took: what is committed meanwhile is answered
together, and others have half of the time."""
TOTALS = Period()


class Reading(Protocol):
    async def figures(self, scopes: Sequence[Scope], period: Period) -> Snapshot:
        """Raises what `outage` knows."""

    def outage(self, error: BaseException) -> bool: ...


class Notifications(Protocol):
    async def wait(self) -> None:
        """Returns when figures may have changed: after a notification, a lost connection, or a while. Raises
        what the reading's `outage` knows."""


class Unknown(NamedTuple):
    """Neither the directory nor any figure knows this scope."""

    scope: Scope


class LiveEvent(NamedTuple):
    """`id` is a revision from which a stream may go on: no figures up to it are missed."""

    event: str
    id: int
    data: str


@dataclass(eq=False, slots=True)
class Stream:
    """One client. `sent` holds each scope's figures as last sent; `resume_from` all before it is sent."""

    scopes: frozenset[Scope]
    waiting: dict[Scope, Figures] = field(default_factory=dict)
    sent: dict[Scope, Figures] = field(default_factory=dict)
    resume_from: int = 0
    revision: int = 0
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    event: str = "snapshot"

    def begin(self, snapshot: Snapshot, last_event_id: int) -> None:
        """The first events. What was offered while the snapshot was read may be newer than it, and stays."""
        resumed = 0 < last_event_id <= snapshot.revision
        self.event = "figures" if resumed else "snapshot"
        self.resume_from = last_event_id if resumed else 0
        self.revision = max(self.revision, snapshot.revision)
        offered, self.waiting = self.waiting, {}
        for figures in snapshot.figures:
            newest = max(figures, offered.get(figures.scope, figures), key=lambda one: one.decided)
            if resumed and newest.decided <= last_event_id and not newest.morning:
                self.sent[newest.scope] = newest
            else:
                self.waiting[newest.scope] = newest
        if self.waiting:
            self.woken.set()

    def forget(self) -> None:
        """What was sent counts no more; the next event says everything again."""
        self.sent.clear()
        self.resume_from = self.revision = 0

    def offer(self, snapshot: Snapshot) -> None:
        """All figures as they are now. Only those that the public sees change are sent: an event that says
        nothing new would say that something was rated."""
        if snapshot.revision < self.revision:
            return  # read before what was sent
        self.revision = snapshot.revision
        for figures in snapshot.figures:
            newest = self.waiting.get(figures.scope, self.sent.get(figures.scope))
            if figures.scope in self.scopes and not figures.shows_the_same(newest):
                self.waiting[figures.scope] = figures
                metrics.EVENTS.inc()
        if self.waiting:
            self.woken.set()

    async def events(self) -> AsyncIterator[LiveEvent]:
        """What waits, whenever something does, without end."""
        while True:
            await self.woken.wait()
            for event in self._take():
                yield event

    def _take(self) -> list[LiveEvent]:
        """What waits, as one group. Only its last event carries the group's revision: a client that loses the
        connection within the group must get the rest of it."""
        self.woken.clear()
        event, self.event = self.event, "figures"
        group, self.waiting = list(self.waiting.values()), {}
        events = []
        for place, figures in enumerate(group, start=1):
            self.sent[figures.scope] = figures
            last = self.revision if place == len(group) else self.resume_from
            events.append(LiveEvent(event, last, figures.text))
        self.resume_from = self.revision
        return events


class Hub:
    """All streams of this process."""

    def __init__(
        self, reading: Reading, notifications: Notifications, postgres: Check, *, most: int = 2_000
    ) -> None:
        self._reading = reading
        self._most = most
        self._notifications = notifications
        self._postgres = postgres
        self._streams: set[Stream] = set()
        self._revision = 0
        # Held while changes are read: a stream that joins meanwhile would miss them.
        self._turn = asyncio.Lock()

    @property
    def full(self) -> bool:
        """Whether there are as many streams as there may be."""
        return len(self._streams) >= self._most

    async def run(self) -> None:
        """Read what changed, whenever something did; never returns."""
        while True:
            await wait_out(self._postgres, self._notifications.wait, outage=self._reading.outage)
            begun = time.perf_counter()
            await wait_out(self._postgres, self._deliver, outage=self._reading.outage)
            await asyncio.sleep(max(PAUSE_SECONDS, time.perf_counter() - begun))

    async def _deliver(self) -> None:
        if not self._streams:
            return
        async with self._turn:
            snapshot = await self._watched()
            if snapshot.revision < self._revision:
                # The read models were made again: what was sent before says nothing about them.
                for stream in self._streams:
                    stream.forget()
            self._revision = snapshot.revision
            for stream in self._streams:
                stream.offer(snapshot)

    async def _watched(self) -> Snapshot:
        """Also where nothing was committed: in the morning figures move by themselves."""
        watched = sorted({scope for stream in self._streams for scope in stream.scopes})
        return await self._reading.figures(watched, TOTALS)

    async def join(self, scopes: Sequence[Scope], last_event_id: int) -> Stream | Unknown:
        """A stream with its first events waiting: a snapshot of every scope, or, after a break, what changed
        since `last_event_id` (0: none). Raises what the reading's `outage` knows."""
        stream = Stream(frozenset(scopes))
        async with self._turn:
            self._streams.add(stream)  # before the snapshot, so that nothing falls between
        try:
            snapshot = await self._reading.figures(scopes, TOTALS)
        except BaseException:
            self._streams.discard(stream)
            raise
        unknown = [figures.scope for figures in snapshot.figures if not figures.known]
        if unknown:
            self._streams.discard(stream)
            return Unknown(unknown[0])
        stream.begin(snapshot, last_event_id)
        metrics.STREAMS.inc()
        return stream

    def leave(self, stream: Stream) -> None:
        self._streams.discard(stream)
        metrics.STREAMS.dec()
