"""Verification's worker that fails beside the commits of PostgreSQL and Kafka, and beside an SMS."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from chassis import http, logs
from contracts.envelope import Message
from faults.processes.failpoints import Failpoint
from services.verification import bootstrap
from services.verification.adapters.decisions import PostgresDecisions, PostgresTransaction
from services.verification.adapters.outcome_log import KafkaOutcomeLog
from services.verification.adapters.sms_queue import PostgresSmsQueue
from services.verification.adapters.submissions import GROUP
from services.verification.ports import Committed
from services.verification.settings import Settings


class FailingOutcomeLog:
    """Only transactions that tell an outcome come by the failpoint."""

    def __init__(self, log: KafkaOutcomeLog, failpoint: Failpoint) -> None:
        self._log = log
        self._telling = False
        producer: Any = log._producer
        commit_transaction = producer.commit_transaction

        async def commit() -> None:
            if self._telling:
                failpoint.here("before-kafka-commit")
            await commit_transaction()
            if self._telling:
                failpoint.here("after-kafka-commit")

        producer.commit_transaction = commit

    async def commit(
        self, outcomes: Sequence[Message], dead_letters: Sequence[Message], upto: Committed
    ) -> None:
        self._telling = bool(outcomes)
        await self._log.commit(outcomes, dead_letters, upto)

    async def close(self) -> None:
        await self._log.close()


def serve(failpoint: Failpoint) -> None:
    class FailingDecisions(PostgresDecisions):
        @asynccontextmanager
        async def transaction(self, partition: int, epoch: int) -> AsyncIterator[PostgresTransaction]:
            async with super().transaction(partition, epoch) as transaction:
                yield transaction
                if transaction.changed:
                    failpoint.here("before-database-commit")
            if transaction.changed:
                failpoint.here("after-database-commit")

    class FailingSmsQueue(PostgresSmsQueue):
        async def done(self, rating_id: UUID) -> None:
            failpoint.here("after-sms")
            await super().done(rating_id)

    async def open_log(partition: int) -> FailingOutcomeLog:
        return FailingOutcomeLog(await KafkaOutcomeLog.open(settings.kafka, partition, GROUP), failpoint)

    settings = Settings()
    logs.configure("verification-worker", level=settings.log_level)
    vars(bootstrap)["PostgresDecisions"] = FailingDecisions
    vars(bootstrap)["PostgresSmsQueue"] = FailingSmsQueue
    app = bootstrap.worker_app(settings, open_log=open_log)
    http.serve(app, operations=http.Address(settings.operations_host, settings.worker_operations_port))
