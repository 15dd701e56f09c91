"""Aggregation: read models are the fold of the committed log, and move only with their checkpoint."""

from faults.mutations.mutation import Change, Mutation

_LEDGER = "services/aggregation/adapters/ledger.py"
_DOMAIN = "services/aggregation/domain.py"
_FOLDING = "services/aggregation/folding.py"
_DRIVER = "services/aggregation/adapters/faust_driver.py"

# Behind every other guard stands that a submission counts once; it goes with them.
_COUNT_AGAIN: Change = (
    _LEDGER,
    "    return [outcome for submission, outcome in outcomes.items() if submission in new]\n",
    "    return list(outcomes.values()) if len(new) >= 0 else []\n",
)
_NO_GUARD: Change = (
    _DOMAIN,
    "        if record.offset < next_offset:\n",
    "        if record.offset < 0:\n",
)
_COUNT: str = (
    "        counted = await wait_out(self.postgres, lambda: self.ledger.count(reads),"
    " outage=self.ledger.outage)\n"
)

AGGREGATION = (
    Mutation(
        "uncommitted-read",
        "4: readers see committed outcomes only (trap 3)",
        (
            (
                "chassis/kafka.py",
                '"isolation_level": "read_committed"',
                '"isolation_level": "read_uncommitted"',
            ),
            _COUNT_AGAIN,
        ),
        "crash at verification-worker before-kafka-commit",
        "figures",
        "read models: (",
    ),
    Mutation(
        "checkpoint-guard-off",
        "5: what the checkpoint has passed is not counted again (trap 5)",
        (_NO_GUARD, _COUNT_AGAIN),
        "freeze at aggregation-worker before-database-commit",
        "figures",
        "read models: (",
    ),
    Mutation(
        "checkpoint-outside-the-transaction",
        "5: a read model changes only with its checkpoint",
        (
            (_LEDGER, ' ORDER BY partition FOR UPDATE"', ' ORDER BY partition"'),
            (
                _LEDGER,
                "            await connection.execute(_ADVANCE, topic,",
                "            await self._pool.execute(_ADVANCE, topic,",
            ),
        ),
        "crash at aggregation-worker before-database-commit",
        "figures",
        "submissions not counted",
    ),
    Mutation(
        "on-from-the-groups-offset",
        "5: the checkpoint in PostgreSQL says where to go on, not the group's offset (trap 4)",
        (
            (
                _DRIVER,
                "                checkpoints = await asyncio.wrap_future(asked)\n",
                "                await asyncio.wrap_future(asked)\n"
                "                checkpoints = {\n"
                "                    tp.partition: await consumer.committed(tp) or 0 for tp in partitions\n"
                "                }\n",
            ),
            _NO_GUARD,
            _COUNT_AGAIN,
        ),
        "crash at aggregation-worker after-database-commit",
        "figures",
        "read models: (",
    ),
    Mutation(
        "acknowledged-on-exception",
        "5, 9: what could not be counted is not passed (trap 1)",
        (
            (
                _FOLDING,
                _COUNT,
                "        try:\n"
                "            counted = await self.ledger.count(reads)\n"
                "        except Exception:\n"
                "            return\n",
            ),
            (
                _DOMAIN,
                "        if record.follows > next_offset:\n",
                "        if record.follows < 0:\n",
            ),
        ),
        "link aggregation-worker/postgres cut",
        "figures",
        "submissions not counted",
    ),
    Mutation(
        "figure-read-then-written",
        "6: every figure is the fold of the log, however many workers add to it",
        (
            (
                _LEDGER,
                "DO UPDATE SET count = t.count + excluded.count,\n",
                # The city's figures, which all workers add to; the probes need the units' to be right.
                "DO UPDATE SET count = excluded.count + CASE t.level WHEN 'city' THEN coalesce((\n"
                "    SELECT o.count FROM tally o WHERE (o.level, o.scope_id, o.day, o.edition_id, o.measure,"
                " o.item)\n"
                "        = (t.level, t.scope_id, t.day, t.edition_id, t.measure, t.item)), 0)"
                " ELSE t.count END,\n",
            ),
        ),
        "kill all aggregation-worker",
        "figures",
        "read models: ('city'",
    ),
    Mutation(
        "withdrawal-counted-twice",
        "2, 6: a rating is withdrawn once, however often that is asked for and told",
        (
            (
                "services/verification/deciding.py",
                "            rating.state = evolve(state, event)\n"
                "            rating.withdrawn_by = item.source\n",
                "",
            ),
            (
                _DOMAIN,
                "            found.setdefault(Once.of(record.outcome), record.outcome)\n",
                "            once = Once.of(record.outcome)\n"
                "            again = once._replace(submission_id=UUID(int=record.offset))\n"
                "            found.setdefault(again if once.withdrawn else once, record.outcome)\n",
            ),
        ),
        "term aggregation-worker",
        "figures",
        "read models: (",
    ),
    Mutation(
        "officers-move-at-once",
        "10: an officer's public figures move in batches",
        (
            (
                "services/aggregation/releasing.py",
                "        if abs(standing.pending) >= batch:\n",
                "        if abs(standing.pending) >= 1:\n",
            ),
        ),
        "term aggregation-worker",
        "figures",
        "released, the log says",
    ),
    Mutation(
        "empty-model-begins-at-the-end",
        "6: the log folded again from its beginning gives the same read models",
        (
            (
                _DRIVER,
                "            offset = checkpoints[tp.partition]\n",
                "            offset = checkpoints[tp.partition] or end[tp]\n",
            ),
        ),
        "term aggregation-worker",
        "lost",
        "folded again:",
    ),
    Mutation(
        "outage-as-unreadable-outcome",
        "8: an outage never sends an outcome to the dead-letter topic",
        (
            (
                _FOLDING,
                _COUNT,
                "        try:\n"
                "            counted = await self.ledger.count(reads)\n"
                "        except Exception as error:\n"
                "            if not self.ledger.outage(error):\n"
                "                raise\n"
                "            for each in batch:\n"
                '                await self._bury(each, InvalidMessage("not counted"))\n'
                "            return\n",
            ),
        ),
        "link aggregation-worker/postgres cut",
        "dead letter",
        "rating-outcomes-dlt",
    ),
)
