"""Figures and checkpoints in PostgreSQL, for the worker. Tables are found by the session's search_path."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import chain
from typing import TypeAlias

import asyncpg

from chassis import postgres, traces
from contracts.events import Outcome, Publication
from contracts.topics import RATING_OUTCOMES
from services.aggregation.domain import (
    Acceptance,
    Level,
    Once,
    Read,
    Scope,
    Tally,
    acceptances,
    admit,
    first_of_each,
    fold,
    officers_fold,
    parents,
    released_with,
)
from services.aggregation.folding import Counted
from services.aggregation.releasing import Moves, Officer, Standing, moves
from services.aggregation.scales import ScaleTally, scale_tallies

Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy"
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
_NEW_WITHDRAWALS = """
INSERT INTO withdrawn_submission SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING RETURNING submission_id
"""
_ADD = """
INSERT INTO tally AS t (level, scope_id, day, edition_id, measure, item, count, released)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::date[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[]
)
ON CONFLICT (level, scope_id, day, edition_id, measure, item) DO UPDATE SET count = t.count + excluded.count,
    released = t.released + excluded.released
"""
_ACCEPT = """
INSERT INTO acceptance AS a (unit_id, edition_id, day, accepted_day, withdrawn_day, answer, count)
SELECT * FROM unnest($1::text[], $2::text[], $3::date[], $4::date[], $5::date[], $6::text[], $7::bigint[])
ON CONFLICT (unit_id, edition_id, day, accepted_day, withdrawn_day, answer)
DO UPDATE SET count = a.count + excluded.count
"""
_ANSWER = """
INSERT INTO scale_tally AS t (unit_id, edition_id, scale, question, choice, count)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[])
ON CONFLICT (unit_id, edition_id, scale, question, choice) DO UPDATE SET count = t.count + excluded.count
"""
_STANDINGS = """
SELECT o.officer_id, o.edition_id, s.accepted, s.pending, s.since, s.last, p.officer_batch
FROM unnest($1::text[], $2::text[]) AS o (officer_id, edition_id)
LEFT JOIN standing AS s USING (officer_id, edition_id) LEFT JOIN publication AS p USING (edition_id)
"""
_STAND = """
INSERT INTO standing (officer_id, edition_id, accepted, pending, since, last)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::date[], $6::date[])
ON CONFLICT (officer_id, edition_id) DO UPDATE SET accepted = excluded.accepted,
    pending = excluded.pending, since = excluded.since, last = excluded.last
"""
# What was counted in earlier batches; a day that has nothing pending has nothing to release.
_RELEASE = """
UPDATE tally AS t SET released = t.count
FROM unnest($1::text[], $2::text[], $3::date[]) AS o (id, edition_id, since)
WHERE t.level = 'officer' AND t.scope_id = o.id AND t.day >= o.since AND t.edition_id = o.edition_id
  AND t.released <> t.count
