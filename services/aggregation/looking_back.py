"""To which days a unit's figures can be followed back without giving away what few people said. Pure.

A figure as of an earlier day, taken from today's, is what was accepted since; and taken from the figures of
the days up to then, what was submitted in time and accepted late. Either may be a single rating. So not every
day can be looked back to: only those that cut all ratings, by when they were submitted and when they were
accepted, into blocks of which none is small. What is public is then made of blocks, and so is every
difference (see `suppression`).

A rating that was withdrawn is in the figures as of days from its acceptance to its withdrawal: those of one
block have both of these in the same two. Where no day in between can be looked back to, no figure holds it.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from datetime import date

from services.aggregation.domain import ALL_DAYS

NEVER = -1
Cell = tuple[date, date, date]
"""Submitted on, accepted on, withdrawn on (ALL_DAYS: never)."""


def cuts(counts: Mapping[Cell, int], hidden: Mapping[date, str], below: int) -> list[date]:
    """The days that can be looked back to, each the earliest possible. `hidden`: days of submission whose
    figures are not shown, by the public sum that they are in; the days of each make blocks of their own."""
    days = sorted({day for _, accepted, withdrawn in counts for day in (accepted, withdrawn)} - {ALL_DAYS})
    late = {cell: count for cell, count in counts.items() if not _in_time(cell)}
    in_time = {hidden.get(day, ""): [0] for day in days}  # of the first so many days
    for day in days:
        for each, sums in in_time.items():
            sums.append(
                sums[-1] + (counts.get((day, day, ALL_DAYS), 0) if hidden.get(day, "") == each else 0)
            )
    found: list[date] = []
    begun = 0
    for ended, day in enumerate(days, start=1):
        cut = [*found, day]
        blocks: Counter[tuple[int, str, int, int]] = Counter()
        for each, sums in in_time.items():
            blocks[len(found), each, len(found), NEVER] += sums[ended] - sums[begun]
            blocks[len(cut), each, len(cut), NEVER] += sums[-1] - sums[ended]
        for (submitted, accepted, withdrawn), count in late.items():
            moved = accepted if withdrawn == ALL_DAYS else withdrawn
            if found and moved <= found[-1]:
                continue  # what was over before is cut already
            came = bisect_left(cut, accepted)
            went = NEVER if withdrawn == ALL_DAYS else bisect_left(cut, withdrawn)
            if went != came:
                blocks[bisect_left(cut, submitted), hidden.get(submitted, ""), came, went] += count
        if all(count == 0 or count >= below for count in blocks.values()):
            found, begun = cut, ended
    return found


def _in_time(cell: Cell) -> bool:
    """Accepted on its day, and not withdrawn."""
    submitted, accepted, withdrawn = cell
    return submitted == accepted and withdrawn == ALL_DAYS
