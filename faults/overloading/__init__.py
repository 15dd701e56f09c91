"""Five times what one intake can take, and what becomes of it."""

from faults.overloading import report
from faults.overloading.running import Order, Overload

__all__ = ["Order", "Overload", "report"]
