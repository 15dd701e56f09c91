"""Each guarantee, broken on purpose: what is changed in the code, and what the campaign must then find.

Where two guards stand behind each other, a mutation takes both away; either alone would hide the loss of the
other, which is what they are for.
"""

from dataclasses import dataclass

Change = tuple[str, str, str]  # file, what is there, what is put in its place

_COUNT_AGAIN: Change = (
    "services/aggregation/adapters/ledger.py",
    """    rows = await connection.fetch(_NEW_SUBMISSIONS, sorted(outcomes))
    return [outcomes[UUID(int=row["submission_id"].int)] for row in rows]
""",
    """    await connection.fetch(_NEW_SUBMISSIONS, sorted(outcomes))
    return list(outcomes.values())
""",
)


@dataclass(frozen=True, slots=True)
class Mutation:
    """`faults` are the kinds that bring it to light; one of `found` must be among the findings."""

    name: str
    breaks: str
    changes: tuple[Change, ...]
    faults: str
    found: frozenset[str]
    cycles: int = 2


MUTATIONS = (
    Mutation(
        "confirmed-before-kafka",
        "a 202 means kept",
        (
            (
                "services/intake/adapters/kafka_log.py",
                "                await asyncio.shield(sent)\n",
                "                sent.add_done_callback(lambda done: done.cancelled() or done.exception())\n",
            ),
        ),
        "link intake/kafka cut,broker kill",
        frozenset({"lost"}),
        cycles=3,
    ),
    Mutation(
        "another-id-in-each-process",
        "the same key and body are the same submission, at any replica",
        (
            (
                "services/intake/domain/identity.py",
                "    key = idempotency_key.encode()\n",
                "    import os\n\n    secret += str(os.getpid()).encode()\n"
                "    key = idempotency_key.encode()\n",
            ),
        ),
        "crash at intake after-append",
        frozenset({"doubled"}),
    ),
    Mutation(
        "offset-before-database",
        "decisions are stored before the offset is committed",
        (
            (
                "services/verification/partition.py",
                """        result = await self._through_database(lambda: self._decide(batch))
        await self._commit(outcomes, result.outcomes, batch.dead_letters, next_offset=batch.next_offset)
""",
                """        await self._commit(outcomes, (), batch.dead_letters, next_offset=batch.next_offset)
        result = await self._through_database(lambda: self._decide(batch))
        await self._commit(outcomes, result.outcomes, ())
""",
            ),
        ),
        "crash at verification-worker before-database-commit,"
        "crash at verification-worker after-database-commit",
        frozenset({"lost"}),
    ),
    Mutation(
        "decision-not-told-again",
        "the same message gives the same outcome again",
        (
            (
                "services/verification/batches.py",
                "        if stored is None or stored.source != self.source:\n",
                "        if stored is None or stored is not None:\n",
            ),
        ),
        "crash at verification-worker after-database-commit",
        frozenset({"lost"}),
    ),
    Mutation(
        "challenge-not-marked-used",
        "a challenge counts once",
        (
            (
                "services/verification/deciding.py",
                "owners[work.key(item, kind)] == item.rating_id\n",
                "kind is Claim.CHALLENGE or owners[work.key(item, kind)] == item.rating_id\n",
            ),
        ),
        "term verification-worker",
        frozenset({"doubled", "changed"}),
    ),
    Mutation(
        "zombies-not-fenced",
        "who lost a partition cannot write for it any more (trap 11)",
        (
            (
                "services/verification/adapters/outcome_log.py",
                '        name = f"verification-{RATING_SUBMISSIONS.name}-{partition}"\n',
                "        import os\n\n"
                '        name = f"verification-{RATING_SUBMISSIONS.name}-{partition}-{os.getpid()}"\n',
            ),
            (
                "services/verification/adapters/decisions.py",
                "                    if newest != epoch:\n",
                "                    if newest is None:\n",
            ),
        ),
        "freeze at verification-worker before-kafka-commit",
        frozenset({"doubled"}),
    ),
    Mutation(
        "uncommitted-read",
        "readers see committed outcomes only (trap 3), and each submission counts once",
        (
            (
                "chassis/kafka.py",
                '"isolation_level": "read_committed"',
                '"isolation_level": "read_uncommitted"',
            ),
            _COUNT_AGAIN,
        ),
        "crash at verification-worker before-kafka-commit",
        frozenset({"figures"}),
    ),
    Mutation(
        "checkpoint-guard-off",
        "what the checkpoint has passed is not counted again (trap 5), and each submission counts once",
        (
            (
                "services/aggregation/domain.py",
                "        if record.offset < next_offset:\n",
                "        if record.offset < 0:\n",
            ),
            _COUNT_AGAIN,
        ),
        "freeze at aggregation-worker before-database-commit",
        frozenset({"figures"}),
        cycles=4,
    ),
    Mutation(
        "checkpoint-outside-the-transaction",
        "a read model changes only with its checkpoint",
        (
            (
                "services/aggregation/adapters/ledger.py",
                ' ORDER BY partition FOR UPDATE"',
                ' ORDER BY partition"',
            ),
            (
                "services/aggregation/adapters/ledger.py",
                "            await connection.execute(_ADVANCE, topic,",
                "            await self._pool.execute(_ADVANCE, topic,",
            ),
        ),
        "crash at aggregation-worker before-database-commit",
        frozenset({"figures"}),
    ),
    Mutation(
        "number-in-the-log",
        "no phone number in the clear",
        (
            (
                "services/intake/submitting.py",
                "            channel=event.channel,\n        )\n        return who",
                "            channel=event.channel,\n"
                "            note=judged.phone,\n        )\n        return who",
            ),
        ),
        "term intake",
        frozenset({"leak"}),
        cycles=1,
    ),
)
