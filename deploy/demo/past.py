"""Ratings of the past, written to the log by intake's own code, whose clock shows then.

So each is judged by the directory as it stands, limited, sealed and given its ids like any other. Only the
keys of this checkout make that possible: challenges are made with verification's, and answered at once.
"""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import IPv4Address

from chassis.readiness import Check
from chassis.tally import Tally
from contracts.city_time import city_day
from contracts.events import Event
from contracts.topics import key_of
from deploy.demo.visits import Visit
from services.intake.adapters.directory_topic import read_all
from services.intake.adapters.kafka_log import KafkaLog
from services.intake.adapters.key_files import FileKeys
from services.intake.adapters.sealing import SodiumSealer
from services.intake.bootstrap import publish_all, utc_now
from services.intake.command_line import operator
from services.intake.domain import identity
from services.intake.domain.directory import Directory
from services.intake.domain.limits import Caller
from services.intake.domain.rating import Rating
from services.intake.limiting import Limiter
from services.intake.ports import NotKept, Parts
from services.intake.settings import Settings
from services.intake.submitting import SubmitRating
from services.verification.challenges import LIFETIME, Challenges

CLIENT = "portal"
DEMO = "demonstration"
AT_ONCE = 100


@dataclass(slots=True)
class Past:
    """`current` is the directory as the log had it when it was last read or changed."""

    settings: Settings
    challenges: Challenges
    log: KafkaLog
    limiter: Limiter
    current: Directory

    async def publish(self, *events: Event) -> None:
        """Raises KafkaAway."""
        wanted = {key_of(event): event for event in events}
        await publish_all(
            self.settings, wanted, operator(DEMO), action="files_published", prune=False, dry_run=False
        )
        self.current = self.current.with_(wanted)

    async def submit(
        self, visits: Sequence[Visit], edition_id: str, chance: random.Random, done: Callable[[], None]
    ) -> None:
        """In their order, as far as many at once have one. Raises what intake refuses a rating for."""
        parts = Parts(self.log, self, FileKeys(self.settings.keys_dir), SodiumSealer(), utc_now)
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(visit: Visit, rating: Rating) -> None:
            try:
                at_that_time = SubmitRating(replace(parts, clock=lambda: visit.at), self.limiter)
                await self._kept(at_that_time, rating, self._caller(parts, visit.at))
                done()
            finally:
                gate.release()

        async with asyncio.TaskGroup() as group:
            for visit in visits:
                await gate.acquire()
                group.create_task(one(visit, self._rating(visit, edition_id, chance)))

    async def _kept(self, submit: SubmitRating, rating: Rating, caller: Caller) -> None:
        """As a caller should: what was not confirmed is sent again under its key."""
        key = secrets.token_urlsafe(24)
        while True:
            await self.log.standing()
            try:
                await submit(rating, key, caller)
            except NotKept:
                continue
            return

    def _rating(self, visit: Visit, edition_id: str, chance: random.Random) -> Rating:
        took = timedelta(seconds=chance.randint(15, 180))
        late = LIFETIME if visit.expected == "challenge_expired" else timedelta()
        challenge = self.challenges.issue(edition_id, visit.at - took - late)
        digits = challenge.digits
        if visit.expected == "challenge_wrong":
            digits = digits[::-1] if digits[::-1] != digits else "0" * len(digits)
        return Rating(
            edition_id=edition_id,
            officer_id=visit.officer.id,
            answer=visit.answer,
            reasons=visit.reasons,
            phone=visit.phone,
            consent=True,
            challenge=(challenge.id, digits),
            channel=visit.channel,
            language="vi",
        )

    def _caller(self, parts: Parts, at: datetime) -> Caller:
        secret, day = parts.keys.secret, city_day(at)
        address = IPv4Address(0x0A000000 + secrets.randbelow(2**24))
        session = identity.session(secret, day, CLIENT, secrets.token_urlsafe(16))
        return Caller(CLIENT, session, identity.origin(secret, day, address))


@asynccontextmanager
async def past(settings: Settings, challenges: Challenges) -> AsyncIterator[Past]:
    log = KafkaLog(settings.kafka, Check("kafka"), name="simulation")
    producer = asyncio.create_task(log.run())
    try:
        there = Directory().with_(await read_all(settings.kafka))
        yield Past(settings, challenges, log, Limiter(settings.limits, Tally(settings.limit_window)), there)
    finally:
        producer.cancel()
        await asyncio.wait([producer])
