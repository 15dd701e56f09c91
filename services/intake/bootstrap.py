"""Wires intake: the HTTP process, and what its commands need."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
from fastapi import FastAPI

from chassis import kafka
from chassis.headers import for_data
from chassis.http import Files, create_app
from chassis.key_files import private_folder
from chassis.oidc import Provider
from chassis.origin import Proxies
from chassis.overload import Capacity
from chassis.readiness import Check, Readiness
from chassis.tally import Tally
from chassis.tasks import Owned
from contracts.city_time import city_day
from contracts.events import ApiClientPublished, EditionPublished, Event, WaveVoided
from contracts.topics import key_of
from services.intake import api, browsing, introducing, office_api, office_changing, paper_api
from services.intake.adapters.directory_topic import DirectoryTopic, read_all
from services.intake.adapters.file_system import HttpFileSystem
from services.intake.adapters.kafka_log import KafkaLog
from services.intake.adapters.key_files import FileKeys
from services.intake.adapters.office_ledger import KafkaLedger
from services.intake.adapters.office_trail import OfficeTrail, read_trail
from services.intake.adapters.retention import keep_promise
from services.intake.adapters.sealing import SodiumSealer
from services.intake.adapters.submissions_log import submissions_log
from services.intake.adapters.submissions_tail import SubmissionsTail
from services.intake.adapters.tables import MOST_BYTES
from services.intake.calling import Callers
from services.intake.catalogue import Catalogue
from services.intake.domain.directory import Directory
from services.intake.domain.waves import Found
from services.intake.entering import EnterPhoneCode
from services.intake.limiting import Limiter
from services.intake.office import WHOLE, Actor, Office, kept_days, replaced, silent
from services.intake.office_api import Admission
from services.intake.office_reading import OfficeReading
from services.intake.paper import Paper
from services.intake.paper_reading import PaperReading
from services.intake.ports import Advance, FileSystem, FormsView, NotKept, Overtaken, Parts, Taken
from services.intake.publishing import Plan, compare
from services.intake.settings import Settings
from services.intake.straight import Straight
from services.intake.submitting import SubmitRating
from services.intake.voiding import Told, look, on_record, void
from services.intake.watching import watch_keys
from services.intake.withdrawing import WithdrawRating

START_SECONDS = 10.0
COMMAND_TURNS = 6
"""Of a command that is overtaken. A caller of the API is told instead: what they saw is out of date."""
OFFICE_BODIES = re.compile(r"/v1/office/((forms/)?imports(/preview)?|editions/[^/]+)")
PAPER_TURNS = 4
"""Of somebody who enters a form: they have seen nothing that could be out of date."""


class KafkaAway(Exception):
    """Kafka did not answer, or did not confirm."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def create(settings: Settings, *, clock: Callable[[], datetime] = utc_now) -> FastAPI:
    """The process that citizens' portals talk to. Raises KeysMissing where it has no secret."""
    private_folder(settings.keys_dir)
    keys = FileKeys(settings.keys_dir)
    keys.secret  # noqa: B018 - missing, it is missed at the start rather than at the first rating

    oidc = settings.oidc
    http = httpx.AsyncClient()

    @asynccontextmanager
    async def lifespan(app: FastAPI, readiness: Readiness, owned: Owned) -> AsyncIterator[None]:
        # In this order they end: what is under way is confirmed while the producer still stands.
        owned.start("producer", log.run())
        owned.start("directory", directory.run())
        owned.start("submissions", tail.run())
        owned.start("keys", watch_keys(parts, readiness.check("edition_keys", required=False)))
        async with http:
            if oidc.issuer is not None:
                owned.start("office", trail.run())
                check = readiness.check("identity_provider", required=False)
                provider = Provider(oidc.issuer, http, check, local=oidc.local)
                admission = Admission(provider, oidc.audience, oidc.roles_claim, oidc.departments_claim)
                app.state.office_admission = admission
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
        files=Files(OFFICE_BODIES, MOST_BYTES),
    )
    readiness: Readiness = app.state.readiness
    log = KafkaLog(settings.kafka, readiness.check("kafka"))
    directory = DirectoryTopic(settings.kafka, readiness.check("directory"))
    parts = Parts(log, directory, keys, SodiumSealer(), clock)
    limiter = Limiter(settings.limits, Tally(settings.limit_window))
    tail = SubmissionsTail(settings.kafka, readiness.check("limits", required=False), limiter, clock)
    files = None
    if settings.file_system_url:
        check = readiness.check("file_system", required=False)
        check.up("not asked yet")
        files = HttpFileSystem(http, settings.file_system_url, settings.file_system_key_file, check)
    install(app, parts, settings, limiter, files)
    if oidc.issuer is not None:
        trail = OfficeTrail(settings.kafka, readiness.check("office", required=False))
        reading = OfficeReading(directory, trail, keys, clock)
        ledger = KafkaLedger(settings.kafka)
        install_office(app, office_of(settings, clock=clock, turns=1, ledger=ledger), reading)
        install_paper(app, Paper(ledger, trail, keys.secret, clock, turns=PAPER_TURNS), reading, trail)
    return app


