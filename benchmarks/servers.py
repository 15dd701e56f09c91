"""An embedded PostgreSQL of a benchmark's own."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg

from chassis import postgres
from deploy.local.ports import free_ports
from deploy.local.postgres import SUPERUSER, Database
from services.aggregation.adapters.ledger import SEARCH_PATH

MIGRATIONS = Path(__file__).parent.parent / "services" / "aggregation" / "migrations"


@contextmanager
def _own_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)  # the database runs as somebody else where we are root
        yield Path(name)


@asynccontextmanager
async def own_postgres() -> AsyncIterator[tuple[str, Path]]:
    """Its superuser's URL, and a folder beside it; both are gone afterwards."""
    with _own_folder() as folder:
        async with Database(
            folder / "data", port=free_ports(1)[0], secrets_directory=folder / "keys"
        ) as database:
            yield database.url(SUPERUSER), folder


@asynccontextmanager
async def figures_pool(url: str) -> AsyncIterator[asyncpg.Pool]:
    """As the API's is."""
    pool = await postgres.create_pool(url, name="benchmark", most=2, tidied=False, search_path=SEARCH_PATH)
    try:
        yield pool
    finally:
        await pool.close()
