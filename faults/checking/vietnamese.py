"""How a report writes figures in Vietnamese, as patterns.

Where a number lies between two that are rounded, either is right.
"""

import re

from faults.checking.comparing import ALIKE, Answered, answered, suppressed
from faults.checking.published import Public

FEW = "Còn quá ít để công bố"
ROUNDED = 0.0006
Line = str | None
"""A pattern of what has to be there; None: a tie leaves it open."""


def row(begins: str, public: Public, *, parts: bool = False) -> Line:
    """A line of a table: ratings (with both answers), the rate and its interval."""
    sure = answered(public)
    if sure is None:
        return None
    if suppressed(public):
        return f"{begins} {FEW}"
    if not sure.total:
        return f"{begins} 0 –"
    both = (sure.satisfied, sure.total - sure.satisfied) if parts else ()
    counts = " ".join(map(number, (sure.total, *both)))
    return f"{begins} {counts} {rate(sure)} {interval(sure)}"


def rate(of: Answered) -> str:
    return percent(of.rate or 0)


def interval(of: Answered) -> str:
    low, high = of.interval or (0, 0)
    return f"{percent(low)} – {percent(high)}"


def number(count: int) -> str:
    """And no part of a longer one."""
    return rf"(?<!\d)(?<!\d[.,]){re.escape(f'{count:,}'.replace(',', '.'))}(?![.,]?\d)"


def percent(share: float) -> str:
    return f"{points(share)}%"


def points(share: float) -> str:
    """With one decimal; where it lies between two, either may be said."""
    both = {f"{100 * each:.1f}".replace(".", ",") for each in (share - ALIKE, share + ALIKE)}
    return rf"(?<!\d)(?:{'|'.join(sorted(each.lstrip('-') for each in both))})"


def signed(share: float) -> str:
    """What is rounded to nothing has no sign."""
    sign = "[+−]?" if abs(share) < ROUNDED else "[+]" if share > 0 else "−"
    return f"{sign}{points(abs(share))}"
