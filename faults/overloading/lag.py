"""How late a process's event loop is, by its own histogram."""

import re

from deploy.local.http_process import get

LAG = re.compile(r'event_loop_lag_seconds_bucket\{le="([^"]+)"\} (\S+)')


async def lags(port: int) -> dict[float, float]:
    """How often the event loop of the process on that port was late by at most so many seconds."""
    _, shown = await get(port, "/metrics")
    return {float(le): float(count) for le, count in LAG.findall(shown)}


def percentile_of(before: dict[float, float], after: dict[float, float], share: float) -> float:
    """The upper end of the bucket that holds it."""
    counts = {le: count - before.get(le, 0.0) for le, count in after.items()}
    total = max(counts.values(), default=0.0)
    return min((le for le, count in counts.items() if count >= share * total), default=0.0)
