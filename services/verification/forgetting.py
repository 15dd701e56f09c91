"""Forget what no submission can ask for again, nothing before. See docs/decisions/0009.

A submission is in the log for as many days as the strictest edition allows. Until then it may be read again
and must meet what it met before; afterwards nothing can: not a replay, not a late worker, not a redriven dead
letter, which is as old as its submission.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from chassis.logs import logger
from contracts.events import EditionPublished
from contracts.topics import submissions_kept_days
from services.verification import metrics
from services.verification.domain.days import window
from services.verification.domain.ratings import WITHDRAWABLE
from services.verification.partition import WaitOut
from services.verification.ports import Clock

log = logger(__name__)
EVERY_SECONDS = 3600.0
PAUSE_SECONDS = 0.05  # between two batches: deciding goes first
TEXTS_KEPT = timedelta(days=1)  # far longer than a gateway is tried
A_DAY = timedelta(days=1)  # for a request that waits to be read


class Store(Protocol):
    """Each call forgets a bounded batch and returns how many rows it was; 0 once there are no more."""

    async def ratings(self, before: datetime) -> int: ...
    async def tokens(self, before: datetime) -> int: ...
    async def challenges(self, before: datetime) -> int: ...
    async def texts(self, before: datetime) -> int: ...
    async def editions_with_slots(self) -> Sequence[str]: ...
    async def slots_of_windows(self, edition_id: str, before: int) -> int: ...
    async def slots_claimed(self, edition_id: str, before: datetime) -> int: ...


class Editions(Protocol):
    def all(self) -> Sequence[EditionPublished]: ...


class Log(Protocol):
    async def keeps_from_before(self, moment: datetime) -> bool:
        """Whether a submission, or a dead letter of one, is older than that. Raises outages of Kafka."""


class Forgetting:
    """`run` in a task of its own, once the editions have been read.

    `repeats`: how long callers may send the same rating again. What recognises such a repetition is kept so
    much longer, because the repetition is in the log so much longer. `withdrawable`: how long a rating can be
    withdrawn, for which it has to be known; an edition may have its submissions deleted before.
    """

    def __init__(
        self,
        *,
        store: Store,
        editions: Editions,
        log: Log,
        clock: Clock,
        through_outages: WaitOut,
        repeats: timedelta,
        withdrawable: timedelta = WITHDRAWABLE,
    ) -> None:
        self._store = store
        self._editions = editions
        self._log = log
        self._clock = clock
        self._through_outages = through_outages
        self._repeats = repeats
        self._withdrawable = withdrawable

    async def run(self) -> None:
        while True:
            await self.round()
            await asyncio.sleep(EVERY_SECONDS)

    async def round(self) -> None:
        now = self._clock()
        await self._all("texts", lambda: self._store.texts(now - TEXTS_KEPT))
        editions = {each.edition_id: each for each in self._editions.all()}
        gone = now - timedelta(days=submissions_kept_days(editions.values()))
        if await self._through_outages(lambda: self._log.keeps_from_before(gone)):
            log.warning("Kafka keeps submissions longer than promised, so nothing is forgotten")
            return
        await self._slots(editions, gone)
        before = gone - self._repeats
        ratings = min(before, now - self._withdrawable - A_DAY)
        await self._all("ratings", lambda: self._store.ratings(ratings))
        await self._all("tokens", lambda: self._store.tokens(before))
        await self._all("challenges", lambda: self._store.challenges(before))

    async def _slots(self, editions: dict[str, EditionPublished], gone: datetime) -> None:
        """A slot stands until its window is over and the window's last submission has gone from the log."""
        for edition_id in await self._through_outages(self._store.editions_with_slots):
            edition = editions.get(edition_id)
            if edition is not None:
                await self._slots_of_windows(edition_id, window(edition, gone))
            else:  # it was removed, and its ratings are rejected before they would claim a slot
                await self._slots_claimed(edition_id, gone)

    async def _slots_of_windows(self, edition_id: str, before: int) -> None:
        await self._all("slots", lambda: self._store.slots_of_windows(edition_id, before))

    async def _slots_claimed(self, edition_id: str, before: datetime) -> None:
        await self._all("slots", lambda: self._store.slots_claimed(edition_id, before))

    async def _all(self, what: str, batch: Callable[[], Awaitable[int]]) -> None:
        total = 0
        while found := await self._through_outages(batch):
            total += found
            metrics.FORGOTTEN.labels(what).inc(found)
            await asyncio.sleep(PAUSE_SECONDS)
        if total:
            log.info("forgotten", what=what, rows=total)
