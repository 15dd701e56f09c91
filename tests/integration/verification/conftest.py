"""Each test has a world with a database of its own."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest

from chassis.postgres import migrate
from services.verification.bootstrap import api_app
from tests.support.verification import World, a_world, running, until

MIGRATIONS = Path(__file__).parents[3] / "services" / "verification" / "migrations"


@pytest.fixture
async def database_url(postgres: str) -> AsyncIterator[str]:
    name = f"verification_{uuid4().hex[:8]}"
    server = await asyncpg.connect(postgres)
    try:
        await server.execute(f"CREATE DATABASE {name}")
        url = f"{postgres.rsplit('/', 1)[0]}/{name}"
        await migrate(url, MIGRATIONS)
        yield url
    finally:
        await server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await server.close()


@pytest.fixture
async def world(kafka_bootstrap: str, database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(kafka_bootstrap, database_url, tmp_path) as world:
        yield world


@pytest.fixture
async def api(world: World) -> AsyncIterator[httpx.AsyncClient]:
    app = api_app(world.settings)
    async with (
        running(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client,
    ):

        async def connected() -> bool:
            return bool(app.state.readiness.checks["postgres"].ok)

        await until(connected, why="the API hears of decisions")
        yield client
