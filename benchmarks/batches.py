"""How long a message waits for a worker that takes all that has come, up to a bound, and is away meanwhile.

Both workers read so: a batch costs something for itself and something for each message, so that more messages
at once make each of them cheaper, until a batch is full.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Worker:
    """Seconds for a batch and for each message in it; `most` messages in one. `look`: how often it looks."""

    batch: float
    message: float
    most: int
    look: float = 0.0


def waits(arrivals: NDArray[np.float64], worker: Worker) -> NDArray[np.float64]:
    """From the arrival of each message (ascending) until its batch is done, in seconds."""
    done = np.empty_like(arrivals)
    first, free = 0, 0.0
    while first < len(arrivals):
        begun = max(free, arrivals[first] + worker.look)
        last = min(int(np.searchsorted(arrivals, begun, side="right")), first + worker.most)
        free = begun + worker.batch + worker.message * (last - first)
        done[first:last] = free
        first = last
    return done - arrivals


def come(rate: float, seconds: float, seed: int) -> NDArray[np.float64]:
    """When messages come that know nothing of each other (Poisson)."""
    chance = np.random.default_rng(seed)
    return np.sort(chance.uniform(0.0, seconds, chance.poisson(rate * seconds)))
