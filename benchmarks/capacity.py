"""What a city needs for so many ratings a second, derived from what one of them was measured to take. Pure.

Where a bound is not a matter of more replicas, `reach` says how far one system goes.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from contracts.topics import RATING_OUTCOMES, RATING_SUBMISSIONS, SUBMISSIONS_KEPT_DAYS

BUSY = 0.6
"""Of a core: a burst, or the work of a zone that is away, finds room in the rest."""
HASHING = 2
"""Threads of a worker that hash codes, each on a core of its own."""
REPLICAS = 2
"""The fewest of anything."""
COPIES = 3
"""Of each record, and of verification's database; read models have two."""
DAY, GIB, MONTH_DAYS = 86_400, 2**30, 30
OPEN_SHARE = 0.25
"""Of a day at which ratings come as at its busiest: 6 of 24 hours. For disks, which see whole days."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one rating, in seconds of a core, or bytes. docs/scaling.md says how each was measured.

    `tail`: of each rating at *every* replica of intake, which counts for the limits what others took in.
    `one_at_a_time`: in which none of aggregation's other workers can commit, for all count for one city; in
    full batches.
    """

    page: float
    take: float
    tail: float
    challenge: float
    ask: float
    decide: float
    hash: float
    fold: float
    one_at_a_time: float
    decisions_database: float
    figures_database: float
    broker: float
    submission_bytes: int
    outcome_bytes: int
    decision_bytes: int
    counted_bytes: int


@dataclass(frozen=True, slots=True)
class Habits:
    """What citizens do. Assumed, not measured."""

    pages: float = 12
    """Of the portal for each rating: the walk of eight, some of them twice, and a dashboard."""
    codes: float = 0.1
    """Share of ratings that a code by SMS confirms, which is hashed when it is made and when it is tried."""


@dataclass(frozen=True, slots=True)
class Need:
    """Processes by name, cores that they and the servers keep busy, and disk in GiB after a year."""

    processes: Mapping[str, int]
    cores: Mapping[str, float]
    disk: Mapping[str, float]

    @property
    def partitions(self) -> int:
        """The fewest that keep all workers of each kind at work."""
        return max(self.processes["verification worker"], self.processes["aggregation worker"])


USUAL = Habits()


def need(rate: float, costs: Costs, habits: Habits = USUAL) -> Need:
    """Raises ValueError where no number of replicas is enough: `reach` says what bounds it."""
    for what, most in reach(costs).items():
        if rate > most:
            raise ValueError(f"{what} bounds one system to {most:.0f} ratings a second")
    hashing = rate * 2 * habits.codes * costs.hash
    cores = {
        "portal": rate * habits.pages * costs.page,
        "verification API": rate * (costs.challenge + costs.ask),
        "verification worker": rate * costs.decide,
        "aggregation worker": rate * costs.fold,
    }
    wanted = {name: busy / BUSY for name, busy in cores.items()}
    wanted["verification worker"] = max(wanted["verification worker"], hashing / HASHING / BUSY)
    wanted["intake"] = rate * costs.take / (BUSY - rate * costs.tail)
    processes = {name: max(REPLICAS, math.ceil(many)) for name, many in wanted.items()}
    cores["verification worker"] += hashing
    cores["intake"] = rate * (costs.take + processes["intake"] * costs.tail)
    cores["Kafka"] = rate * costs.broker * COPIES
    cores["PostgreSQL"] = rate * (costs.decisions_database + costs.figures_database)
    a_day = rate * DAY * OPEN_SHARE / GIB
    disk = {
        RATING_SUBMISSIONS.name: a_day * SUBMISSIONS_KEPT_DAYS * costs.submission_bytes * COPIES,
        RATING_OUTCOMES.name: a_day * 365 * costs.outcome_bytes * COPIES,
        "decisions": a_day * (SUBMISSIONS_KEPT_DAYS + 7) * costs.decision_bytes * COPIES,
        "read models": a_day * 365 * costs.counted_bytes * 2,
    }
    return Need(processes, cores, disk)


def reach(costs: Costs) -> dict[str, float]:
    """Ratings a second that one system can take at most, by what bounds it."""
    return {
        "every replica of intake reads all submissions": BUSY / costs.tail,
        "aggregation commits one batch of a city at a time": BUSY / costs.one_at_a_time,
    }
