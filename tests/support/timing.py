"""Whether some kind of call takes longer than another, on a machine where anything may take long.

Calls are measured in turns, so that what slows the machine slows all kinds alike. What counts is the ratio of
two medians, and of that what the samples leave no doubt about: the lower end of a bootstrap interval. So a
noisy machine makes the interval wide, and the answer "no difference that is certain".
"""

import random
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import permutations

RELEVANT = 1.25  # less than that drowns in any network
RESAMPLES = 1000
CONFIDENCE = 0.999

Calls = Mapping[str, Callable[[], Awaitable[object]]]


async def in_turns(calls: Calls, *, rounds: int, seed: int = 7) -> dict[str, list[float]]:
    """Seconds that each call took, by its name; the order within a round is drawn anew each time."""
    chance, taken = random.Random(seed), {name: list[float]() for name in calls}
    for _ in range(rounds):
        for name in chance.sample(list(calls), len(calls)):
            started = time.perf_counter()
            await calls[name]()
            taken[name].append(time.perf_counter() - started)
    return taken


def surely_slower_by(one: Sequence[float], other: Sequence[float], *, seed: int = 7) -> float:
    """How many times the median of `other` that of `one` is, at least."""
    chance = random.Random(seed)
    ratios = sorted(
        statistics.median(chance.choices(one, k=len(one)))
        / statistics.median(chance.choices(other, k=len(other)))
        for _ in range(RESAMPLES)
    )
    return ratios[round((1 - CONFIDENCE) / 2 * RESAMPLES)]


def told_apart(taken: Mapping[str, Sequence[float]]) -> list[str]:
    """Which kinds can be told from which by the time they take."""
    return [
        f"{one} takes {ratio:.2f} times as long as {other}"
        for one, other in permutations(taken, 2)
        if (ratio := surely_slower_by(taken[one], taken[other])) > RELEVANT
    ]
