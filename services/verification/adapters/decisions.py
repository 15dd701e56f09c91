"""Decisions in PostgreSQL, and the transactions in which they are made."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import cast
from uuid import UUID

import asyncpg

from services.verification.adapters import rows
from services.verification.domain.outcomes import Rated
from services.verification.domain.ratings import (
    Accepted,
    AwaitingPhoneCode,
    Claim,
    Decided,
    Rejected,
    State,
    Withdrawn,
    decision,
)
from services.verification.domain.status import public_status
from services.verification.ports import (
    Conflict,
    HashedCodes,
    Key,
    Lost,
    NewPhoneCode,
    NewRating,
    Slot,
    Source,
    Stored,
    Try,
)

CHANNEL = "verification_decisions"
_CLAIM_BYTES = """
    INSERT INTO {table} AS had ({column}, rating_id)
    SELECT * FROM unnest($1::bytea[], $2::uuid[]) AS wanted (key, rating_id) ORDER BY key
    ON CONFLICT ({column}) DO UPDATE SET rating_id = had.rating_id
    RETURNING {column} AS key, rating_id
"""
_CLAIM_SLOT = """
    INSERT INTO slots AS had (pseudonym, officer_id, edition_id, window_number, rating_id)
    SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::integer[], $5::uuid[])
        AS wanted (pseudonym, officer_id, edition_id, window_number, rating_id)
    ORDER BY pseudonym, officer_id, edition_id, window_number
    ON CONFLICT (pseudonym, officer_id, edition_id, window_number) DO UPDATE SET rating_id = had.rating_id
    RETURNING pseudonym, officer_id, edition_id, window_number, rating_id
"""
# For whom wants to be told: with the decision, or not at all.
_TO_TELL = """
    INSERT INTO webhook_outbox (rating_id, client_id, status, reason, decided_at)
    SELECT d.rating_id, r.client_id, d.status, d.reason, $4
    FROM unnest($1::uuid[], $2::text[], $3::text[]) AS d (rating_id, status, reason)
    JOIN ratings AS r USING (rating_id) JOIN webhook_endpoints AS e ON e.client_id = r.client_id
    ON CONFLICT DO NOTHING
