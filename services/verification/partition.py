"""One partition of `rating-submissions`: read, decide, tell, in this order, again and again.

The decisions are stored first (PostgreSQL), then outcomes and consumed offset are committed together (Kafka).
What happened in between is done again from the committed offset, and gives the same outcomes.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from chassis import traces
from chassis.logs import log_correlated, logger
from chassis.tasks import attempts
from contracts.envelope import Message, correlation_of
from contracts.topics import RATING_SUBMISSIONS
from services.verification import metrics
from services.verification.batches import Batch, Reader
from services.verification.deciding import Result, decide_batch
from services.verification.domain.outcomes import outcome_message
from services.verification.domain.ratings import Accepted, Decided, Withdrawn
from services.verification.expiring import expire
from services.verification.ports import (
    Clock,
    Committed,
    Conflict,
    Decisions,
    OpenOutcomeLog,
    OutcomeLog,
    Record,
    Submissions,
    Torn,
)

log = logger(__name__)
T = TypeVar("T")
BATCH = 500
FETCH_SECONDS = 0.25
EXPIRY_SECONDS = 1.0
# Intake stamps a code, then sends it; a code entered in time may arrive this much later and still counts.
GRACE = timedelta(seconds=30)


class WaitOut(Protocol):
    """Does something, waiting out the outages of what it needs."""

    async def __call__(self, action: Callable[[], Awaitable[T]]) -> T: ...


class Partition:
    """Owned by one worker at a time. `run` ends after `stop`, or raises `Lost` when it is another's."""

    def __init__(
        self,
        number: int,
        *,
        submissions: Submissions,
        open_log: OpenOutcomeLog,
        decisions: Decisions,
        reader: Reader,
        clock: Clock,
        withdrawable: timedelta,
        through_kafka: WaitOut,
        through_database: WaitOut,
        sms_waiting: asyncio.Event,
    ) -> None:
        self.number = number
        self._submissions = submissions
        self._open_log = open_log
        self._decisions = decisions
        self._reader = reader
        self._clock = clock
        self._withdrawable = withdrawable
        self._through_kafka = through_kafka
        self._through_database = through_database
        self._sms_waiting = sms_waiting
        self._stopped: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._epoch = 0
        self._next_offset = 0
        self._expiries = 0
        self._looked_for_expiries = 0.0

    def stop(self) -> None:
        """Finish the batch under way, then end."""
        if not self._stopped.done():
            self._stopped.set_result(None)

    async def run(self) -> None:
        async for _ in attempts():
            if self._stopped.done():
                return
            outcomes = await self._through_kafka(lambda: self._open_log(self.number))
            try:
                await self._go_on_from_committed(outcomes)
                while not self._stopped.done():
                    await self._turn(outcomes)
            except Torn as torn:
                metrics.TORN.inc()
                log.warning("transaction failed, going on from the committed offset", error=str(torn))
            finally:
                metrics.LAG.remove(self.number)  # whoever has the partition next tells
                await outcomes.close()

    async def _go_on_from_committed(self, outcomes: OutcomeLog) -> None:
        """The log is open, so no earlier owner can commit: only now does the committed offset stand."""
        self._epoch = await self._through_database(lambda: self._decisions.take_over(self.number))
        committed = await self._through_kafka(lambda: self._submissions.committed(self.number))
        self._submissions.seek(self.number, committed.next_offset)
        self._next_offset, self._expiries = committed.next_offset, committed.expiries
        log.info("partition taken over", partition=self.number, offset=self._next_offset, epoch=self._epoch)
        untold = await self._through_database(
            lambda: self._decisions.expired_since(self.number, committed.expiries)
        )
        if untold:
            told = [outcome_message(rated, decided, at) for rated, decided, at, _ in untold]
            await self._commit(outcomes, told, (), expiries=max(number for *_, number in untold))

    async def _turn(self, outcomes: OutcomeLog) -> None:
        records = await self._fetch()
        if self._stopped.done():
            return  # what was fetched is read again by the next owner
        left = records
        while left:
            await self._batch(outcomes, left)
            if self._stopped.done():
                return
            left = [record for record in left if record.offset >= self._next_offset]
        metrics.LAG.labels(self.number).set(await self._submissions.lag(self.number))
        if time.monotonic() - self._looked_for_expiries >= EXPIRY_SECONDS:
            self._looked_for_expiries = time.monotonic()
            await self._expire(outcomes, records)

    async def _fetch(self) -> Sequence[Record]:
        """Nothing once stopped: during a rebalance a fetch would wait for its end, which waits for us."""
        fetching = asyncio.create_task(
            self._submissions.fetch(self.number, most=BATCH, seconds=FETCH_SECONDS)
        )
        try:
            waiting: set[asyncio.Future[Any]] = {fetching, self._stopped}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            records = await fetching if fetching.done() else ()
        finally:
            fetching.cancel()
        # Where to go on is said by what was committed, whatever position the consumer may have got to.
        return [record for record in records if record.offset >= self._next_offset]

    async def _batch(self, outcomes: OutcomeLog, records: Sequence[Record]) -> None:
        started = time.perf_counter()
        batch = await self._reader.read(self.number, records)
        if batch.tries:
            tried = [item.rating_id for item in batch.tries]
            sent = await self._through_database(lambda: self._decisions.codes(tried))
            await self._reader.check_codes(batch, sent)
        taken = [each.headers for each in records if each.offset < batch.next_offset]
        with traces.batch(RATING_SUBMISSIONS.name, len(taken), taken):
            await self._settle(outcomes, batch)
        metrics.BATCH_SIZE.observe(len(batch.items) + len(batch.invalid))
        metrics.BATCH_SECONDS.observe(time.perf_counter() - started)

    async def _settle(self, outcomes: OutcomeLog, batch: Batch) -> None:
        result = await self._through_database(lambda: self._decide(batch))
        await self._commit(outcomes, result.outcomes, batch.dead_letters, next_offset=batch.next_offset)
        if result.phone_codes:
            self._sms_waiting.set()
        _count(result.decided)
        for reason in batch.invalid:
            metrics.DEAD_LETTERS.labels(reason).inc()
        metrics.PHONE_CODES.inc(result.phone_codes)
        metrics.IGNORED.inc(result.ignored)

    @traces.traced("decide")
    async def _decide(self, batch: Batch) -> Result:
        async for _ in attempts(first=0.01, most=1.0):
            try:
                async with self._decisions.transaction(self.number, self._epoch) as transaction:
                    return await decide_batch(transaction, batch, self._clock(), self._withdrawable)
            except Conflict as conflict:
                log.info("deciding again", partition=self.number, conflict=str(conflict))
        raise AssertionError("attempts never end")

    async def _expire(self, outcomes: OutcomeLog, records: Sequence[Record]) -> None:
        """Codes count by when they were entered, so time passes only as far as messages have been read."""
        reached = await self._submissions.caught_up(self.number)
        if reached is None and records:
            reached = min(records[-1].timestamp, self._clock())
        if reached is None:
            return
        before = reached - GRACE

        async def once() -> tuple[int, list[tuple[Message, Decided]]] | None:
            async with self._decisions.transaction(self.number, self._epoch) as transaction:
                return await expire(transaction, self.number, before, self._clock())

        expired = await self._through_database(once)
        if expired is not None:
            number, told = expired
            await self._commit(outcomes, [message for message, _ in told], (), expiries=number)
            _count([decided for _, decided in told])

    async def _commit(
        self,
        outcomes: OutcomeLog,
        told: Sequence[Message],
        dead_letters: Sequence[Message],
        *,
        next_offset: int | None = None,
        expiries: int | None = None,
    ) -> None:
        upto = Committed(
            self._next_offset if next_offset is None else next_offset,
            self._expiries if expiries is None else expiries,
        )
        await outcomes.commit(told, dead_letters, upto)
        log_correlated(log, "outcomes told", [correlation_of(each) for each in told], partition=self.number)
        self._next_offset, self._expiries = upto.next_offset, upto.expiries


def _count(decided: Sequence[Decided | Withdrawn]) -> None:
    for each, number in Counter(decided).items():
        if isinstance(each, Withdrawn):
            metrics.WITHDRAWALS.labels(each.kind.value).inc(number)
        elif isinstance(each, Accepted):
            metrics.DECISIONS.labels("accepted", "").inc(number)
        else:
            metrics.DECISIONS.labels("rejected", each.reason.value).inc(number)
