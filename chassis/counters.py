"""Counters whose labels are known beforehand begin at 0: one that first appears as 1 was, to whoever computes
its increase, always 1."""

from collections.abc import Iterable

from prometheus_client import Counter


def from_zero(counter: Counter, values: Iterable[str]) -> Counter:
    """With each of these values of its one label."""
    for value in values:
        counter.labels(value)
    return counter
