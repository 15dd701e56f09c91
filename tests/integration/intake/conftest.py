from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.intake_world import World, a_world


@pytest.fixture
async def world(kafka_bootstrap: str, tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(kafka_bootstrap, tmp_path) as world:
        yield world