"""
_CLAIMS = {
    Claim.IDEMPOTENCY_TOKEN: _CLAIM_BYTES.format(table="idempotency_tokens", column="token"),
    Claim.PROOF_OF_WORK: _CLAIM_BYTES.format(table="used_challenges", column="nonce"),
    Claim.CHALLENGE: _CLAIM_BYTES.format(table="used_challenges", column="nonce"),
}


class PostgresDecisions:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def take_over(self, partition: int) -> int:
        async with self._pool.acquire() as connection:
            epoch = await connection.fetchval(
                "INSERT INTO partitions (partition) VALUES ($1)"
                " ON CONFLICT (partition) DO UPDATE SET epoch = partitions.epoch + 1 RETURNING epoch",
                partition,
            )
        return int(epoch)

    @asynccontextmanager
    async def transaction(self, partition: int, epoch: int) -> AsyncIterator["PostgresTransaction"]:
        async with self._pool.acquire() as connection:
            try:
                async with connection.transaction():
                    newest = await connection.fetchval(
                        "SELECT epoch FROM partitions WHERE partition = $1 FOR UPDATE", partition
                    )
                    if newest != epoch:
                        raise Lost(f"partition {partition}: epoch {epoch}, now {newest}")
                    transaction = PostgresTransaction(cast("asyncpg.Connection", connection), partition)
                    yield transaction
                    if transaction.changed:
                        await connection.execute("SELECT pg_notify($1, '')", CHANNEL)
            except (
                asyncpg.UniqueViolationError,
                asyncpg.DeadlockDetectedError,
                asyncpg.SerializationError,
            ) as error:
                raise Conflict(type(error).__name__) from error

    async def codes(self, ids: Sequence[UUID]) -> Mapping[UUID, HashedCodes]:
        found = await self._pool.fetch(
            "SELECT * FROM phone_codes WHERE awaiting AND rating_id = ANY ($1::uuid[])", ids
        )
        return {row["rating_id"]: rows.codes(row) for row in found}

    async def expired_since(
        self, partition: int, expiries: int
    ) -> Sequence[tuple[Rated, Decided, datetime, int]]:
        # A database restored from an older backup must not number its rounds as ones already told.
        await self._pool.execute(
            "UPDATE partitions SET expiries = greatest(expiries, $2) WHERE partition = $1",
            partition,
            expiries,
        )
        found = await self._pool.fetch(rows.EXPIRED_SINCE, partition, expiries)
        stored = [rows.stored(row) for row in found]
        return [
            (each.rated, each.state, each.decided_at, each.source.expiry)
            for each in stored
            if each.rated and each.source.expiry and isinstance(each.state, Accepted | Rejected)
        ]


class PostgresTransaction:
    """Statements over whole batches; each sends arrays once, whatever the batch's size."""

    def __init__(self, connection: asyncpg.Connection, partition: int) -> None:
        self._connection = connection
        self._partition = partition
        self.changed = False

    async def ratings(self, ids: Sequence[UUID]) -> Mapping[UUID, Stored]:
        found = await self._connection.fetch(rows.BY_ID, ids)
        return {row["rating_id"]: rows.stored(row) for row in found}

    async def tries_counted(self, ids: Sequence[UUID]) -> set[UUID]:
        found = await self._connection.fetch(
            "SELECT event_id FROM phone_code_tries WHERE event_id = ANY ($1::uuid[])", ids
        )
        return {row["event_id"] for row in found}

    async def claim(self, kind: Claim, wanted: Mapping[Key, UUID]) -> Mapping[Key, UUID]:
        if kind is Claim.SLOT:
            return await self._claim_slots(cast("Mapping[Slot, UUID]", wanted))
        found = await self._connection.fetch(_CLAIMS[kind], list(wanted), list(wanted.values()))
        return {row["key"]: row["rating_id"] for row in found}

    async def _claim_slots(self, wanted: Mapping[Slot, UUID]) -> dict[Key, UUID]:
        pseudonyms, officers, editions, windows = zip(*wanted, strict=True)
        found = await self._connection.fetch(
            _CLAIM_SLOT,
            [bytes.fromhex(each) for each in pseudonyms],
            officers,
            editions,
            windows,
            list(wanted.values()),
        )
        return {rows.slot(row): row["rating_id"] for row in found}

    async def add(self, ratings: Sequence[NewRating], codes: Sequence[NewPhoneCode], at: datetime) -> None:
        states = {rating.rating_id: rating.state for rating in ratings}
        columns = [
            (
                *(r.rating_id, r.rated.submission_id, *rows.columns(r.state), at),
                *(r.source.partition, r.source.offset),
                r.rated.model_dump_json() if isinstance(decision(r.state), Accepted) else None,
                r.client_id,
            )
            for r in ratings
        ]
        await self._connection.execute(
            "INSERT INTO ratings (rating_id, submission_id, status, reason, assurance, decided_at,"
            " source_partition, source_offset, accepted_as, client_id) SELECT * FROM unnest($1::uuid[],"
            " $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::integer[],"
            " $8::bigint[], $9::text[], $10::text[])",
            *zip(*columns, strict=True),
        )
        await self._to_tell({r.rating_id: r.state for r in ratings if r.client_id is not None}, at)
        self.changed = True
        if codes:
            await self._add_codes(codes, states, at)

    async def _to_tell(self, states: Mapping[UUID, State], at: datetime) -> None:
        """Of a rating that was withdrawn since, what it was before: a withdrawal is told to nobody."""
        news = []
        for rating_id, state in states.items():
            if (decided := decision(state)) is not None:
                status = public_status(decided, at)
                news.append((rating_id, status.status, status.reason))
        if news:
            await self._connection.execute(_TO_TELL, *zip(*news, strict=True), at)

    async def _add_codes(
        self, codes: Sequence[NewPhoneCode], states: Mapping[UUID, State], at: datetime
    ) -> None:
        # A rating can be decided in the batch that brought it; what its outcome says is kept all the same.
        waiting = {
            code.rating_id: state
            for code in codes
            if isinstance(state := states[code.rating_id], AwaitingPhoneCode)
        }
        await self._connection.executemany(
            "INSERT INTO phone_codes (rating_id, partition, awaiting, expires_at, tries_left, rated,"
            " pseudonym, officer_id, edition_id, window_number)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            [
                (
                    code.rating_id,
                    self._partition,
                    code.rating_id in waiting,
                    waiting[code.rating_id].expires_at if code.rating_id in waiting else at,
                    waiting[code.rating_id].tries_left if code.rating_id in waiting else 0,
                    code.rated.model_dump_json(),
                    bytes.fromhex(code.slot[0]) if code.rating_id in waiting else b"",
                    *code.slot[1:],
                )
                for code in codes
            ],
        )
        await self._connection.executemany(
            "INSERT INTO sms_queue (rating_id, key_id, box, language, origin, created_at, next_attempt_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $6)",
            [
                (code.rating_id, code.phone.key_id, code.phone.box, code.language, code.origin, at)
                for code in codes
                if code.rating_id in waiting
            ],
        )

    async def update(self, states: Mapping[UUID, tuple[State, Source]], at: datetime) -> None:
        decided = [
            (rating_id, *rows.columns(state), at, source.offset, source.expiry)
            for rating_id, (state, source) in states.items()
            if decision(state) is not None
        ]
        if decided:
            await self._connection.executemany(
                "UPDATE ratings SET status = $2, reason = $3, assurance = $4, decided_at = $5,"
                " source_offset = $6, source_expiry = $7 WHERE rating_id = $1",
                decided,
            )
            await self._connection.execute(
                "UPDATE phone_codes SET awaiting = false, pseudonym = '' WHERE rating_id = ANY ($1::uuid[])",
                [row[0] for row in decided],
            )
            await self._connection.execute(
                "DELETE FROM sms_queue WHERE rating_id = ANY ($1::uuid[])", [row[0] for row in decided]
            )
            await self._to_tell({rating_id: state for rating_id, (state, _) in states.items()}, at)
        missed = [
            (rating_id, state.tries_left)
            for rating_id, (state, _) in states.items()
            if isinstance(state, AwaitingPhoneCode)
        ]
        if missed:
            await self._connection.executemany(
                "UPDATE phone_codes SET tries_left = $2 WHERE rating_id = $1", missed
            )
        self.changed = True

    async def withdraw(self, ratings: Mapping[UUID, tuple[Withdrawn, Source]], at: datetime) -> None:
        await self._connection.executemany(
            "UPDATE ratings SET withdrawn_at = $2, withdrawal = $3, withdrawal_reason = $4,"
            " withdrawal_wave_id = $5, withdrawal_partition = $6, withdrawal_offset = $7"
            " WHERE rating_id = $1 AND withdrawn_at IS NULL",
            [
                (rating_id, at, state.kind.value, state.reason, state.wave_id, by.partition, by.offset)
                for rating_id, (state, by) in ratings.items()
            ],
        )
        self.changed = True

    async def count_tries(self, tries: Sequence[Try]) -> None:
        await self._connection.execute(
            "INSERT INTO phone_code_tries (event_id, rating_id) SELECT * FROM unnest($1::uuid[], $2::uuid[])",
            [each.event_id for each in tries],
            [each.rating_id for each in tries],
        )

    async def due(self, reached: datetime, *, most: int) -> Mapping[UUID, Stored]:
        found = await self._connection.fetch(rows.DUE, self._partition, reached, most)
        return {row["rating_id"]: rows.stored(row) for row in found}

    async def next_expiry(self) -> int:
        number = await self._connection.fetchval(
            "UPDATE partitions SET expiries = expiries + 1 WHERE partition = $1 RETURNING expiries",
            self._partition,
        )
        return int(number)
