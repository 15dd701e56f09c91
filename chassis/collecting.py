"""Python's collector of reference cycles, in processes that hold many records for a moment."""

import gc

ALLOCATED = 100_000


def collect_seldom() -> None:
    """Leave what the process holds by now out of every collection, and collect after more has come.

    Records are freed without the collector: it would walk over all of a batch, and over every loaded module,
    again and again, and find nothing. Cycles (of exceptions, mostly) are still found, a moment later.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATED)
