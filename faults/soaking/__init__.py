"""A steady load for a long while, and whether anything grows under it."""

from faults.soaking import plot, report
from faults.soaking.running import Order, Soak, usual_warm_up

__all__ = ["Order", "Soak", "plot", "report", "usual_warm_up"]
