"""No test lives on two days."""

import asyncio
from datetime import UTC, datetime, time, timedelta

import pytest

from contracts.city_time import CITY_TIME, city_day

LONGEST = timedelta(seconds=60)


@pytest.fixture(autouse=True)
async def one_day() -> None:
    """Budgets and figures are by the city's day: a test that would see its midnight waits for it first."""
    now = datetime.now(UTC)
    midnight = datetime.combine(city_day(now) + timedelta(days=1), time(), CITY_TIME)
    if midnight - now < LONGEST:
        await asyncio.sleep((midnight - now).total_seconds())
