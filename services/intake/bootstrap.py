"""Wires intake: the HTTP process, and what its commands need."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from uuid import UUID

from fastapi import FastAPI

from chassis import kafka
from chassis.headers import for_data
from chassis.http import create_app
from chassis.key_files import private_folder
from chassis.origin import Proxies
from chassis.overload import Capacity
from chassis.readiness import Check, Readiness
from chassis.tally import Tally
from chassis.tasks import Owned
from contracts.events import ApiClientPublished, EditionPublished, Event, WaveVoided
from services.intake import api, browsing
from services.intake.adapters.directory_topic import DirectoryTopic, read_all
from services.intake.adapters.kafka_log import KafkaLog
from services.intake.adapters.key_files import FileKeys
from services.intake.adapters.retention import keep_promise
from services.intake.adapters.sealing import SodiumSealer
from services.intake.adapters.submissions_log import submissions_log
from services.intake.adapters.submissions_tail import SubmissionsTail
from services.intake.calling import Callers
from services.intake.catalogue import Catalogue
from services.intake.domain.waves import Found
from services.intake.entering import EnterPhoneCode
from services.intake.limiting import Limiter
from services.intake.ports import NotKept, Parts
from services.intake.publishing import Plan, compare, kept_days, publish
from services.intake.settings import Settings
from services.intake.submitting import SubmitRating
from services.intake.voiding import Told, look, void
from services.intake.watching import watch_keys
from services.intake.withdrawing import WithdrawRating

START_SECONDS = 10.0


class KafkaAway(Exception):
    """Kafka did not answer, or did not confirm."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def create(settings: Settings, *, clock: Callable[[], datetime] = utc_now) -> FastAPI:
    """The process that citizens' portals talk to. Raises KeysMissing where it has no secret."""
    private_folder(settings.keys_dir)
    keys = FileKeys(settings.keys_dir)
    keys.secret  # noqa: B018 - missing, it is missed at the start rather than at the first rating

    @asynccontextmanager
    async def lifespan(app: FastAPI, readiness: Readiness, owned: Owned) -> AsyncIterator[None]:
        del app
        # In this order they end: what is under way is confirmed while the producer still stands.
        owned.start("producer", log.run())
        owned.start("directory", directory.run())
        owned.start("submissions", tail.run())
        owned.start("keys", watch_keys(parts, readiness.check("edition_keys", required=False)))
        try:
            yield
        finally:
            await owned.close()

    app = create_app(
        title="Hài Lòng: intake",
        description="Takes ratings in: a 202 means kept. Serves the directory and the edition.",
        lifespan=lifespan,
        capacity=Capacity(reads=settings.at_once, writes=settings.at_once),
        headers=for_data(https=settings.https),
    )
    readiness: Readiness = app.state.readiness
    log = KafkaLog(settings.kafka, readiness.check("kafka"))
    directory = DirectoryTopic(settings.kafka, readiness.check("directory"))
    parts = Parts(log, directory, keys, SodiumSealer(), clock)
    limiter = Limiter(settings.limits, Tally(settings.limit_window))
    tail = SubmissionsTail(settings.kafka, readiness.check("limits", required=False), limiter, clock)
    install(app, parts, settings, limiter)
    return app


def install(app: FastAPI, parts: Parts, settings: Settings, limiter: Limiter) -> None:
    """Give `app` intake's routes, on whatever parts."""
    ratings = api.routes(
        submit=SubmitRating(parts, limiter),
        enter_phone_code=EnterPhoneCode(parts, limiter),
        withdraw=WithdrawRating(parts, limiter),
        callers=Callers(parts, Proxies(settings.trusted_proxies)),
        outcome_base_url=settings.outcome_base_url,
    )
    app.include_router(ratings)
    app.include_router(browsing.routes(Catalogue(parts.directory, parts.clock)))
    app.add_middleware(browsing.ReadableByAnyPage)


async def api_clients(settings: Settings) -> dict[str, ApiClientPublished]:
    """The API clients as the log has them, by id. Raises KafkaAway."""
    with _through_kafka():
        there = await read_all(settings.kafka)
    return {event.client_id: event for event in there.values() if isinstance(event, ApiClientPublished)}


async def waves(settings: Settings) -> dict[UUID, WaveVoided]:
    """The waves that were voided, by id. Raises KafkaAway."""
    with _through_kafka():
        there = await read_all(settings.kafka)
    return {event.wave_id: event for event in there.values() if isinstance(event, WaveVoided)}


async def look_at_wave(settings: Settings, wave: WaveVoided, told: Told) -> Found:
    """Raises KafkaAway."""
    with _through_kafka():
        async with submissions_log(settings.kafka) as submissions:
            return await look(submissions, wave, told)


async def void_wave(
    settings: Settings, wave: WaveVoided, found: Found, told: Told, *, published: bool
) -> None:
    """Raises KafkaAway; then the same wave can be gone on with."""
    log = KafkaLog(settings.kafka, Check("kafka"), name="intake-void")
    producer = asyncio.create_task(log.run())
    try:
        with _through_kafka():
            async with asyncio.timeout(START_SECONDS):
                await log.standing()
            await void(log, wave, found, told, published=published)
    finally:
        producer.cancel()
        await asyncio.wait([producer])


@contextmanager
def _through_kafka() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if isinstance(error, NotKept) or kafka.is_outage(error):
            raise KafkaAway(str(error) or "no answer") from error
        raise


async def publish_all(
    settings: Settings,
    wanted: Mapping[str, Event],
    *,
    prune: bool,
    dry_run: bool,
    set_retention: bool = False,
) -> Plan:
    """Publish what differs from the log, and return what that was. Raises KafkaAway, and KeptTooLong."""
    check = Check("kafka")
    log = KafkaLog(settings.kafka, check, name="intake-publish")
    producer = asyncio.create_task(log.run())
    try:
        async with asyncio.timeout(START_SECONDS):
            await log.standing()
        there = await read_all(settings.kafka)
        plan = compare(wanted, there)
        if any(isinstance(event, EditionPublished) for event in wanted.values()):
            days = kept_days(plan, wanted, there, prune=prune)
            await keep_promise(settings.kafka, days, set_retention=set_retention and not dry_run)
        if not dry_run:
            await publish(plan, wanted, prune=prune, log=log, clock=utc_now)
    except Exception as error:
        if isinstance(error, NotKept) or kafka.is_outage(error):
            raise KafkaAway(str(error) or check.detail) from error
        raise
    finally:
        producer.cancel()
        await asyncio.wait([producer])
    return plan