"""
# The last statement of the transaction: the row of `revision` stays locked until it commits, so revisions
# become visible in their order, and whoever has seen revision n has seen all up to n. An officer of whom
# nothing was released is made known and otherwise left as they were.
_STAMP = """
WITH next AS (UPDATE revision SET value = value + 1 RETURNING value),
stamped AS (
    INSERT INTO scope (level, id, parent_id, revision, updated_at)
    SELECT u.level, u.id, u.parent_id, CASE WHEN u.moved THEN next.value ELSE 0 END,
           CASE WHEN u.moved THEN clock_timestamp() END
    FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[]) AS u (level, id, parent_id, moved), next
    ON CONFLICT (level, id) DO UPDATE SET revision = excluded.revision, updated_at = excluded.updated_at
        WHERE excluded.revision > 0
)
SELECT value, pg_notify($5, value::text) FROM next
"""


class _Replaced(Exception):
    """A rebuild put other read models in the place of these while we waited for them."""


_RETRIED = (
    _Replaced,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)


class PostgresLedger:
    """`channel` is where new revisions are told."""

    def __init__(self, pool: asyncpg.Pool, *, channel: str = CHANNEL) -> None:
        self._pool = pool
        self._channel = channel

    def outage(self, error: BaseException) -> bool:
        return isinstance(error, _RETRIED) or postgres.is_outage(error)

    async def checkpoints(self, partitions: Sequence[int]) -> dict[int, int]:
        topic, wanted = RATING_OUTCOMES.name, sorted(partitions)
        await self._pool.execute(_FIRST, topic, wanted)
        rows = await self._pool.fetch(_CHECKPOINTS, topic, wanted)
        return {row["partition"]: row["next_offset"] for row in rows}

    @traces.traced("count")
    async def count(self, batch: Mapping[int, Sequence[Read]]) -> Counted:
        topic = RATING_OUTCOMES.name
        async with self._pool.acquire() as connection, connection.transaction():
            # The lock shows a worker that lost the partition unknowingly what the new one counted.
            rows = await connection.fetch(_LOCK, topic, sorted(batch))
            if len(rows) < len(batch):
                raise _Replaced
            before = {row["partition"]: row["next_offset"] for row in rows}
            fresh: list[Read] = []
            after: dict[int, int] = {}
            for partition in sorted(batch):
                new, after[partition] = admit(before[partition], batch[partition])
                fresh += new
            if not fresh:
                return Counted(after)
            outcomes = first_of_each(fresh)
            added = await self._new(connection, outcomes)
            due = await _moves(connection, added)
            await self._write(connection, added, due)
            await _stand(connection, due.standings)
            moved = [partition for partition in after if after[partition] != before[partition]]
            await connection.execute(_ADVANCE, topic, moved, [after[partition] for partition in moved])
            revision = await _stamp(connection, parents(added), due.moved, self._channel) if added else None
        read = sum(record.outcome is not None for record in fresh)
        return Counted(after, added, read - len(added), revision)

    async def _new(self, connection: Connection, outcomes: dict[Once, Outcome]) -> Sequence[Outcome]:
        """Those that are not counted yet, in the order of the log."""
        return await _new(connection, outcomes)

    async def _write(self, connection: Connection, added: Sequence[Outcome], due: Moves) -> None:
        await _release(connection, due.earlier)
        await _add(connection, fold(added), officers_fold(chain(*due.held.values())))
        await _sum(connection, _ACCEPT, acceptances(added))
        await _sum(connection, _ANSWER, scale_tallies(added))


async def _new(connection: Connection, outcomes: dict[Once, Outcome]) -> list[Outcome]:
    new: set[Once] = set()
    for withdrawn, statement in ((False, _NEW_SUBMISSIONS), (True, _NEW_WITHDRAWALS)):
        # Numbers sort and are looked up at a fraction of what UUIDs cost.
        asked = {each.submission_id.int: each for each in outcomes if each.withdrawn is withdrawn}
        ids = [asked[number].submission_id for number in sorted(asked)]
        rows = await connection.fetch(statement, ids) if ids else []
        new.update(asked[row["submission_id"].int] for row in rows)
    return [outcome for submission, outcome in outcomes.items() if submission in new]


async def _moves(connection: Connection, outcomes: Sequence[Outcome]) -> Moves:
    officers = sorted({Officer(outcome.officer_id, outcome.edition_id) for outcome in outcomes})
    rows = await connection.fetch(
        _STANDINGS, [each.officer_id for each in officers], [each.edition_id for each in officers]
    )
    before = {
        Officer(row["officer_id"], row["edition_id"]): Standing()
        if row["accepted"] is None
        else Standing(row["accepted"], row["pending"], row["since"], row["last"])
        for row in rows
    }
    usual = Publication().officer_batch
    batches = {row["edition_id"]: row["officer_batch"] or usual for row in rows}
    return moves(outcomes, before, batches)


async def _release(connection: Connection, earlier: Mapping[Officer, date]) -> None:
    if earlier:
        await connection.execute(
            _RELEASE,
            [officer.officer_id for officer in earlier],
            [officer.edition_id for officer in earlier],
            list(earlier.values()),
        )


async def _stand(connection: Connection, standings: Mapping[Officer, Standing]) -> None:
    if standings:
        await connection.execute(
            _STAND,
            [officer.officer_id for officer in standings],
            [officer.edition_id for officer in standings],
            *map(list, zip(*standings.values(), strict=True)),
        )


async def _add(connection: Connection, increments: Counter[Tally], held: Counter[Tally]) -> None:
    if not increments:
        return
    released = released_with(increments, held)
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
        [released.get(tally, 0) for tally in tallies],
    )


async def _sum(
    connection: Connection, statement: str, increments: Counter[Acceptance] | Counter[ScaleTally]
) -> None:
    if increments:
        # In one order for every writer, as tallies are.
        rows = sorted((*key, count) for key, count in increments.items())
        await connection.execute(statement, *map(list, zip(*rows, strict=True)))


async def _stamp(
    connection: Connection,
    scopes: dict[Scope, str | None],
    moved: frozenset[str],
    channel: str,
) -> int:
    touched = sorted(scopes)
    return int(
        await connection.fetchval(
            _STAMP,
            [scope.level for scope in touched],
            [scope.id for scope in touched],
            [scopes[scope] for scope in touched],
            [scope.level is not Level.OFFICER or scope.id in moved for scope in touched],
            channel,
        )
    )
