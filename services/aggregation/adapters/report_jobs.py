"""Report jobs in PostgreSQL, for all processes of the API together."""

import json
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
from pydantic import TypeAdapter

from chassis import postgres
from services.aggregation.reports.jobs import File, Job, State, Taken
from services.aggregation.reports.press import Full
from services.aggregation.reports.report import Order

LEASE = timedelta(seconds=15)
KEPT = timedelta(hours=1)
MOST_KEPT = 100
MOST_ATTEMPTS = 3
_ORDER: TypeAdapter[Order] = TypeAdapter(Order)

_SHOWN = "job_id, ordered_at, done, steps, ended_at, file IS NOT NULL AS made, lease_until > now() AS taken"
_FORGET = """
DELETE FROM reports.job WHERE ended_at < now() - $1::interval
OR job_id IN (SELECT job_id FROM reports.job WHERE ended_at IS NOT NULL ORDER BY ended_at DESC OFFSET $2)
"""
_ADD = f"""
INSERT INTO reports.job (job_id, asked)
SELECT $1, $2 WHERE (SELECT count(*) FROM reports.job WHERE ended_at IS NULL) < $3
ON CONFLICT (asked) WHERE ended_at IS NULL DO NOTHING RETURNING {_SHOWN}
"""  # noqa: S608 - our own words
_SAME = f"SELECT {_SHOWN} FROM reports.job WHERE asked = $1 AND ended_at IS NULL"  # noqa: S608
_FIND = f"SELECT {_SHOWN} FROM reports.job WHERE job_id = $1 AND (ended_at > now() - $2::interval OR ended_at IS NULL)"  # noqa: S608, E501
_FILE = "SELECT file, headers FROM reports.job WHERE job_id = $1 AND ended_at > now() - $2::interval"
# What has ended several processes would end all of them.
_GIVE_UP = """
UPDATE reports.job SET ended_at = now() WHERE ended_at IS NULL AND attempts >= $1 AND lease_until < now()
"""
_TAKE = """
UPDATE reports.job SET taken_by = $1, lease_until = now() + $2::interval, attempts = attempts + 1
WHERE job_id = (
    SELECT job_id FROM reports.job WHERE ended_at IS NULL AND lease_until < now()
    ORDER BY ordered_at FOR UPDATE SKIP LOCKED LIMIT 1
) RETURNING job_id, asked
"""
_RENEW = """
UPDATE reports.job SET lease_until = now() + $3::interval, done = $4, steps = $5
WHERE job_id = $1 AND taken_by = $2 AND ended_at IS NULL
"""
_END = """
UPDATE reports.job SET ended_at = now(), file = $3, headers = $4
WHERE job_id = $1 AND taken_by = $2 AND ended_at IS NULL
"""


class PostgresReportJobs:
    """Who takes jobs is known by a name of its own."""

    def __init__(self, pool: asyncpg.Pool, most: int) -> None:
        self._pool = pool
        self._most = most
        self._me = uuid4()

    async def order(self, order: Order) -> Job:
        asked = _ORDER.dump_json(order).decode()
        await self._pool.execute(_FORGET, KEPT, MOST_KEPT)
        row = await self._pool.fetchrow(_ADD, uuid4(), asked, self._most)
        row = row or await self._pool.fetchrow(_SAME, asked)
        if row is None:
            raise Full
        return _job(row)

    async def find(self, job_id: UUID) -> Job | None:
        row = await self._pool.fetchrow(_FIND, job_id, KEPT)
        return None if row is None else _job(row)

    async def file(self, job_id: UUID) -> File | None:
        row = await self._pool.fetchrow(_FILE, job_id, KEPT)
        return None if row is None or row["file"] is None else File(row["file"], json.loads(row["headers"]))

    async def take(self) -> Taken | None:
        await self._pool.execute(_GIVE_UP, MOST_ATTEMPTS)
        row = await self._pool.fetchrow(_TAKE, self._me, LEASE)
        return None if row is None else Taken(row["job_id"], _ORDER.validate_json(row["asked"]))

    async def renew(self, taken: Taken, done: int, steps: int) -> None:
        await self._pool.execute(_RENEW, taken.job_id, self._me, LEASE, done, steps)

    async def end(self, taken: Taken, file: File | None) -> None:
        content, headers = (None, None) if file is None else (file.content, json.dumps(dict(file.headers)))
        await self._pool.execute(_END, taken.job_id, self._me, content, headers)

    def outage(self, error: BaseException) -> bool:
        return postgres.is_outage(error)


def _job(row: asyncpg.Record) -> Job:
    ended = row["ended_at"]
    if ended is not None:
        state = State.READY if row["made"] else State.FAILED
    else:
        state = State.MAKING if row["taken"] else State.WAITING
    return Job(
        id=row["job_id"],
        state=state,
        done=row["done"],
        steps=row["steps"],
        ordered_at=row["ordered_at"],
        ended_at=ended,
        expires_at=None if ended is None else ended + KEPT,
    )
