"""Limits in force: what this replica takes in counts at once, what others take in when the log shows it."""

import math
from collections.abc import Mapping

from chassis.logs import logger
from chassis.tally import Tally
from services.intake import metrics
from services.intake.domain import limits
from services.intake.domain.limits import CODES, FILES, RATINGS, WITHDRAWALS, Alarm, Arrival, Book

log = logger(__name__)


class Limited(Exception):
    """Too many; `seconds` until it may be sent again."""

    def __init__(self, rule: str, seconds: int) -> None:
        super().__init__(rule)
        self.rule = rule
        self.seconds = seconds


class Limiter:
    """One a process. `most`: the number for each of `limits.NAMES`. Times are in seconds since 1970."""

    def __init__(self, most: Mapping[str, int], tally: Tally) -> None:
        self._most = most
        self._tally = tally

    @property
    def window(self) -> float:
        return self._tally.window

    def rating(self, arrival: Arrival, now: float) -> None:
        """Raises Limited; else the rating is counted, for good: what is not kept will be sent again."""
        self._admit(RATINGS, arrival, now)

    def code(self, arrival: Arrival, now: float) -> None:
        """The same for a try at a phone code. Codes are counted by each replica alone."""
        self._admit(CODES, arrival, now)

    def withdrawal(self, arrival: Arrival, now: float) -> None:
        """The same for a receipt that somebody enters."""
        self._admit(WITHDRAWALS, arrival, now)

    def file(self, arrival: Arrival, now: float) -> None:
        """The same for the number of a file that is asked for."""
        self._admit(FILES, arrival, now)

    def knows(self, rating_id: str, now: float) -> bool:
        return self._tally.count(limits.known(RATINGS, rating_id), now=now) > 0

    def taken_elsewhere(self, arrival: Arrival, *, at: float, now: float) -> None:
        """A rating that the log shows."""
        if not self.knows(arrival.id, now):
            self._count(RATINGS, arrival, at, now)

    def _admit(self, book: Book, arrival: Arrival, now: float) -> None:
        refused = limits.refusal(book, arrival, self._most, self._tally, now)
        if refused is not None:
            metrics.LIMITED.labels(refused.rule).inc()
            raise Limited(refused.rule, max(1, math.ceil(refused.until - now)))
        if not self._tally.count(limits.known(book, arrival.id), now=now):
            self._count(book, arrival, now, now)

    def _count(self, book: Book, arrival: Arrival, at: float, now: float) -> None:
        self._tally.add(limits.things(book, arrival), at=at, now=now)
        for alarm in limits.alarms(book, arrival, self._most, self._tally, now):
            self._raise(alarm, now)

    def _raise(self, alarm: Alarm, now: float) -> None:
        """Once a window, as long as it lasts."""
        raised = ("alarm", alarm.name, alarm.subject)
        if not self._tally.count(raised, now=now):
            self._tally.add([raised], at=now, now=now)
            metrics.ALARMS.labels(alarm.name).inc()
            log.warning("unusually many ratings", of=alarm.name, subject=alarm.subject)
