"""What a city needs for so many ratings a second, derived from what one of them was measured to take. Pure.

Times are of a core's, sizes in bytes, rates a second. Where more replicas are no answer, `reach` says how far
one system goes.
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
"""Of a day in which ratings come as fast as said: 6 of 24 hours. For disks, which see whole days."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What a worker takes for a batch, besides what it takes for each message; and how long one lasts."""

    worker: float
    database: float
    broker: float
    lasts: float


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one rating, unless it says otherwise. docs/scaling.md says by which command each was measured.

    `tail`: of each rating at *every* replica of intake, which counts for the limits what others took in.
    `one_at_a_time`: in which none of aggregation's other workers can commit, for all count for one city; in
    full batches. `page` is of the walk; `dashboard_…` of a page of figures, by who takes it.
    """

    page: float
    take: float
    tail: float
    challenge: float
    deciding: Batch
    decide: float
    hash: float
    folding: Batch
    fold: float
    one_at_a_time: float
    database: float
    broker: float
    dashboard_portal: float
    dashboard_figures: float
    dashboard_database: float
    submission_bytes: int
    outcome_bytes: int
    decision_bytes: int
    counted_bytes: int


@dataclass(frozen=True, slots=True)
class Habits:
    """What citizens do for each rating: assumed, not measured.

    `pages` of the walk, some of its eight twice; `dashboards` looked at; `codes`: the share that a code by
    SMS confirms, which is hashed when it is made and when it is tried.
    """

    pages: float = 10
    dashboards: float = 0.2
    codes: float = 0.1


USUAL = Habits()


@dataclass(frozen=True, slots=True)
class Need:
    """Processes by name, cores that they and the servers keep busy, and disk in GiB after a year."""

    processes: Mapping[str, int]
    cores: Mapping[str, float]
    disk: Mapping[str, float]


def need(rate: float, costs: Costs, habits: Habits = USUAL, *, partitions: int) -> Need:
    """Raises ValueError where no number of replicas is enough."""
    for what, most in reach(costs).items():
        if rate > most:
            raise ValueError(f"{what}: one system takes {most:.0f} a second at most")
    hashing = rate * 2 * habits.codes * costs.hash
    looks = rate * habits.dashboards
    decided = batches(rate, costs.deciding, partitions)
    cores = {
        "portal": rate * habits.pages * costs.page + looks * costs.dashboard_portal,
        "verification API": rate * costs.challenge,
        "verification worker": rate * costs.decide + decided * costs.deciding.worker,
        "aggregation API": looks * costs.dashboard_figures,
    }
    wanted = {name: busy / BUSY for name, busy in cores.items()}
    wanted["verification worker"] = max(wanted["verification worker"], hashing / HASHING / BUSY)
    wanted["aggregation worker"] = rate * costs.fold / BUSY
    wanted["intake"] = rate * costs.take / (BUSY - rate * costs.tail)
    processes = {name: max(REPLICAS, math.ceil(many)) for name, many in wanted.items()}
    for name in ("verification worker", "aggregation worker"):
        if processes[name] > partitions:
            raise ValueError(f"{processes[name]} {name}s want as many partitions, there are {partitions}")
    folded = batches(rate, costs.folding, processes["aggregation worker"])
    cores["verification worker"] += hashing
    cores["aggregation worker"] = rate * costs.fold + folded * costs.folding.worker
    cores["intake"] = rate * (costs.take + processes["intake"] * costs.tail)
    cores["Kafka"] = COPIES * (rate * costs.broker + decided * costs.deciding.broker)
    cores["PostgreSQL"] = (
        rate * costs.database
        + decided * costs.deciding.database
        + folded * costs.folding.database
        + looks * costs.dashboard_database
    )
    a_day = rate * DAY * OPEN_SHARE / GIB
    disk = {
        RATING_SUBMISSIONS.name: a_day * SUBMISSIONS_KEPT_DAYS * costs.submission_bytes * COPIES,
        RATING_OUTCOMES.name: a_day * 365 * costs.outcome_bytes * COPIES,
        "decisions": a_day * (SUBMISSIONS_KEPT_DAYS + 7) * costs.decision_bytes * COPIES,
        "read models": a_day * 365 * costs.counted_bytes * 2,
    }
    return Need(processes, cores, disk)


def batches(rate: float, batch: Batch, readers: int) -> float:
    """How many there are in a second: one for each message, until messages come while one lasts."""
    return min(rate, readers / batch.lasts)


def reach(costs: Costs) -> dict[str, float]:
    """Ratings that one system can take, by what bounds it."""
    return {
        "every replica of intake reads all submissions": BUSY / costs.tail,
        "one batch of a city is committed at a time": BUSY / costs.one_at_a_time,
    }
