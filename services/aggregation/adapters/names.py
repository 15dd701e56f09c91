"""Names, and policies, texts and scales of editions, in PostgreSQL, for the worker."""

import json
from collections.abc import Iterable, Iterator, Sequence

import asyncpg

from chassis import postgres
from contracts.events import EditionPublished, OfficerPublished, Text, UnitPublished
from services.aggregation.naming import Change

_UNITS = """
INSERT INTO unit (
    id, name, group_id, group_name, group_position, position, source_offset, closed_on, merged_into
)
SELECT * FROM unnest(
    $1::text[], $2::jsonb[], $3::text[], $4::jsonb[], $5::int[], $6::int[], $7::bigint[], $8::date[],
    $9::text[]
)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, group_id = excluded.group_id,
    group_name = excluded.group_name, group_position = excluded.group_position,
    position = excluded.position, source_offset = excluded.source_offset, closed_on = excluded.closed_on,
    merged_into = excluded.merged_into
"""
_OFFICERS = """
INSERT INTO officer (id, name, unit_id, position)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int[])
ON CONFLICT (id) DO UPDATE SET name = excluded.name, unit_id = excluded.unit_id, position = excluded.position
"""
# Batches stay those that an edition began with: what is released must not depend on when it is folded.
_EDITIONS = """
INSERT INTO publication (edition_id, officer_batch, officer_hour, suppress_below)
SELECT * FROM unnest($1::text[], $2::int[], $3::int[], $4::int[])
ON CONFLICT (edition_id) DO UPDATE SET officer_hour = excluded.officer_hour,
    suppress_below = excluded.suppress_below
"""
# What an edition no longer says stays: ratings of then may have it.
_TEXTS = """
INSERT INTO edition_text (edition_id, kind, item, position, text)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::jsonb[])
ON CONFLICT (edition_id, kind, item) DO UPDATE SET position = excluded.position, text = excluded.text
"""
_SCALES = """
INSERT INTO scale (edition_id, scales) SELECT * FROM unnest($1::text[], $2::jsonb[])
ON CONFLICT (edition_id) DO UPDATE SET scales = excluded.scales
"""


class PostgresNames:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    def outage(self, error: BaseException) -> bool:
        return isinstance(error, asyncpg.DeadlockDetectedError) or postgres.is_outage(error)

    async def replace(self, entries: Iterable[Change]) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("DELETE FROM unit")
            await connection.execute("DELETE FROM officer")
            await _put(connection, list(entries))

    async def change(self, changes: Iterable[Change]) -> None:
        changed = list(changes)
        async with self._pool.acquire() as connection, connection.transaction():
            for table in ("unit", "officer"):
                prefix = f"{table}:"
                removed = [
                    change.key.removeprefix(prefix)
                    for change in changed
                    if change.entry is None and change.key.startswith(prefix)
                ]
                await connection.execute(f"DELETE FROM {table} WHERE id = ANY ($1::text[])", removed)  # noqa: S608
            await _put(connection, changed)


async def _put(connection: "asyncpg.pool.PoolConnectionProxy", changes: Sequence[Change]) -> None:
    # In one order, so that two workers do not lock each other out.
    units = sorted(
        ((c.entry, c.offset) for c in changes if isinstance(c.entry, UnitPublished)),
        key=lambda u: u[0].unit_id,
    )
    officers = sorted(
        (c.entry for c in changes if isinstance(c.entry, OfficerPublished)), key=lambda o: o.officer_id
    )
    await connection.execute(
        _UNITS,
        [unit.unit_id for unit, _ in units],
        [json.dumps(unit.name.model_dump()) for unit, _ in units],
        [unit.group_id for unit, _ in units],
        [json.dumps(unit.group_name.model_dump()) for unit, _ in units],
        [unit.group_position for unit, _ in units],
        [unit.position for unit, _ in units],
        [offset for _, offset in units],
        [unit.closed_on for unit, _ in units],
        [unit.merged_into for unit, _ in units],
    )
    await connection.execute(
        _OFFICERS,
        [officer.officer_id for officer in officers],
        [officer.name for officer in officers],
        [officer.unit_id for officer in officers],
        [officer.position for officer in officers],
    )
    editions = sorted(
        (c.entry for c in changes if isinstance(c.entry, EditionPublished)), key=lambda e: e.edition_id
    )
    policies = [edition.policy.publication for edition in editions]
    await connection.execute(
        _EDITIONS,
        [edition.edition_id for edition in editions],
        [policy.officer_batch for policy in policies],
        [policy.officer_hour for policy in policies],
        [policy.suppress_below for policy in policies],
    )
    scales = {e.edition_id: e.instrument.scales for e in editions}
    await connection.execute(
        _SCALES,
        list(scales),
        [json.dumps([scale.model_dump(mode="json") for scale in its]) for its in scales.values()],
    )
    for edition in editions:
        texts = {(kind, item): json.dumps(text.model_dump()) for kind, item, text in _texts(edition)}
        await connection.execute(
            _TEXTS,
            [edition.edition_id] * len(texts),
            [kind for kind, _ in texts],
            [item for _, item in texts],
            list(range(len(texts))),
            list(texts.values()),
        )


def _texts(edition: EditionPublished) -> Iterator[tuple[str, str, Text]]:
    """Kind, item and text of all that the edition says, in its order."""
    instrument = edition.instrument
    yield "title", "", edition.title
    yield "question", "", instrument.question
    for kind, choices in (("answer", instrument.answers), ("reason", instrument.reasons)):
        for choice in choices:
            yield kind, choice.id, choice.text
