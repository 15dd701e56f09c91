"""Intake: a 202 means kept, the same request is the same submission, and it comes back by itself."""

from faults.mutations.mutation import FAILURE, Mutation

_LOG = "services/intake/adapters/kafka_log.py"

INTAKE = (
    Mutation(
        "confirmed-before-kafka",
        "1: a 202 means kept",
        (
            (
                _LOG,
                "        producer = AIOKafkaProducer(**self._client.producer_arguments(self._name))\n",
                "        arguments = self._client.producer_arguments(self._name)\n"
                '        arguments |= {"acks": 0, "enable_idempotence": False}\n'
                "        producer = AIOKafkaProducer(**arguments)\n",
            ),
        ),
        "link intake/kafka half-open",
        "lost",
        "202, and no submission",
    ),
    Mutation(
        "another-id-in-each-process",
        "1, 2: the same key and body are the same submission, at any replica (trap 13)",
        (
            (
                "services/intake/domain/identity.py",
                "    key = idempotency_key.encode()\n",
                "    import os\n\n    secret += str(os.getpid()).encode()\n"
                "    key = idempotency_key.encode()\n",
            ),
        ),
        "crash at intake after-append",
        "doubled",
        "submissions [",
    ),
    Mutation(
        "producer-never-replaced",
        "9: when an outage ends, the system catches up by itself",
        (
            (
                _LOG,
                "                await self._give_up()\n        finally:\n",
                "                await self._give_up()\n"
                "                await asyncio.Event().wait()\n        finally:\n",
            ),
        ),
        "broker kill",
        FAILURE,
        "no recovery within",
    ),
)
