"""The only place that wires adapters, use cases and settings."""

import asyncio
import os
import re
import sys
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer
from fastapi import FastAPI

from chassis import kafka, postgres
from chassis.dead_letters import stop
from chassis.dead_letters.cap import TooManyDeadLetters
from chassis.headers import for_data
from chassis.http import create_app, create_worker
from chassis.kafka import KafkaClient
from chassis.logs import logger
from chassis.oidc import Provider
from chassis.overload import Capacity
from chassis.readiness import Readiness
from chassis.tasks import Owned, wait_out
from contracts.topics import RATING_OUTCOMES
from services.aggregation import api, department_api, open_data_api, report_api, report_jobs_api
from services.aggregation.adapters.dead_letters import KafkaDeadLetters
from services.aggregation.adapters.directory_topic import KafkaDirectory
from services.aggregation.adapters.faust_worker import FaustWorker
from services.aggregation.adapters.files_handled import read_files_handled
from services.aggregation.adapters.generations import generation
from services.aggregation.adapters.ledger import IDLE_IN_TRANSACTION, SEARCH_PATH, PostgresLedger
from services.aggregation.adapters.names import PostgresNames
from services.aggregation.adapters.notifications import PostgresNotifications
from services.aggregation.adapters.outcome_log import outcome_log
from services.aggregation.adapters.places import PostgresPlaces
from services.aggregation.adapters.reading import PostgresReading
from services.aggregation.adapters.report_jobs import PostgresReportJobs
from services.aggregation.adapters.texts import PostgresTexts
from services.aggregation.answers import Answers
from services.aggregation.department import Department
from services.aggregation.folding import Folder
from services.aggregation.live import Hub
from services.aggregation.naming import keep_names
from services.aggregation.publication import UnitDay
from services.aggregation.rebuilding import Comparison, Told, rebuild, verify
from services.aggregation.reports.jobs import Maker, make
from services.aggregation.reports.press import Press
from services.aggregation.reports.report import Order, Report, read
from services.aggregation.settings import Settings
from services.aggregation.watching import Watch

log = logger(__name__)
STOP_SECONDS = 3.0
GIVE_UP_SECONDS = 5.0
NEXT, CHECK = "read_models_next", "read_models_check"  # schemas
SHARE_SETTING = "AGGREGATION_DEAD_LETTER_SHARE"


def api_app(settings: Settings) -> FastAPI:
    """The process that answers queries. Raises InvalidFiles."""
    handled = read_files_handled(settings.files_handled_file, settings.required_sample)

    @asynccontextmanager
    async def lifespan(app: FastAPI, readiness: Readiness, owned: Owned) -> AsyncIterator[None]:
        check = readiness.check("postgres")
        pool = await _pool(settings, readiness, "aggregation-api", most=8, tidied=False)
        notifications = PostgresNotifications(settings.database_url)
        reading = PostgresReading(pool, settings.city_name, _now)
        hub = Hub(reading, notifications, check, most=settings.live_clients)
        pace = api.Pace(settings.live_heartbeat_seconds, settings.live_slow_seconds)
        api.attach(app, reading, hub, pace, handled)
        press = Press(settings.reports)
        texts = PostgresTexts(pool)
        report_api.attach(app, reading, texts, press, handled)
        jobs, quietly = PostgresReportJobs(pool, settings.report_queue), Press(1)
        making = partial(make, reading=reading, texts=texts, handled=handled, press=quietly)
        maker = Maker(jobs, making, readiness.check("report_jobs", required=False))
        report_jobs_api.attach(app, jobs, maker)
        owned.start("report jobs", maker.run())
        open_data_api.attach(app, reading)
        owned.start("live", hub.run())
        http = httpx.AsyncClient()
        if settings.oidc.issuer is not None:
            check = readiness.check("identity_provider", required=False)
            provider = Provider(settings.oidc.issuer, http, check, local=settings.oidc.local)
            full = PostgresReading(pool, settings.city_name, _now, everything=True)
            admission = department_api.Admission(
                provider, settings.oidc.audience, settings.oidc.departments_claim
            )
            department = Department(Answers(full, _now, handled), PostgresPlaces(pool))
            department_api.attach(app, department, admission, full)
        try:
            yield
        finally:
            press.close()
            quietly.close()
            await owned.close(seconds=1)
            await notifications.close()
            await http.aclose()
            await _close(pool)

    app = create_app(
        title="Hài Lòng: figures",
        description="How satisfied citizens are with the city's public services: counts, histories, live.",
        lifespan=lifespan,
        # Live streams have a bound of their own, which says where the figures can be read instead.
        capacity=Capacity(reads=settings.at_once, waits=sys.maxsize, waiting=re.compile("^/v1/live$")),
        headers=for_data(https=settings.https, resource_policy="cross-origin"),  # public figures
    )
    report_api.install(app)
    report_jobs_api.install(app)
    open_data_api.install(app)
    api.install(app)
    if settings.oidc.issuer is not None:
        department_api.install(app)
    return app


def _now() -> datetime:
    return datetime.now(UTC)


def worker_app(settings: Settings) -> FastAPI:
    """The process that folds outcomes, with its operations page."""

    @asynccontextmanager
    async def lifespan(app: FastAPI, readiness: Readiness, owned: Owned) -> AsyncIterator[None]:
        del app
        async with AsyncExitStack() as stack:
            owned.start("worker", _work(settings, readiness, owned, stack))
            try:
                yield
            finally:
                # Faust can hang at its end. Nothing is lost by ending it: a batch is committed or not.
                _end_anyway(GIVE_UP_SECONDS, owned)
                await owned.close(seconds=1)

    return create_worker(
        title="Hài Lòng: aggregation worker", description="Folds outcomes into figures.", lifespan=lifespan
    )


