"""What grew: each number of each process against its limit."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from faults.soaking.sampling import Sample
from faults.soaking.slopes import Limit, Points, Trend, trend

LIMITS = {
    # At 10 ratings a second and replica: a leak of 200 bytes a rating is found in half an hour.
    "private": Limit("MiB", per_hour=6.0, at_least=1.5, share=0.03),
    "files": Limit("files", per_hour=6.0, at_least=2.5, share=0.1, wanders=True),
    "threads": Limit("threads", per_hour=3.0, at_least=1.5, share=0.1, wanders=True),
    "connections": Limit("connections", per_hour=6.0, at_least=2.5, share=0.1, wanders=True),
}
HEAPS = {"kafka": 512.0}
"""A JVM fills the heap that it may have (-Xmx256m) before it collects: its memory is held to a bound, in MiB
private, and not to a slope."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`wrong` is empty where nothing is."""

    process: str
    what: str
    unit: str
    trend: Trend
    wrong: str


def points_of(samples: Sequence[Sample], process: str, what: str) -> Points:
    """PostgreSQL's memory is as for its usual number of processes: clients' pools open and close some."""
    taken = [each for each in samples if each.name == process]
    if process == "postgres" and what == "private":
        usual = median(each.threads for each in taken)
        return [(each.at, each.private / each.threads * usual) for each in taken]
    return [(each.at, float(getattr(each, what))) for each in taken]


def judge(samples: Sequence[Sample], *, warm_up: float) -> list[Verdict]:
    """Of every process, in the order in which they were first seen. `warm_up` in seconds.

    Raises ValueError where there is too little to judge.
    """
    found = []
    for process in dict.fromkeys(each.name for each in samples):
        for what, limit in LIMITS.items():
            if what == "connections" and process != "postgres":
                continue
            points = points_of(samples, process, what)
            seen = trend(points, after=warm_up)
            found.append(Verdict(process, what, limit.unit, seen, _wrong(process, what, seen, points)))
    return found


def _wrong(process: str, what: str, seen: Trend, points: Points) -> str:
    heap = next((bound for name, bound in HEAPS.items() if process.startswith(name)), None)
    if what == "private" and heap is not None:
        most = max(value for _, value in points)
        return f"{most:.0f} MiB, more than {heap:.0f}" if most > heap else ""
    limit = LIMITS[what]
    if seen.grows(limit):
        return f"grows by {seen.slope:.1f} {limit.unit} an hour ({limit.per_hour:.0f} allowed)"
    return ""
