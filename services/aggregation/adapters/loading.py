"""A ledger for tables that begin empty and that nobody reads yet: it appends; sums and keys come at the end.

Looking up each submission, and adding to rows that are there, is most of what counting costs PostgreSQL. Here
every row is new; `complete` sums them up, and adding the keys shows whether any submission came twice.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import asyncpg

from contracts.events import Outcome
from services.aggregation.adapters.ledger import Connection, PostgresLedger
from services.aggregation.domain import (
    ALL_EDITIONS,
    Acceptance,
    Level,
    Measure,
    Once,
    Scope,
    Tally,
    acceptances,
    fold,
    officers_fold,
    released_with,
)
from services.aggregation.releasing import Moves, Officer
from services.aggregation.scales import ScaleTally, scale_tallies

COMPLETE_SECONDS = 3_600.0
SUMMED = {
    "tally": (("level", "scope_id", "day", "edition_id", "measure", "item"), ("count", "released")),
    "acceptance": (
        ("unit_id", "edition_id", "day", "accepted_day", "withdrawn_day", "answer"),
        ("count",),
    ),
    "scale_tally": (("unit_id", "edition_id", "scale", "question", "choice"), ("count",)),
}
LISTED = ("counted_submission", "withdrawn_submission")
LOADED = (*SUMMED, *LISTED)

# The memory is a bound, and given back at the end of the transaction.
_MEMORY = "SET LOCAL work_mem = '128MB'; SET LOCAL maintenance_work_mem = '128MB'"
_HELD = """
SELECT scope_id, edition_id, day, measure, item, (sum(count) - sum(released))::bigint AS held FROM tally
WHERE level = $1 AND edition_id <> $2 GROUP BY 1, 2, 3, 4, 5 HAVING sum(count) <> sum(released)
"""
_KEY = """
SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'p'
"""


class Repeated(Exception):
    """The log holds an outcome twice, so that each submission has to be looked up."""


class LoadingLedger(PostgresLedger):
    """Its tables have no keys. What of officers' figures is not released yet is kept here too."""

    def __init__(self, pool: asyncpg.Pool, *, channel: str) -> None:
        super().__init__(pool, channel=channel)
        self._held: dict[Officer, Counter[Tally]] | None = None

    async def _new(self, connection: Connection, outcomes: dict[Once, Outcome]) -> Sequence[Outcome]:
        for withdrawn, table in zip((False, True), LISTED, strict=True):
            ids = [(each.submission_id,) for each in outcomes if each.withdrawn is withdrawn]
            if ids:
                await connection.copy_records_to_table(table, records=ids)
        return list(outcomes.values())

    async def _write(self, connection: Connection, added: Sequence[Outcome], due: Moves) -> None:
        increments = fold(added)
        held = {officer: officers_fold(outcomes) for officer, outcomes in due.held.items()}
        released = released_with(increments, dict(pair for each in held.values() for pair in each.items()))
        waiting = self._held if self._held is not None else await _still_held(connection)
        for officer in due.earlier:
            for tally, count in waiting.pop(officer, {}).items():
                released[tally] = released.get(tally, 0) + count
        for officer, counts in held.items():
            waiting.setdefault(officer, Counter()).update(counts)
        self._held = waiting
        await connection.copy_records_to_table(
            "tally",
            columns=[*SUMMED["tally"][0], *SUMMED["tally"][1]],
            records=[
                (*_key(tally), increments[tally], released.get(tally, 0))
                for tally in dict.fromkeys((*increments, *released))
            ],
        )
        await _append(connection, "acceptance", acceptances(added))
        await _append(connection, "scale_tally", scale_tallies(added))


async def _append(
    connection: Connection, table: str, counts: Counter[Acceptance] | Counter[ScaleTally]
) -> None:
    await connection.copy_records_to_table(
        table,
        columns=[*SUMMED[table][0], *SUMMED[table][1]],
        records=[(*each, count) for each, count in counts.items()],
    )


def _key(tally: Tally) -> tuple[object, ...]:
    return (tally.scope.level, tally.scope.id, tally.day, tally.edition_id, tally.measure, tally.item)


async def _still_held(connection: Connection) -> dict[Officer, Counter[Tally]]:
    """Where a run that was broken off goes on."""
    found: dict[Officer, Counter[Tally]] = {}
    for row in await connection.fetch(_HELD, Level.OFFICER, ALL_EDITIONS, timeout=COMPLETE_SECONDS):
        scope = Scope(Level.OFFICER, row["scope_id"])
        tally = Tally(scope, row["edition_id"], row["day"], Measure(row["measure"]), row["item"])
        found.setdefault(Officer(scope.id, tally.edition_id), Counter())[tally] = row["held"]
    return found


async def complete(connection: Connection, schema: str, like: str, storage: Mapping[str, str]) -> None:
    """Make of what was loaded what a PostgresLedger goes on with, all or nothing. `storage` says how tables
    are kept. Raises Repeated."""
    seconds = COMPLETE_SECONDS
    async with connection.transaction():
        await connection.execute(_MEMORY)
        for table, (keys, sums) in SUMMED.items():
            names, total = ", ".join((*keys, *sums)), ", ".join(f"sum({each})::bigint" for each in sums)
            await connection.execute(f"ALTER TABLE {schema}.{table} RENAME TO loaded")
            await connection.execute(
                f"CREATE TABLE {schema}.{table} (LIKE {like}.{table} INCLUDING ALL EXCLUDING INDEXES)"
                f" {storage[table]}"
            )
            await connection.execute(
                f"INSERT INTO {schema}.{table} ({names})"  # noqa: S608  our own names
                f" SELECT {', '.join(keys)}, {total} FROM {schema}.loaded GROUP BY {', '.join(keys)}",
                timeout=seconds,
            )
            await connection.execute(f"DROP TABLE {schema}.loaded")
        try:
            for table in LOADED:
                key = await connection.fetchval(_KEY, f"{like}.{table}")
                await connection.execute(f"ALTER TABLE {schema}.{table} ADD {key}", timeout=seconds)
        except asyncpg.UniqueViolationError as error:
            raise Repeated from error
