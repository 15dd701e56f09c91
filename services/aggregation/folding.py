"""The use case of the worker: batches of outcomes become figures."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple, Protocol, cast

from chassis.dead_letters.cap import Cap, Limits, Verdict
from chassis.logs import log_correlated, logger
from chassis.readiness import Check
from chassis.tasks import wait_out
from contracts.dead_letters import dead_letter
from contracts.envelope import InvalidMessage, Message, UnknownType, decode_data
from contracts.events import (
    Assurance,
    Outcome,
    RatingAccepted,
    RatingRejected,
    RatingWithdrawn,
    RejectionReason,
)
from contracts.topics import RATING_OUTCOMES
from services.aggregation import metrics
from services.aggregation.domain import Read

log = logger(__name__)
_OUTCOMES = frozenset(RATING_OUTCOMES.events)
_OF_CODES = (RejectionReason.PHONE_CODE_WRONG, RejectionReason.EXPIRED)


class Received(NamedTuple):
    """A record as Kafka gave it; `follows` as in `domain.Read`."""

    partition: int
    offset: int
    follows: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """What a batch did: the checkpoints after it, what it added, how many outcomes were repetitions, and the
    revision of the scopes that it changed (None where it changed none)."""

    checkpoints: Mapping[int, int]
    outcomes: Sequence[Outcome] = ()
    repeated: int = 0
    revision: int | None = None


class Ledger(Protocol):
    """Figures and checkpoints, which move together or not at all."""

    async def checkpoints(self, partitions: Sequence[int]) -> dict[int, int]:
        """The next offset to count of each partition. Raises what `outage` knows."""

    async def count(self, batch: Mapping[int, Sequence[Read]]) -> Counted:
        """Count, in one transaction, what of the batch (records by partition, in offset order) is not counted
        yet. Raises Hole, or what `outage` knows."""

    def outage(self, error: BaseException) -> bool: ...


class DeadLetters(Protocol):
    async def send(self, message: Message) -> None:
        """Returns once all replicas have it. Raises what `outage` knows."""

    def outage(self, error: BaseException) -> bool: ...


@dataclass(slots=True)
class Folder:
    """Folds batches, one at a time. Waits out outages; any other failure is its caller's end.

    `cap` judges each batch before anything of it is buried or counted.
    """

    ledger: Ledger
    dead_letters: DeadLetters
    postgres: Check
    dead_letter_topic: Check
    cap: Cap = field(default_factory=lambda: Cap(Limits()))
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    checkpoints: dict[int, int] = field(default_factory=dict)

    async def resume(self, partitions: Sequence[int]) -> Mapping[int, int]:
        """Where to go on with partitions that were just assigned. Raises what the ledger's `outage` knows."""
        found = await self.ledger.checkpoints(partitions)
        self.checkpoints.update(found)
        return found

    async def handle(self, batch: Sequence[Received]) -> None:
        """Fold the batch; returns once it is committed.

        Raises TooManyDeadLetters, and has then done nothing.
        """
        started = time.perf_counter()
        reads: dict[int, list[Read]] = defaultdict(list)
        unreadable: list[tuple[Received, InvalidMessage]] = []
        verdicts: list[Verdict] = []
        for received in batch:
            outcome, error = read(received)
            reads[received.partition].append(Read(received.offset, received.follows, outcome))
            if received.offset < self.checkpoints.get(received.partition, 0):
                continue  # delivered again, and judged and buried before
            reason = None if error is None else error.reason
            verdicts.append(Verdict(received.partition, received.offset, reason))
            if error is not None:
                unreadable.append((received, error))
        self.cap.judge(verdicts)
        for received, error in unreadable:  # before the checkpoint passes them
            await self._bury(received, error)
        counted = await wait_out(self.postgres, lambda: self.ledger.count(reads), outage=self.ledger.outage)
        self.checkpoints.update(counted.checkpoints)
        self._measure(len(batch), counted, time.perf_counter() - started)

    async def _bury(self, received: Received, error: InvalidMessage) -> None:
        message = dead_letter(
            key=received.key,
            value=received.value,
            headers=received.headers,
            topic=RATING_OUTCOMES.name,
            partition=received.partition,
            offset=received.offset,
            error=error,
            at=self.now(),
        )
        await wait_out(
            self.dead_letter_topic,
            lambda: self.dead_letters.send(message),
            outage=self.dead_letters.outage,
        )
        metrics.DEAD_LETTERS.labels(error.reason).inc()
        log.warning("dead letter", reason=error.reason, partition=received.partition, offset=received.offset)

    def _measure(self, size: int, counted: Counted, seconds: float) -> None:
        metrics.BATCH_SIZE.observe(size)
        metrics.BATCH_SECONDS.observe(seconds)
        metrics.OUTCOMES.labels("counted").inc(len(counted.outcomes))
        metrics.OUTCOMES.labels("repeated").inc(counted.repeated)
        log_correlated(log, "outcomes counted", [each.submission_id for each in counted.outcomes])
        now = self.now().timestamp()
        ages: dict[bool, list[float]] = defaultdict(list)
        for outcome in counted.outcomes:
            if type(outcome) is not RatingWithdrawn:  # that is as old as its citizen wished
                ages[_waited_for_a_code(outcome)].append(now - outcome.submitted_at.timestamp())
        for waited, found in ages.items():
            observe = metrics.AGE.labels(str(waited).lower()).observe
            for age in found:
                observe(max(0.0, age))


def _waited_for_a_code(outcome: Outcome) -> bool:
    match outcome:
        case RatingAccepted():
            return Assurance.PHONE_CODE in outcome.assurance
        case RatingRejected():
            return outcome.reason in _OF_CODES
    return False


def read(received: Received) -> tuple[Outcome | None, InvalidMessage | None]:
    """The outcome, or why there is none."""
    try:
        event = decode_data(received.value, received.headers)
    except InvalidMessage as error:
        return None, error
    if type(event) in _OUTCOMES:
        return cast("Outcome", event), None
    return None, UnknownType(f"{event.NAME} does not belong on {RATING_OUTCOMES.name}")
