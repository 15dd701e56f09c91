"""Aggregation's worker that fails beside its commits, and one that folds the log beside the others."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from chassis import http, logs
from faults.processes.failpoints import Failpoint
from services.aggregation import bootstrap
from services.aggregation.adapters import faust_driver, faust_worker, ledger
from services.aggregation.domain import Read, Scope
from services.aggregation.folding import Counted
from services.aggregation.settings import Settings

SEPARATE_GROUP = "aggregation-refold"


def serve(failpoint: Failpoint) -> None:
    stamp = ledger._stamp
    tell = faust_driver.ConsumerThread.tell

    async def stamp_and_fail(
        connection: "asyncpg.pool.PoolConnectionProxy",
        scopes: dict[Scope, str | None],
        moved: frozenset[str],
        channel: str,
    ) -> int:
        revision = await stamp(connection, scopes, moved, channel)
        failpoint.here("before-database-commit")
        return revision

    async def tell_and_fail(self: Any, offsets: Any) -> bool:
        told: bool = await tell(self, offsets)
        failpoint.here("after-group-commit")
        return told

    class FailingLedger(ledger.PostgresLedger):
        async def count(self, batch: Mapping[int, Sequence[Read]]) -> Counted:
            counted = await super().count(batch)
            if counted.outcomes:
                failpoint.here("after-database-commit")
            return counted

    ledger._stamp = stamp_and_fail
    faust_driver.ConsumerThread.tell = tell_and_fail  # type: ignore[method-assign]
    vars(bootstrap)["PostgresLedger"] = FailingLedger
    _serve()


def serve_apart() -> None:
    """In a consumer group of its own, so that it takes no partition away from the real workers."""
    faust_worker.GROUP = SEPARATE_GROUP
    _serve()


def _serve() -> None:
    settings = Settings()
    logs.configure("aggregation", level=settings.log_level)
    operations = http.Address(settings.operations_host, settings.worker_operations_port)
    http.serve(bootstrap.worker_app(settings), operations=operations)