async def _work(settings: Settings, readiness: Readiness, owned: Owned, stack: AsyncExitStack) -> None:
    client = settings.kafka
    checks = [readiness.check(name) for name in ("kafka", "postgres", "directory", "progress")]
    kafka_up, postgres_up, directory_read, _ = checks
    dead_letter_topic = readiness.check("dead_letters", required=False)
    dead_letter_topic.up()
    readable = readiness.check(stop.CHECK)
    limits = settings.dead_letter_limits
    pool = await _pool(settings, readiness, "aggregation-worker", most=4)
    stack.push_async_callback(_close, pool)
    dead_letters = KafkaDeadLetters(client)
    stack.push_async_callback(dead_letters.close)
    ledger = PostgresLedger(pool)
    folder = Folder(ledger, dead_letters, postgres_up, dead_letter_topic, stop.watched(limits, readable))
    await wait_out(kafka_up, lambda: _topic_there(client), outage=_kafka_away)
    worker = FaustWorker(
        client,
        handle=folder.handle,
        checkpoints=folder.resume,
        outage=ledger.outage,
        committed=folder.checkpoints,
        batch=settings.batch,
        pause=settings.batch_seconds,
    )
    stack.push_async_callback(worker.stop, STOP_SECONDS)
    policies_known = asyncio.Event()
    names = keep_names(
        KafkaDirectory(client, directory_read),
        PostgresNames(pool),
        postgres=postgres_up,
        read=directory_read,
        known=policies_known,
    )
    watch = Watch(worker, folder, readiness, outage=kafka.is_outage, stall_seconds=settings.stall_seconds)
    owned.start("names", names)
    await policies_known.wait()
    try:
        await until_one_fails(worker.run(), watch.run())
    except TooManyDeadLetters as found:
        # The partitions are others' from here on: a reader that is not at fault goes on with them.
        await worker.stop(STOP_SECONDS)
        await stop.stay_stopped(readable, found, setting=SHARE_SETTING, limits=limits)


async def rebuild_figures(settings: Settings, told: Told, *, anew: bool) -> bool:
    """Returns whether it went on with a run that was broken off. Raises as `rebuild` does, and Busy."""
    async with outcome_log(settings.kafka) as outcomes, generation(settings.database_url, NEXT) as made:
        goes_on = await made.open(anew=anew)
        await rebuild(outcomes, made, told)
    return goes_on


async def verify_figures(settings: Settings, told: Told) -> Comparison:
    """Raises as `verify` does, and Busy."""
    async with outcome_log(settings.kafka) as outcomes, generation(settings.database_url, CHECK) as made:
        await made.open(anew=True)
        found = await verify(outcomes, made, told)
        await made.drop()
    return found


async def read_report(settings: Settings, order: Order, told: Told) -> Report:
    """Raises as `read` does, InvalidFiles, and what PostgresReading knows as an outage."""
    handled = read_files_handled(settings.files_handled_file, settings.required_sample)
    async with _figures(settings) as (reading, texts):
        return await read(order, reading, texts, handled, told)


async def published_days(settings: Settings) -> list[UnitDay]:
    """Raises what PostgresReading knows as an outage."""
    async with _figures(settings) as (reading, _):
        return await reading.unit_days()


@asynccontextmanager
async def _figures(settings: Settings) -> AsyncIterator[tuple[PostgresReading, PostgresTexts]]:
    """For a command, which waits for no outage to end."""
    pool = await postgres.create_pool(
        settings.database_url, name="aggregation-report", most=2, search_path=SEARCH_PATH
    )
    try:
        yield PostgresReading(pool, settings.city_name, _now), PostgresTexts(pool)
    finally:
        await _close(pool)


async def until_one_fails(*both: Coroutine[Any, Any, None]) -> None:
    """Raises the failure of the first; the other is cancelled: nobody judges a reader that was stopped."""
    tasks = [asyncio.ensure_future(each) for each in both]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=1)


def _kafka_away(error: BaseException) -> bool:
    """Of a client that is made anew for each try."""
    return kafka.is_outage(error) or kafka.broke_off(error)


async def _topic_there(client: KafkaClient) -> None:
    """Faust takes an absent broker or topic at its start for the end; so it starts once both are there."""
    probe = AIOKafkaConsumer(**client.consumer_arguments("aggregation-probe"))
    try:
        await kafka.start(probe)
        if RATING_OUTCOMES.name not in await probe.topics():
            raise TimeoutError(f"no topic {RATING_OUTCOMES.name} yet, or no right to see it")
    finally:
        await kafka.leave(probe)


async def _pool(
    settings: Settings, readiness: Readiness, name: str, *, most: int, tidied: bool = True
) -> asyncpg.Pool:
    return await wait_out(
        readiness.check("postgres"),
        lambda: postgres.create_pool(
            settings.database_url,
            name=name,
            most=most,
            tidied=tidied,
            search_path=SEARCH_PATH,
            idle_in_transaction_session_timeout=IDLE_IN_TRANSACTION,
        ),
        outage=postgres.is_outage,
    )


async def _close(pool: asyncpg.Pool) -> None:
    try:
        async with asyncio.timeout(1):
            await pool.close()
    except TimeoutError:
        pool.terminate()


def _end_anyway(seconds: float, owned: Owned) -> None:
    def end() -> None:
        log.error("the worker did not stop in time; ending it")
        os._exit(1 if owned.failure is not None else 0)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
