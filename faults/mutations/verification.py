"""Verification: exactly one outcome, the same one however often, told with the offsets it comes from."""

from faults.mutations.mutation import Change, Mutation

_PARTITION = "services/verification/partition.py"
_DECISIONS = "services/verification/adapters/decisions.py"
_OUTCOME_LOG = "services/verification/adapters/outcome_log.py"

_CODES_END_SOON: tuple[Change, ...] = (
    (
        "services/verification/domain/ratings.py",
        "PHONE_CODE_SENT_WITHIN = timedelta(minutes=5)\nPHONE_CODE_LIFETIME = timedelta(minutes=5)",
        "PHONE_CODE_SENT_WITHIN = timedelta(seconds=8)\nPHONE_CODE_LIFETIME = timedelta(seconds=8)",
    ),
    (_PARTITION, "GRACE = timedelta(seconds=30)", "GRACE = timedelta(seconds=2)"),
)

VERIFICATION = (
    Mutation(
        "offset-before-database",
        "2, 4: decisions are stored before the offset is committed",
        (
            (
                _PARTITION,
                "        result = await self._through_database(lambda: self._decide(batch))\n"
                "        await self._commit(outcomes, result.outcomes, batch.dead_letters,"
                " next_offset=batch.next_offset)\n",
                "        await self._commit(outcomes, (), batch.dead_letters,"
                " next_offset=batch.next_offset)\n"
                "        result = await self._through_database(lambda: self._decide(batch))\n"
                "        await self._commit(outcomes, result.outcomes, ())\n",
            ),
        ),
        "crash at verification-worker before-database-commit",
        "lost",
        "no outcome",
    ),
    Mutation(
        "decision-not-told-again",
        "2: a message processed again gives its outcome again",
        (
            (
                "services/verification/batches.py",
                "        if stored is None or stored.source != self.source:\n",
                "        if stored is None or stored is not None:\n",
            ),
        ),
        "crash at verification-worker after-database-commit",
        "lost",
        "no outcome",
    ),
    Mutation(
        "another-outcome-when-told-again",
        "2: a message processed again gives the same outcome",
        (
            (
                "services/verification/deciding.py",
                "outcome_message(_rated(item, stored), before, stored.decided_at)",
                "outcome_message(_rated(item, stored), before, now)",
            ),
        ),
        "crash at verification-worker after-database-commit",
        "changed",
        "decided it at",
    ),
    Mutation(
        "challenge-redeemed-for-nobody",
        "2, 3: a challenge is stored as used together with the rating that used it (trap 14)",
        (
            (
                _DECISIONS,
                "                    yield transaction\n",
                "                    transaction._pool = self._pool\n                    yield transaction\n",
            ),
            (
                _DECISIONS,
                "        found = await self._connection.fetch(_CLAIMS[kind], list(wanted),"
                " list(wanted.values()))\n",
                "        if kind is Claim.CHALLENGE:\n"
                "            redeemed = await self._pool.fetch(\n"
                '                "INSERT INTO used_challenges (nonce, rating_id) SELECT * FROM"\n'
                '                " unnest($1::bytea[], $2::uuid[]) ON CONFLICT DO NOTHING RETURNING nonce",\n'
                "                list(wanted),\n"
                "                list(wanted.values()),\n"
                "            )\n"
                '            won = {row["nonce"] for row in redeemed}\n'
                "            return {key: wanted[key] if key in won else UUID(int=0) for key in wanted}\n"
                "        found = await self._connection.fetch(_CLAIMS[kind], list(wanted),"
                " list(wanted.values()))\n",
            ),
        ),
        "crash at verification-worker before-database-commit",
        "changed",
        "0 got past `challenge_used`",
    ),
    Mutation(
        "offsets-in-a-transaction-of-their-own",
        "4: outcomes and consumed offsets are one Kafka transaction",
        (
            (
                _OUTCOME_LOG,
                "                where = TopicPartition(RATING_SUBMISSIONS.name, self._partition)\n",
                "                await self._producer.commit_transaction()\n"
                "                await self._producer.begin_transaction()\n"
                "                where = TopicPartition(RATING_SUBMISSIONS.name, self._partition)\n",
            ),
        ),
        "crash at verification-worker after-kafka-commit",
        "doubled",
        "2 outcomes",
    ),
    Mutation(
        "zombies-not-fenced",
        "4: who lost a partition cannot write for it any more (trap 11)",
        (
            (
                _OUTCOME_LOG,
                '        name = f"{TRANSACTIONS}{partition}"\n',
                '        import os\n\n        name = f"{TRANSACTIONS}{partition}-{os.getpid()}"\n',
            ),
            (
                _DECISIONS,
                "                    if newest != epoch:\n",
                "                    if newest is None:\n",
            ),
        ),
        "freeze at verification-worker before-kafka-commit",
        "doubled",
        "2 outcomes",
    ),
    Mutation(
        "expired-forgotten",
        "2: a submission whose code is never entered ends as expired",
        (
            (
                _PARTITION,
                "            await self._commit(outcomes, [message for message, _ in told], (),"
                " expiries=number)\n",
                "            await self._commit(outcomes, (), (), expiries=number)\n",
            ),
        ),
        "freeze verification-worker",
        "lost",
        "(phone-silent)",
        setup=_CODES_END_SOON,
    ),
    Mutation(
        "outage-as-invalid-message",
        "8: an outage never sends a message to the dead-letter topic",
        (
            (
                _PARTITION,
                "        result = await self._through_database(lambda: self._decide(batch))\n",
                "        try:\n"
                "            result = await self._decide(batch)\n"
                "        except Exception as error:\n"
                "            from chassis import postgres\n"
                "            from contracts.dead_letters import dead_letter\n"
                "            from contracts.envelope import InvalidMessage\n\n"
                "            if not postgres.is_outage(error):\n"
                "                raise\n"
                "            letters = [\n"
                "                dead_letter(\n"
                "                    key=each.key,\n"
                "                    value=each.value,\n"
                "                    headers=each.headers,\n"
                '                    topic="rating-submissions",\n'
                "                    partition=self.number,\n"
                "                    offset=each.offset,\n"
                '                    error=InvalidMessage("not decided"),\n'
                "                    at=self._clock(),\n"
                "                )\n"
                "                for each in records\n"
                "            ]\n"
                "            await self._commit(outcomes, (), letters, next_offset=batch.next_offset)\n"
                "            return\n",
            ),
        ),
        "link verification-worker/postgres cut",
        "dead letter",
        "rating-submissions-dlt",
    ),
)
