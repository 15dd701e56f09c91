"""The database made to agree with the log, in one transaction that shuts all workers out."""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg

from chassis.postgres import CONNECT_SECONDS
from contracts.events import Assurance, RejectionReason
from services.verification.adapters import rows
from services.verification.adapters.decisions import PostgresTransaction
from services.verification.catching_up import TakenOver, Told
from services.verification.domain.ratings import Accepted, Claim, Decided, Rejected
from services.verification.ports import Key

# A table of the transaction's own, which ends with it. No temporary one: roles may have no right to those.
_BEGIN = """
CREATE UNLOGGED TABLE told (
    submission_id uuid PRIMARY KEY, status text NOT NULL, reason text, assurance text,
    decided_at timestamptz NOT NULL, withdrawn_at timestamptz, withdrawal text, withdrawal_reason text,
    withdrawal_wave_id uuid
);
UPDATE partitions SET epoch = epoch + 1
"""
_TELL = """
INSERT INTO told (submission_id, status, reason, assurance, decided_at)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
ON CONFLICT DO NOTHING
"""
_TELL_WITHDRAWN = """
UPDATE told AS t SET withdrawn_at = $2, withdrawal = $3, withdrawal_reason = $4, withdrawal_wave_id = $5
WHERE submission_id = $1 AND withdrawn_at IS NULL
"""
# What was withdrawn is what the log says; a request for more is read again.
_WITHDRAWN = """
UPDATE ratings AS r SET withdrawn_at = t.withdrawn_at, withdrawal = t.withdrawal,
    withdrawal_reason = t.withdrawal_reason, withdrawal_wave_id = t.withdrawal_wave_id,
    withdrawal_partition = 0, withdrawal_offset = -1
FROM told AS t WHERE t.submission_id = r.submission_id
    AND (r.withdrawn_at IS NOT NULL OR t.withdrawn_at IS NOT NULL)
"""
_FORGOTTEN = """
SELECT rating_id FROM ratings AS r WHERE status <> 'phone_code_needed'
AND NOT EXISTS (SELECT FROM told AS t WHERE t.submission_id = r.submission_id)
"""
_TABLES = (
    "phone_code_tries",
    "sms_queue",
    "phone_codes",
    "idempotency_tokens",
    "used_challenges",
    "slots",
    "ratings",
)
_TOLD = "SELECT * FROM told WHERE submission_id = ANY ($1::uuid[])"
# `xmax` is 0 where the row is new.
_TAKE_OVER = """
INSERT INTO ratings AS r (rating_id, submission_id, status, reason, assurance, decided_at, accepted_as,
    source_partition, source_offset)
SELECT *, 0, -1 FROM unnest(
    $1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[]
)
ON CONFLICT (rating_id) DO UPDATE SET status = excluded.status, reason = excluded.reason,
    assurance = coalesce(excluded.assurance, r.assurance), decided_at = excluded.decided_at,
    accepted_as = coalesce(excluded.accepted_as, r.accepted_as)
RETURNING xmax = 0 AS new
"""
_WITHDRAWABLE = """
SELECT rating_id FROM ratings WHERE rating_id = ANY ($1::uuid[]) AND withdrawn_at IS NULL
AND (status = 'accepted' OR reason = 'duplicate')
"""
_SETTLED = """
SELECT t.event_id FROM unnest($1::uuid[], $2::uuid[]) AS t (event_id, rating_id)
WHERE EXISTS (SELECT FROM phone_code_tries AS c WHERE c.event_id = t.event_id)
OR EXISTS (SELECT FROM ratings AS r WHERE r.rating_id = t.rating_id AND r.status <> 'phone_code_needed')
"""
# No message has this offset, so nothing that is read again passes for what led to a decision.
_END = """
UPDATE ratings SET source_offset = -1, source_expiry = NULL WHERE status <> 'phone_code_needed';
UPDATE ratings SET withdrawal_offset = -1 WHERE withdrawn_at IS NOT NULL;
UPDATE phone_codes AS c SET awaiting = false, pseudonym = '' FROM ratings AS r
    WHERE c.awaiting AND r.rating_id = c.rating_id AND r.status <> 'phone_code_needed';
DELETE FROM sms_queue AS q USING ratings AS r
    WHERE r.rating_id = q.rating_id AND r.status <> 'phone_code_needed';
DROP TABLE told
"""


