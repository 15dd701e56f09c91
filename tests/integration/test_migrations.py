"""Migrations are applied once and in order, by however many processes, and never change afterwards."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from chassis.postgres import migrate
from tests.support.stack import own_database


@pytest.fixture
async def url(postgres: str) -> AsyncIterator[str]:
    async with own_database(postgres, f"migrations_{secrets.token_hex(4)}") as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0002_second.sql").write_text("INSERT INTO stars VALUES (2); CREATE TABLE moons ();")
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE stars (n int); INSERT INTO stars VALUES (1);")
    (tmp_path / "notes.sql").write_text("this is no migration")
    return tmp_path


async def rows(url: str, query: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        return [row[0] for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def test_each_is_applied_once_in_the_order_of_names(url: str, folder: Path) -> None:
    assert await migrate(url, folder) == ["0001_first.sql", "0002_second.sql"]
    assert await migrate(url, folder) == []
    (folder / "0003_third.sql").write_text("INSERT INTO stars VALUES (3);")
    assert await migrate(url, folder) == ["0003_third.sql"]
    assert await rows(url, "SELECT n FROM stars ORDER BY n") == [1, 2, 3]


async def test_a_file_that_changed_after_it_was_applied_is_refused(url: str, folder: Path) -> None:
    await migrate(url, folder)
    (folder / "0001_first.sql").write_text("CREATE TABLE stars (n bigint);")
    (folder / "0003_third.sql").write_text("INSERT INTO stars VALUES (3);")
    with pytest.raises(ValueError, match=r"0001_first\.sql was applied and has changed"):
        await migrate(url, folder)
    assert await rows(url, "SELECT n FROM stars ORDER BY n") == [1, 2], "nothing after it was applied"


async def test_many_processes_that_start_at_once_apply_each_once(url: str, folder: Path) -> None:
    applied = await asyncio.gather(*(migrate(url, folder) for _ in range(6)))
    assert sorted(applied) == [[]] * 5 + [["0001_first.sql", "0002_second.sql"]]
    assert await rows(url, "SELECT n FROM stars ORDER BY n") == [1, 2]


async def test_one_that_fails_leaves_nothing_of_itself_and_can_be_mended(url: str, folder: Path) -> None:
    (folder / "0002_second.sql").write_text("INSERT INTO stars VALUES (2); INSERT INTO nowhere VALUES (1);")
    with pytest.raises(asyncpg.UndefinedTableError):
        await migrate(url, folder)
    assert await rows(url, "SELECT n FROM stars") == [1]
    (folder / "0002_second.sql").write_text("INSERT INTO stars VALUES (2);")
    assert await migrate(url, folder) == ["0002_second.sql"]
    assert await rows(url, "SELECT n FROM stars ORDER BY n") == [1, 2]
