"""Each test has a stage with a database of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.aggregation import Stage, a_stage


@pytest.fixture
async def stage(kafka_bootstrap: str, postgres: str, tmp_path: Path) -> AsyncIterator[Stage]:
    async with a_stage(kafka_bootstrap, postgres, tmp_path) as stage:
        yield stage