class PostgresStore:
    def __init__(self, url: str) -> None:
        self._url = url

    @asynccontextmanager
    async def agreeing(self) -> AsyncIterator["PostgresAgreeing"]:
        connection: asyncpg.Connection = await asyncpg.connect(self._url, timeout=CONNECT_SECONDS)
        try:
            async with connection.transaction():
                await connection.execute(_BEGIN)
                yield PostgresAgreeing(connection)
                await connection.execute(_END)
        finally:
            await connection.close(timeout=CONNECT_SECONDS)


class PostgresAgreeing:
    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def tell(self, told: Sequence[Told]) -> None:
        await self._connection.execute(_TELL, *_columns([each for each in told if each.withdrawn is None]))
        await self._connection.executemany(
            _TELL_WITHDRAWN,
            [
                (each.submission_id, each.withdrawn_at, by.kind.value, by.reason, by.wave_id)
                for each in told
                if (by := each.withdrawn) is not None
            ],
        )

    async def forget(self) -> int:
        ids = [row["rating_id"] for row in await self._connection.fetch(_FORGOTTEN)]
        for table in _TABLES:
            await self._connection.execute(f"DELETE FROM {table} WHERE rating_id = ANY ($1::uuid[])", ids)  # noqa: S608
        await self._connection.execute(_WITHDRAWN)
        return len(ids)

    async def told(self, ids: Collection[UUID]) -> Mapping[UUID, Told]:
        found = [_told(row) for row in await self._connection.fetch(_TOLD, list(ids))]
        return {each.submission_id: each for each in found}

    async def take_over(self, decisions: Sequence[TakenOver]) -> int:
        """Where a message is there twice, it is one decision."""
        once = {each.rating_id: each for each in decisions}
        told = [each.told for each in once.values()]
        rated = [
            each.rated.model_dump_json() if isinstance(each.told.decided, Accepted) else None
            for each in once.values()
        ]
        made = await self._connection.fetch(_TAKE_OVER, list(once), *_columns(told), rated)
        await self._connection.execute(_WITHDRAWN + " AND r.rating_id = ANY ($1::uuid[])", list(once))
        wanted: dict[Claim, dict[Key, UUID]] = defaultdict(dict)
        for each in once.values():
            for claim, key in each.claims.items():
                wanted[claim].setdefault(key, each.rating_id)
        for claim in sorted(wanted):
            await PostgresTransaction(self._connection, partition=0).claim(claim, wanted[claim])
        return sum(row["new"] for row in made)

    async def known(self, ratings: Collection[UUID]) -> Collection[UUID]:
        found = await self._connection.fetch(
            "SELECT rating_id FROM ratings WHERE rating_id = ANY ($1::uuid[])", list(ratings)
        )
        return {row["rating_id"] for row in found}

    async def withdrawable(self, ratings: Collection[UUID]) -> Collection[UUID]:
        found = await self._connection.fetch(_WITHDRAWABLE, list(ratings))
        return {row["rating_id"] for row in found}

    async def settled(self, tries: Mapping[UUID, UUID]) -> Collection[UUID]:
        found = await self._connection.fetch(_SETTLED, list(tries), list(tries.values()))
        return {row["event_id"] for row in found}


def _columns(told: Sequence[Told]) -> list[list[object]]:
    rows_ = [(each.submission_id, *rows.columns(each.decided), each.decided_at) for each in told]
    return [list(column) for column in zip(*rows_, strict=True)] if rows_ else [[] for _ in range(5)]


def _told(row: asyncpg.Record) -> Told:
    decided: Decided = (
        Accepted(Assurance(row["assurance"]))
        if row["status"] == "accepted"
        else Rejected(RejectionReason(row["reason"]))
    )
    return Told(UUID(int=row["submission_id"].int), decided, row["decided_at"])
