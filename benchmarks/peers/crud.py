"""What most teams would build: the same endpoint and rules, a row for each rating, dashboards by GROUP BY.

One INSERT, prepared once for each connection, which also finds a repeated Idempotency-Key. Ratings have the
indexes that dashboards want: a unit's are read from the index alone.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import asyncpg
import typer
from fastapi import FastAPI, Header, Request
from fastapi.responses import JSONResponse

from benchmarks.peers.serving import serve
from contracts.city_time import city_day
from contracts.events import SealingKey
from services.intake.adapters.files import read_files
from services.intake.api import RatingBody
from services.intake.domain.directory import Directory
from services.intake.domain.rating import Sound, judge

TABLE = """
CREATE TABLE rating (
    id uuid PRIMARY KEY,
    idempotency_key text NOT NULL UNIQUE,
    edition_id text NOT NULL,
    group_id text NOT NULL,
    unit_id text NOT NULL,
    officer_id text NOT NULL,
    answer text NOT NULL,
    reason text,
    channel text NOT NULL,
    language text NOT NULL,
    phone text NOT NULL,
    submitted_at timestamptz NOT NULL
)
"""
INSERT = """
INSERT INTO rating VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (idempotency_key) DO NOTHING RETURNING id
"""
EARLIER = "SELECT id FROM rating WHERE idempotency_key = $1"

DASHBOARD_TABLE = """
CREATE UNLOGGED TABLE rated (
    unit_id text NOT NULL, officer_id text NOT NULL, day date NOT NULL, hour smallint NOT NULL,
    answer text NOT NULL, reason text, channel text NOT NULL
)
"""
"""What the dashboards read of a rating; unlogged, because it is filled at once and only read."""
DASHBOARD_FILL = """
INSERT INTO rated
SELECT 'unit-' || u, 'unit-' || u || '.' || (n / 29) % 4, date '2026-01-01' + (random() * 364)::int,
       7 + (random() * 9)::int, CASE WHEN random() < 0.9 THEN 'satisfied' ELSE 'not_satisfied' END,
       CASE WHEN random() < 0.1 THEN (ARRAY['late', 'attitude', 'unclear'])[1 + (random() * 2)::int] END,
       (ARRAY['web', 'portal', 'kiosk'])[1 + (random() * 2)::int]
FROM (SELECT n, n % 29 AS u FROM generate_series({first}, {last}) AS n) AS numbered
"""
DASHBOARD_INDEX = "CREATE INDEX ON rated (unit_id, day) INCLUDE (officer_id, hour, answer, reason, channel)"
_CELLS = """
SELECT answer, reason, channel, hour, extract(isodow FROM day)::int AS weekday, count(*) FROM rated
WHERE unit_id = $1 {0}
GROUP BY GROUPING SETS ((answer), (reason), (channel), (hour), (extract(isodow FROM day)))
"""
_DAYS = """
SELECT day, answer, count(*) FROM rated
WHERE unit_id = $1 AND day BETWEEN date '{0}' AND date '{1}' GROUP BY day, answer
"""
_NOVEMBER = "AND day BETWEEN date '2026-11-01' AND date '2026-11-30'"
DASHBOARD: Mapping[str, Sequence[str]] = {
    "figures": [_CELLS.format("")],
    "figures of a month": [_CELLS.format(_NOVEMBER)],
    "history": [_DAYS.format("2026-11-01", "2026-11-30")],
    "change": [_DAYS.format("2026-11-01", "2026-11-30"), _DAYS.format("2026-10-02", "2026-10-31")],
    "children": ["SELECT officer_id, answer, count(*) FROM rated WHERE unit_id = $1 GROUP BY 1, 2"],
}
"""The queries behind each document of a unit's page."""


def application(database_url: str, directory: Directory) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with asyncpg.create_pool(database_url, min_size=8, max_size=8) as pool:
            app.state.pool = pool
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/v1/ratings", status_code=202)
    async def rate(
        body: RatingBody, request: Request, idempotency_key: Annotated[str, Header(min_length=16)]
    ) -> JSONResponse:
        now = datetime.now(UTC)
        judged = judge(body.rating(body.channel or "web", None), directory, city_day(now))
        if not isinstance(judged, Sound):
            return JSONResponse({"errors": [fault.code for fault in judged]}, status_code=422)
        pool: Any = request.app.state.pool
        async with pool.acquire() as connection:
            rating_id = await connection.fetchval(
                INSERT, uuid4(), idempotency_key, body.edition_id, judged.unit.group_id, judged.unit.unit_id,
                body.officer_id, body.answer, ",".join(body.reasons) or None, body.channel or "web",
                body.language, judged.phone, now,
            )  # fmt: skip
            if rating_id is None:
                rating_id = await connection.fetchval(EARLIER, idempotency_key)
        return JSONResponse({"rating_id": str(rating_id), "status": "pending"}, status_code=202)

    return app


def main(
    port: Annotated[int, typer.Option(help="Of 127.0.0.1.")],
    database_url: Annotated[str, typer.Option(envvar="CRUD_DATABASE_URL", help="Holds the table.")],
    files: Annotated[list[Path], typer.Option("--file", help="Directory and edition files.")],
    sealing_key: Annotated[str, typer.Option(help="Of the edition; unused here.")],
) -> None:
    """Keep ratings in a table.

    Example: python -m benchmarks.peers.crud --port 9002 --database-url … --file data/directory-2017.yaml …
    """
    events = read_files(files, SealingKey.model_validate_json(sealing_key))
    serve(application(database_url, Directory().with_(events)), port)


if __name__ == "__main__":
    typer.run(main)
