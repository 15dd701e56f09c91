"""Wait for a rating's outcome, many callers at once, with one query for all of them."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from services.verification import metrics
from services.verification.domain.status import PENDING, PublicStatus, public_status
from services.verification.ports import Statuses

LOOK_SECONDS = 2.0  # in case a notification was lost
GATHER_SECONDS = 0.02  # notifications that come together are answered together


class Outcomes:
    """`run` in a task of its own. `news` is set by whoever hears that something was decided."""

    def __init__(
        self,
        statuses: Statuses,
        *,
        news: asyncio.Event,
        outage: Callable[[BaseException], bool],
        withdrawable: timedelta,
        most_waiters: int = 2000,
    ) -> None:
        self._statuses = statuses
        self._news = news
        self._outage = outage
        self._withdrawable = withdrawable
        self._most_waiters = most_waiters
        self._queues: dict[UUID, set[asyncio.Queue[PublicStatus]]] = defaultdict(set)
        self._waiting = 0

    async def outcome(
        self, rating_id: UUID, *, seconds: float = 0.0, tries_left: int | None = None
    ) -> PublicStatus:
        """The rating's status; while it is pending, wait for it up to `seconds`.

        A caller who has seen `tries_left` and entered a code waits until that number or the status changes.
        With too many waiters it answers at once. Raises outages of the database.
        """
        if seconds <= 0 or self._waiting >= self._most_waiters:
            return await self._now(rating_id)
        until = asyncio.get_running_loop().time() + seconds
        queue: asyncio.Queue[PublicStatus] = asyncio.Queue()
        self._add(rating_id, queue)  # before looking, so that nothing is missed in between
        try:
            status = await self._now(rating_id)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    while status == PENDING or (tries_left is not None and status.tries_left == tries_left):
                        status = await queue.get()
            return status if queue.empty() else queue.get_nowait()
        finally:
            self._remove(rating_id, queue)

    def _add(self, rating_id: UUID, queue: asyncio.Queue[PublicStatus]) -> None:
        self._queues[rating_id].add(queue)
        self._waiting += 1
        metrics.WAITERS.set(self._waiting)

    def _remove(self, rating_id: UUID, queue: asyncio.Queue[PublicStatus]) -> None:
        self._queues[rating_id].discard(queue)
        if not self._queues[rating_id]:
            del self._queues[rating_id]
        self._waiting -= 1
        metrics.WAITERS.set(self._waiting)

    async def _now(self, rating_id: UUID) -> PublicStatus:
        found = await self._statuses.of([rating_id])
        return public_status(*found[rating_id], self._withdrawable) if rating_id in found else PENDING

    async def run(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), LOOK_SECONDS)
                await asyncio.sleep(GATHER_SECONDS)
            self._news.clear()
            if not self._queues:
                continue
            try:
                found = await self._statuses.of(list(self._queues))
            except Exception as error:
                if not self._outage(error):
                    raise
                continue  # the callers time out by themselves, and then hear of it
            for rating_id, (state, decided_at) in found.items():
                for queue in self._queues.get(rating_id, ()):
                    queue.put_nowait(public_status(state, decided_at, self._withdrawable))
