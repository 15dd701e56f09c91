"""Has a ratio to a peer become worse than noise explains? Pure.

A machine that is shared makes single rounds wrong by half; so the best round now is compared with the worst
round then, and something is left over.
"""

from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.results import OURS, Results
from benchmarks.rounds import Spread

LEFT_OVER = 0.75


class Compared(NamedTuple):
    row: str
    peer: str
    before: Spread
    now: Spread

    @property
    def worse(self) -> bool:
        return self.now.most < LEFT_OVER * self.before.least


def compare(before: Results, now: Results) -> list[Compared]:
    """Every ratio that both have."""
    return [
        Compared(row, peer, ratio, found)
        for row, peer, ratio in _ratios(before)
        for other, same, found in _ratios(now)
        if (row, peer) == (other, same)
    ]


def _ratios(results: Results) -> Iterator[tuple[str, str, Spread]]:
    for row in results.rows:
        if row.failure or not any(side.name == OURS for side in row.sides):
            continue
        for side in row.sides:
            if side.name != OURS and not side.apart and side.rates and row.side(OURS).rates:
                yield row.key, side.name, row.ratio(side.name)
