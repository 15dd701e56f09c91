"""Wires intake: the HTTP process, and what its commands need."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from chassis.http import create_app
from chassis.readiness import Check, Readiness
from chassis.tasks import Owned
from contracts.events import Event
from services.intake.adapters.directory_topic import DirectoryTopic, read_all
from services.intake.adapters.kafka_log import KafkaLog
from services.intake.adapters.key_files import FileKeys
from services.intake.adapters.sealing import SodiumSealer
from services.intake.api import Handlers, routes
from services.intake.catalogue import Catalogue
from services.intake.entering import EnterPhoneCode
from services.intake.ports import Log, Parts
from services.intake.publishing import Plan, compare, publish
from services.intake.settings import Settings
from services.intake.submitting import SubmitRating

PUBLISH_START_SECONDS = 15.0


def utc_now() -> datetime:
    return datetime.now(UTC)


def create(settings: Settings, *, clock: Callable[[], datetime] = utc_now, log: Log | None = None) -> FastAPI:
    """The process that citizens' portals talk to. Tests give a clock, and a log that fails when they say so.

    Raises KeysMissing where the process has no secret.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI, readiness: Readiness, owned: Owned) -> AsyncIterator[None]:
        del app, readiness
        owned.start("producer", kafka_log.run())
        owned.start("directory", directory.run())
        try:
            yield
        finally:
            await owned.close()

    app = create_app(
        title="Hài Lòng: intake",
        description="Takes ratings in: a 202 means kept. Serves the directory and the edition.",
        lifespan=lifespan,
    )
    readiness: Readiness = app.state.readiness
    keys = FileKeys(settings.keys_dir, readiness.check("keys"))
    keys.secret  # noqa: B018 - missing, it is missed at the start rather than at the first rating
    sealer = SodiumSealer()
    kafka_log = KafkaLog(settings.kafka, readiness.check("kafka"))
    directory = DirectoryTopic(settings.kafka, readiness.check("directory"), kafka_log)
    parts = Parts(log or kafka_log, directory, keys, sealer, clock)
    app.include_router(
        routes(
            Handlers(
                submit=SubmitRating(parts),
                enter_phone_code=EnterPhoneCode(parts),
                catalogue=Catalogue(directory, clock),
                outcome_base_url=settings.outcome_base_url,
            )
        )
    )
    # Anyone's page may show the directory. Ratings are posted by servers, or by pages of the same origin.
    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["GET"])
    return app


async def publish_all(settings: Settings, wanted: Mapping[str, Event], *, prune: bool, dry_run: bool) -> Plan:
    """Publish what differs from the log, and return what that was. Raises NotKept, or outages of Kafka."""
    plan = compare(wanted, await read_all(settings.kafka))
    if not dry_run:
        kafka_log = KafkaLog(settings.kafka, Check("kafka"), name="intake-publish")
        producer = asyncio.create_task(kafka_log.run())
        try:
            await asyncio.wait_for(kafka_log.standing(), PUBLISH_START_SECONDS)
            await publish(plan, wanted, prune=prune, log=kafka_log, clock=utc_now)
        finally:
            producer.cancel()
            await asyncio.wait([producer])
    return plan
