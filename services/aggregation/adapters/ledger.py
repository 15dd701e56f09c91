"""Figures and checkpoints in PostgreSQL, for the worker. Tables are found by the session's search_path."""

from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg

from chassis import postgres
from contracts.events import Outcome
from contracts.topics import RATING_OUTCOMES
from services.aggregation.domain import Read, Scope, Tally, admit, first_of_each, fold, parents
from services.aggregation.folding import Counted

CHANNEL = "figures"
SEARCH_PATH = "read_models, directory"
# A worker that freezes inside a transaction must not hold the city's rows for ever.
IDLE_IN_TRANSACTION = "10s"

_FIRST = """
INSERT INTO checkpoint (topic, partition, next_offset) SELECT $1, unnest($2::int[]), 0 ON CONFLICT DO NOTHING
"""
_CHECKPOINTS = (
    "SELECT partition, next_offset FROM checkpoint WHERE topic = $1 AND partition = ANY ($2::int[])"
)
_LOCK = _CHECKPOINTS + " ORDER BY partition FOR UPDATE"
_ADVANCE = """
UPDATE checkpoint SET next_offset = n.next_offset
FROM unnest($2::int[], $3::bigint[]) AS n (partition, next_offset)
WHERE checkpoint.topic = $1 AND checkpoint.partition = n.partition
"""
_NEW_SUBMISSIONS = """
INSERT INTO counted_submission SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING RETURNING submission_id
"""
_ADD = """
INSERT INTO tally AS t (level, scope_id, day, edition_id, measure, item, count)
SELECT * FROM unnest($1::text[], $2::text[], $3::date[], $4::text[], $5::text[], $6::text[], $7::bigint[])
ON CONFLICT (level, scope_id, day, edition_id, measure, item) DO UPDATE SET count = t.count + excluded.count
"""
# The last statement of the transaction: the row of `revision` stays locked until it commits, so revisions
# become visible in their order, and whoever has seen revision n has seen all up to n.
_STAMP = """
WITH next AS (UPDATE revision SET value = value + 1 RETURNING value),
stamped AS (
    INSERT INTO scope (level, id, parent_id, revision, updated_at)
    SELECT u.level, u.id, u.parent_id, next.value, clock_timestamp()
    FROM unnest($1::text[], $2::text[], $3::text[]) AS u (level, id, parent_id), next
    ON CONFLICT (level, id) DO UPDATE SET revision = excluded.revision, updated_at = excluded.updated_at
)
SELECT value, pg_notify($4, value::text) FROM next
"""
_RETRIED = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)


class PostgresLedger:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    def outage(self, error: BaseException) -> bool:
        return isinstance(error, _RETRIED) or postgres.is_outage(error)

    async def checkpoints(self, partitions: Sequence[int]) -> dict[int, int]:
        topic, wanted = RATING_OUTCOMES.name, sorted(partitions)
        await self._pool.execute(_FIRST, topic, wanted)
        rows = await self._pool.fetch(_CHECKPOINTS, topic, wanted)
        return {row["partition"]: row["next_offset"] for row in rows}

    async def count(self, batch: Mapping[int, Sequence[Read]]) -> Counted:
        topic = RATING_OUTCOMES.name
        async with self._pool.acquire() as connection, connection.transaction():
            # The lock shows a worker that lost the partition unknowingly what the new one counted.
            rows = await connection.fetch(_LOCK, topic, sorted(batch))
            before = {row["partition"]: row["next_offset"] for row in rows}
            fresh: list[Read] = []
            after: dict[int, int] = {}
            for partition in sorted(batch):
                new, after[partition] = admit(before[partition], batch[partition])
                fresh += new
            if not fresh:
                return Counted(after)
            outcomes = first_of_each(fresh)
            added = await _new(connection, outcomes)
            await _add(connection, fold(added))
            moved = [partition for partition in after if after[partition] != before[partition]]
            await connection.execute(_ADVANCE, topic, moved, [after[partition] for partition in moved])
            revision = await _stamp(connection, parents(added)) if added else None
        read = sum(record.outcome is not None for record in fresh)
        return Counted(after, added, read - len(added), revision)


async def _new(
    connection: "asyncpg.pool.PoolConnectionProxy", outcomes: dict[UUID, Outcome]
) -> list[Outcome]:
    rows = await connection.fetch(_NEW_SUBMISSIONS, sorted(outcomes))
    return [outcomes[UUID(int=row["submission_id"].int)] for row in rows]


async def _add(connection: "asyncpg.pool.PoolConnectionProxy", increments: Counter[Tally]) -> None:
    if not increments:
        return
    tallies = sorted(increments, key=lambda tally: tally.order)
    await connection.execute(
        _ADD,
        [tally.scope.level for tally in tallies],
        [tally.scope.id for tally in tallies],
        [tally.day for tally in tallies],
        [tally.edition_id for tally in tallies],
        [tally.measure for tally in tallies],
        [tally.item for tally in tallies],
        [increments[tally] for tally in tallies],
    )


async def _stamp(connection: "asyncpg.pool.PoolConnectionProxy", scopes: dict[Scope, str | None]) -> int:
    touched = sorted(scopes)
    return int(
        await connection.fetchval(
            _STAMP,
            [scope.level for scope in touched],
            [scope.id for scope in touched],
            [scopes[scope] for scope in touched],
            CHANNEL,
        )
    )