def install(
    app: FastAPI, parts: Parts, settings: Settings, limiter: Limiter, files: FileSystem | None = None
) -> None:
    """Give `app` intake's routes, on whatever parts."""
    callers = Callers(parts, Proxies(settings.trusted_proxies))
    ratings, sound = api.routes(
        submit=SubmitRating(parts, limiter, files=files, oldest=timedelta(days=settings.oldest_rating)),
        enter_phone_code=EnterPhoneCode(parts, limiter),
        withdraw=WithdrawRating(parts, limiter),
        callers=callers,
        outcome_base_url=settings.outcome_base_url,
    )
    app.include_router(ratings)
    app.router.routes.insert(0, Straight(app.router, "/v1/ratings", api.RatingBody, sound))
    app.include_router(introducing.routes(callers))
    app.include_router(browsing.routes(Catalogue(parts.directory, parts.clock)))
    app.add_middleware(browsing.ReadableByAnyPage, rated_in=settings.embedded_in)


def install_office(app: FastAPI, office: Office, reading: OfficeReading) -> None:
    """The office's routes, on whatever parts; who may come is `app.state.office_admission`'s to say."""
    app.include_router(office_api.routes(reading))
    app.include_router(office_changing.routes(office, reading))


def install_paper(app: FastAPI, paper: Paper, reading: OfficeReading, forms: FormsView) -> None:
    """The routes of paper forms, on whatever parts."""
    app.include_router(paper_api.routes(paper, PaperReading(reading, forms)))


@asynccontextmanager
async def kafka_answering() -> AsyncIterator[None]:
    """Raises KafkaAway where it does not."""
    try:
        yield
    except Exception as error:
        if isinstance(error, NotKept | Overtaken) or kafka.is_outage(error):
            raise KafkaAway(str(error) or "no answer") from error
        raise


async def api_clients(settings: Settings) -> dict[str, ApiClientPublished]:
    """The API clients as the log has them, by id. Raises KafkaAway."""
    there = await directory_of(settings)
    return dict(there.clients)


async def directory_of(settings: Settings) -> Directory:
    """As the log has it. Raises KafkaAway."""
    async with kafka_answering():
        return Directory().with_(await read_all(settings.kafka))


async def trail_of(settings: Settings) -> Sequence[Taken]:
    """Every action that was ever taken. Raises KafkaAway."""
    async with kafka_answering():
        return await read_trail(settings.kafka)


def office_of(
    settings: Settings,
    *,
    clock: Callable[[], datetime] = utc_now,
    set_retention: bool = False,
    turns: int = COMMAND_TURNS,
    ledger: KafkaLedger | None = None,
) -> Office:
    async def promise(days: int) -> None:
        try:
            await keep_promise(settings.kafka, days, set_retention=set_retention)
        except Exception as error:
            if kafka.is_outage(error):
                raise NotKept(str(error) or "no answer") from error
            raise

    return Office(ledger or KafkaLedger(settings.kafka), clock, promise, turns=turns)


@asynccontextmanager
async def paper_of(settings: Settings) -> AsyncIterator[tuple[Paper, OfficeTrail]]:
    """For commands. Raises KafkaAway, and KeysMissing where this machine has not intake's secret."""
    secret = FileKeys(settings.keys_dir).secret
    async with kafka_answering():
        trail = OfficeTrail(settings.kafka, Check("office"))
        reading = asyncio.create_task(trail.run())
        try:
            await trail.forms_now()
            yield Paper(KafkaLedger(settings.kafka), trail, secret, utc_now, turns=COMMAND_TURNS), trail
        finally:
            reading.cancel()
            await asyncio.wait([reading])


async def waves(settings: Settings) -> dict[UUID, WaveVoided]:
    """The waves that were voided, by id. Raises KafkaAway."""
    async with kafka_answering():
        there = await read_all(settings.kafka)
    return {event.wave_id: event for event in there.values() if isinstance(event, WaveVoided)}


async def look_at_wave(settings: Settings, wave: WaveVoided, told: Told) -> Found:
    """Raises KafkaAway."""
    async with kafka_answering(), submissions_log(settings.kafka) as submissions:
        return await look(submissions, wave, told)


async def void_wave(
    settings: Settings, wave: WaveVoided, found: Found, told: Told, *, actor: Actor | None
) -> None:
    """`actor` is None where the wave is on record. Raises KafkaAway; then it can be gone on with."""
    if actor is not None:
        async with kafka_answering():
            await office_of(settings).act(actor, "wave_voided", key_of(wave), on_record(wave))
    log = KafkaLog(settings.kafka, Check("kafka"), name="intake-void")
    producer = asyncio.create_task(log.run())
    try:
        async with kafka_answering():
            async with asyncio.timeout(START_SECONDS):
                await log.standing()
            await void(log, wave, found, told)
    finally:
        producer.cancel()
        await asyncio.wait([producer])


async def publish_all(
    settings: Settings,
    wanted: Mapping[str, Event],
    actor: Actor,
    *,
    action: str,
    target: str = WHOLE,
    prune: bool,
    dry_run: bool,
    set_retention: bool = False,
    advance: Advance = silent,
) -> Plan:
    """Publish what differs from the log, and return what that was. Raises KafkaAway, and KeptTooLong."""
    async with kafka_answering():
        there = await directory_of(settings)
        plan = compare(wanted, there.by_key())
        decide = replaced(wanted, plan.absent if prune else ())
        if any(isinstance(event, EditionPublished) for event in wanted.values()):
            days = kept_days(there, decide(there, city_day(utc_now())))
            await keep_promise(settings.kafka, days, set_retention=set_retention and not dry_run)
        if not dry_run:
            office = office_of(settings, set_retention=set_retention)
            await office.act(actor, action, target, decide, advance=advance)
    return plan
