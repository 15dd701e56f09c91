"""The system in containers, scaled out and in again while ratings come in, and then counted."""

from faults.scaling import report
from faults.scaling.running import Order, Scaling

__all__ = ["Order", "Scaling", "report"]
