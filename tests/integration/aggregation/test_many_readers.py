"""Many readers of one API process miss no change, and come back by themselves after it was killed.

`make bench-live` does the same with five hundred, on one core, and says how long it takes.
"""

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from benchmarks import live_readers
from tests.support.stack import own_database

pytestmark = pytest.mark.any_servers

READERS, CHANGES = 40, 3


@pytest.fixture
async def database(postgres: str) -> AsyncIterator[str]:
    async with own_database(postgres, f"readers_{secrets.token_hex(4)}") as url:
        yield url


async def test_no_reader_misses_a_change_and_all_come_back_after_the_api_was_killed(
    database: str, tmp_path: Path
) -> None:
    found = await live_readers.run(database, tmp_path, READERS, CHANGES)
    assert found.missed == 0
    assert len(found.delays) == READERS * CHANGES, "each saw each change before the next was made"
    assert len(found.back) == READERS
    assert found.anew == 0, "they were told what changed meanwhile, not everything again"
