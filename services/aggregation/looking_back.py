"""To which days a unit's figures can be followed back without giving away what few people said. Pure.

A figure as of an earlier day, taken from today's, is what was accepted since; and taken from the figures of
the days up to then, what was submitted in time and accepted late. Either may be a single rating. So not every
day can be looked back to: only those that cut all ratings, by when they were submitted and when they were
accepted, into blocks of which none is small. What is public is then made of blocks, and so is every
difference (see `suppression`).
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from datetime import date

Cell = tuple[date, date]
"""Submitted on, accepted on."""


def cuts(counts: Mapping[Cell, int], hidden: Mapping[date, str], below: int) -> list[date]:
    """The days that can be looked back to, each the earliest possible. `hidden`: days of submission whose
    figures are not shown, by the public sum that they are in; the days of each make blocks of their own."""
    days = sorted({accepted for _, accepted in counts})
    late = {cell: count for cell, count in counts.items() if cell[0] != cell[1]}
    in_time = {hidden.get(day, ""): [0] for day in days}  # of the first so many days
    for day in days:
        for each, sums in in_time.items():
            sums.append(sums[-1] + (counts.get((day, day), 0) if hidden.get(day, "") == each else 0))
    found: list[date] = []
    begun = 0
    for ended, day in enumerate(days, start=1):
        cut = [*found, day]
        blocks: Counter[tuple[int, str, int]] = Counter()
        for each, sums in in_time.items():
            blocks[len(found), each, len(found)] += sums[ended] - sums[begun]
            blocks[len(cut), each, len(cut)] += sums[-1] - sums[ended]
        for (submitted, accepted), count in late.items():
            if not found or accepted > found[-1]:  # what was accepted before is cut already
                block = bisect_left(cut, submitted), hidden.get(submitted, ""), bisect_left(cut, accepted)
                blocks[block] += count
        if all(count == 0 or count >= below for count in blocks.values()):
            found, begun = cut, ended
    return found
