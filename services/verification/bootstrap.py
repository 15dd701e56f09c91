"""Wires verification's two processes: the worker and the HTTP API."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

import httpx
from fastapi import FastAPI

from chassis import kafka, pages_elsewhere, postgres
from chassis.dead_letters import stop
from chassis.dead_letters.cap import Cap, Limits, TooManyDeadLetters
from chassis.headers import for_data
from chassis.http import create_app, create_worker
from chassis.overload import Capacity
from chassis.readiness import Check, Readiness
from chassis.tasks import Owned, wait_out
from contracts.topics import RATING_SUBMISSIONS
from services.verification.adapters.agreeing import PostgresStore
from services.verification.adapters.decisions import PostgresDecisions
from services.verification.adapters.directory import KafkaDirectory
from services.verification.adapters.kept import KafkaKept
from services.verification.adapters.key_files import (
    CHALLENGE_KEY,
    PHONE_CODE_KEY,
    FileKeyRing,
    RotatedKey,
    WebhookSecrets,
    read_key,
)
from services.verification.adapters.outcome_log import KafkaOutcomeLog
from services.verification.adapters.retention import PostgresRetention
from services.verification.adapters.sms_http import HttpSms, HttpSmsGateway
from services.verification.adapters.sms_ledger import PostgresSmsLedger
from services.verification.adapters.sms_outbox import OutboxSmsGateway
from services.verification.adapters.sms_queue import PostgresSmsQueue
from services.verification.adapters.statuses import PostgresNews, PostgresStatuses
from services.verification.adapters.submissions import GROUP, KafkaSubmissions
from services.verification.adapters.webhook_http import HttpWebhooks
from services.verification.adapters.webhook_outbox import PostgresWebhooks
from services.verification.adapters.whole_log import whole_log
from services.verification.api import routes
from services.verification.batches import Reader
from services.verification.catching_up import CaughtUp, Progress, catch_up
from services.verification.challenges import Challenges
from services.verification.domain.ratings import State
from services.verification.forgetting import Forgetting
from services.verification.outcomes import Outcomes
from services.verification.partition import Partition, WaitOut
from services.verification.phone_codes import PhoneCodes
from services.verification.ports import Clock, Directory, OpenOutcomeLog, SmsGateway, Statuses, Submissions
from services.verification.proof_of_work import ProofsOfWork
from services.verification.settings import Settings
from services.verification.sms import SmsSender
from services.verification.sms_budget import CHECK as SMS_BUDGET
from services.verification.sms_budget import SmsBudget
from services.verification.webhooks import Webhooks
from services.verification.worker import Worker

T = TypeVar("T")
SHUTDOWN_SECONDS = 20.0
ANSWER_SECONDS = 30.0
EACH_ITS_OWN = httpx.Limits(max_connections=None, max_keepalive_connections=0)
SHARE_SETTING = "VERIFICATION_DEAD_LETTER_SHARE"


def _outage(error: BaseException) -> bool:
    return kafka.is_outage(error) or postgres.is_outage(error)


def utc_now() -> datetime:
    return datetime.now(UTC)


def through(check: Check, outage: Callable[[BaseException], bool]) -> WaitOut:
    async def wait(action: Callable[[], Awaitable[T]]) -> T:
        return await wait_out(check, action, outage=outage)

    return wait


@dataclass(frozen=True, slots=True)
class _Opening:
    """What opens that which submissions hold. Raises KeyMissing when it is made."""

    challenges: Challenges
    proofs: ProofsOfWork
    ring: FileKeyRing
    codes: PhoneCodes

    @classmethod
    def by(cls, settings: Settings) -> "_Opening":
        codes_key = read_key(settings.keys_dir / PHONE_CODE_KEY)
        challenge_key = RotatedKey(settings.keys_dir, CHALLENGE_KEY)
        ring = FileKeyRing(settings.keys_dir)
        return cls(
            Challenges(challenge_key),
            ProofsOfWork(challenge_key, maxnumber=settings.proof_of_work_maxnumber),
            ring,
            PhoneCodes(codes_key, ring),
        )

    def reader(self, directory: Directory, clock: Clock, cap: Cap) -> Reader:
        return Reader(
            directory=directory,
            challenges=self.challenges,
            proofs=self.proofs,
            phone_codes=self.codes,
            ring=self.ring,
            clock=clock,
            cap=cap,
        )


def worker_app(
    settings: Settings, *, clock: Clock = utc_now, open_log: OpenOutcomeLog | None = None
) -> FastAPI:
    """The process that decides. Tests give a clock, and an outcome log that fails when they say so."""
    opening = _Opening.by(settings)

    async def open_outcomes(partition: int) -> KafkaOutcomeLog:
        return await KafkaOutcomeLog.open(settings.kafka, partition, GROUP)

    @asynccontextmanager
    async def lifespan(_: FastAPI, readiness: Readiness, owned: Owned) -> AsyncIterator[None]:
        group, database = readiness.check("kafka"), readiness.check("postgres")
        directory = KafkaDirectory(settings.kafka, readiness.check("directory"))
        through_kafka = through(group, kafka.is_outage)
        through_database = through(database, postgres.is_outage)
        sms_waiting = asyncio.Event()
        budget_left = readiness.check(SMS_BUDGET, required=False)
        readable = readiness.check(stop.CHECK)
        cap = stop.watched(settings.dead_letter_limits, readable)

        async def decide() -> None:
            pool = await through_database(
                lambda: postgres.create_pool(
                    settings.database_url, name="verification-worker", most=8, jit="off"
                )
            )
            try:
                await directory.catch_up()
                decisions = PostgresDecisions(pool)
                reader = opening.reader(directory, clock, cap)

                def partition(number: int, submissions: Submissions) -> Partition:
                    return Partition(
                        number,
                        submissions=submissions,
                        open_log=open_log or open_outcomes,
                        decisions=decisions,
                        reader=reader,
                        clock=clock,
                        withdrawable=settings.withdrawable,
                        through_kafka=through_kafka,
                        through_database=through_database,
                        sms_waiting=sms_waiting,
                    )

                await Worker(
                    join=lambda assignee: KafkaSubmissions(settings.kafka, assignee),
                    partition=partition,
                    through_kafka=through_kafka,
                    kafka=group,
                    clock=utc_now,
                ).run()
            except TooManyDeadLetters as found:
                # It has left the group: a reader that is not at fault goes on with the partitions.
                await stop.stay_stopped(
                    readable, found, setting=SHARE_SETTING, limits=settings.dead_letter_limits
                )
            finally:
                pool.terminate()

        async def send() -> None:
            pool = await through_database(
                lambda: postgres.create_pool(settings.database_url, name="verification-sms", most=4)
            )
            try:
                async with httpx.AsyncClient() as client:
                    await SmsSender(
                        queue=PostgresSmsQueue(pool),
                        ledger=PostgresSmsLedger(pool),
                        limits=settings.sms_limits,
                        budget=SmsBudget(settings.sms_limits, budget_left),
                        gateway=_gateway(settings, client),
                        ring=opening.ring,
                        codes=opening.codes,
                        clock=clock,
                        through_database=through_database,
                        waiting=sms_waiting,
                    ).run()
            finally:
                pool.terminate()

        owned.start("directory", directory.run())
        owned.start("decide", decide())
        owned.start("sms", send())
        owned.start("webhooks", _tell_portals(settings, clock, readiness))
        owned.start("forget", _forget(settings, directory, clock, readiness))
        try:
            yield
        finally:
            await owned.close(seconds=SHUTDOWN_SECONDS)

    return create_worker(
        title="Hài Lòng: verification worker", description="Decides submissions.", lifespan=lifespan
    )


async def _tell_portals(settings: Settings, clock: Clock, readiness: Readiness) -> None:
    through_database = through(readiness.check("webhooks", required=False), postgres.is_outage)
    pool = await through_database(
        lambda: postgres.create_pool(settings.database_url, name="verification-webhooks", most=4)
    )
    try:
        # Through no proxy: what a name leads to has been looked at, and is what is called.
        async with httpx.AsyncClient(
            verify=httpx.create_ssl_context(), trust_env=False, limits=EACH_ITS_OWN
        ) as client:
            await Webhooks(
                outbox=PostgresWebhooks(pool),
                post=HttpWebhooks(client, private=settings.webhooks_private),
                secrets=WebhookSecrets(settings.keys_dir).of,
                clock=clock,
                through_database=through_database,
            ).run()
    finally:
        pool.terminate()


@asynccontextmanager
async def webhook_endpoints(settings: Settings) -> AsyncIterator[tuple[PostgresWebhooks, WebhookSecrets]]:
    """For the commands about them. Raises outages of the database."""
    pool = await postgres.create_pool(settings.database_url, name="verification-webhooks", most=1)
    try:
        yield PostgresWebhooks(pool), WebhookSecrets(settings.keys_dir)
    finally:
        pool.terminate()


async def _forget(settings: Settings, directory: KafkaDirectory, clock: Clock, readiness: Readiness) -> None:
    through_outages = through(readiness.check("forgetting", required=False), _outage)
    pool = await through_outages(
        lambda: postgres.create_pool(settings.database_url, name="verification-forget", most=1)
    )
    try:
        await directory.catch_up()
        await Forgetting(
            store=PostgresRetention(pool),
            editions=directory,
            log=KafkaKept(settings.kafka),
            clock=clock,
            through_outages=through_outages,
            repeats=timedelta(days=settings.repeat_days),
            withdrawable=settings.withdrawable,
        ).run()
    finally:
        pool.terminate()


async def catch_up_with_log(settings: Settings, progress: Progress = lambda *_: None) -> CaughtUp:
    """Raises KeyMissing, WorkersRun and outages."""
    opening = _Opening.by(settings)
    directory = KafkaDirectory(settings.kafka, Readiness().check("directory"))
    reading = asyncio.create_task(directory.run())
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await directory.catch_up()
        for partition in range(RATING_SUBMISSIONS.partitions):
            # Ends what a worker that was killed has left open, and shuts out one that lingers.
            await (await KafkaOutcomeLog.open(settings.kafka, partition, GROUP)).close()
        async with whole_log(settings.kafka) as log:
            reader = opening.reader(directory, utc_now, Cap(Limits(share=1)))
            return await catch_up(log, PostgresStore(settings.database_url), reader, progress)
    finally:
        reading.cancel()
        await asyncio.wait({reading})


@asynccontextmanager
async def key_checks(settings: Settings) -> AsyncIterator[tuple[KafkaKept, PostgresRetention]]:
    """For the commands that end keys. Raises outages of the database."""
    pool = await postgres.create_pool(settings.database_url, name="verification-keys", most=1)
    try:
        yield KafkaKept(settings.kafka), PostgresRetention(pool)
    finally:
        pool.terminate()


def api_app(settings: Settings, *, clock: Clock = utc_now) -> FastAPI:
    """The process that citizens' browsers and portals talk to."""
    challenge_key = RotatedKey(settings.keys_dir, CHALLENGE_KEY)
    challenges = Challenges(challenge_key)
    proofs = ProofsOfWork(challenge_key, maxnumber=settings.proof_of_work_maxnumber)
    news = asyncio.Event()
    statuses = _NotYet()
    outcomes = Outcomes(statuses, news=news, outage=postgres.is_outage, withdrawable=settings.withdrawable)

    @asynccontextmanager
    async def lifespan(_: FastAPI, readiness: Readiness, owned: Owned) -> AsyncIterator[None]:
        # Challenges need no database.
        database = readiness.check("postgres", required=False)

        async def listen() -> None:
            connected = await through(database, postgres.is_outage)(
                lambda: postgres.create_pool(settings.database_url, name="verification-api", most=8)
            )
            statuses.statuses = PostgresStatuses(connected)
            try:
                await PostgresNews(settings.database_url, news, database).run()
            finally:
                connected.terminate()

        owned.start("news", listen())
        owned.start("outcomes", outcomes.run())
        try:
            yield
        finally:
            await owned.close(seconds=SHUTDOWN_SECONDS)

    app = create_app(
        title="Hài Lòng: verification",
        description="Challenges, and the outcome of a rating.",
        lifespan=lifespan,
        capacity=Capacity(
            reads=settings.at_once,
            writes=settings.at_once,
            waits=settings.waits_at_once,
            waiting=re.compile("/outcome$"),
        ),
        headers=for_data(https=settings.https),
    )
    app.include_router(
        routes(
            challenges=challenges,
            proofs=proofs,
            outcomes=outcomes,
            clock=clock,
            outage=postgres.is_outage,
        )
    )
    if settings.embedded_in:
        app.add_middleware(pages_elsewhere.answering, origins=settings.embedded_in)
    return app


class _NotYet:
    """The statuses, once there is a pool to ask; an outage until then."""

    statuses: Statuses | None = None

    async def of(self, ids: Sequence[UUID]) -> Mapping[UUID, tuple[State, datetime]]:
        if self.statuses is None:
            raise ConnectionError("the database has not been reached yet")
        return await self.statuses.of(ids)


def _gateway(settings: Settings, client: httpx.AsyncClient) -> SmsGateway:
    if settings.sms_gateway == "outbox":
        return OutboxSmsGateway(settings.outbox_dir)
    return HttpSmsGateway(
        client,
        HttpSms(
            url=settings.sms_http_url,
            method=settings.sms_http_method,
            body=settings.sms_http_body,
            content_type=settings.sms_http_content_type,
            headers={name: value.get_secret_value() for name, value in settings.sms_http_headers.items()},
        ),
    )
