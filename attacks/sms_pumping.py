"""SMS pumping: somebody makes the city send, and pay for, messages to numbers of their own.

The ratings go through verification's own reading, deciding and sending, on a real PostgreSQL, by two senders
as by two replicas, to a gateway of this machine that counts.
"""

import asyncio
import base64
import hashlib
import json
import random
import secrets
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import asyncpg
import httpx
import typer
from nacl.public import PublicKey, SealedBox
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from chassis import logs, postgres
from chassis.dead_letters.cap import Cap
from chassis.readiness import Check
from contracts.envelope import Envelope, encode
from contracts.events import EditionPublished, Policy, RatingSubmitted, Sealed, VerificationPolicy
from contracts.golden import EVENTS
from contracts.topics import key_of
from deploy.local.layout import CHECKOUT
from deploy.local.ports import HOST, free_ports
from deploy.local.postgres import Database
from services.verification.adapters.decisions import PostgresDecisions
from services.verification.adapters.key_files import (
    CHALLENGE_KEY,
    PHONE_CODE_KEY,
    FileKeyRing,
    create_keys,
    read_key,
)
from services.verification.adapters.sms_http import HttpSms, HttpSmsGateway
from services.verification.adapters.sms_ledger import PostgresSmsLedger
from services.verification.adapters.sms_queue import PostgresSmsQueue
from services.verification.adapters.statuses import PostgresStatuses
from services.verification.batches import Reader
from services.verification.bootstrap import through, utc_now
from services.verification.challenges import Challenges
from services.verification.deciding import decide_batch
from services.verification.domain.sending import Limits
from services.verification.domain.status import public_status
from services.verification.phone_codes import PhoneCodes
from services.verification.ports import Record, SmsGateway
from services.verification.proof_of_work import ProofsOfWork
from services.verification.settings import Settings
from services.verification.sms import SmsSender
from services.verification.sms_budget import CHECK, SmsBudget

MIGRATIONS = CHECKOUT / "services" / "verification" / "migrations"
BATCH = 250
SENDERS = 2
PARTITION = 0
BLOCK = 20  # numbers attacked from each of the many blocks
PREFIXES = (
    "32",
    "33",
    "34",
    "35",
    "56",
    "58",
    "70",
    "76",
    "77",
    "79",
    "81",
    "83",
    "88",
    "90",
    "91",
    "93",
    "97",
)
_EDITION = next(event for event in EVENTS if isinstance(event, EditionPublished))
_SUBMITTED = next(event for event in EVENTS if isinstance(event, RatingSubmitted))

Told = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Wave:
    """Numbers attacked from the same kind of place, the SMS that came of it, and how many may."""

    place: str
    numbers: int
    sent: int
    most: int


@dataclass(frozen=True, slots=True)
class Figures:
    waves: Sequence[Wave]
    sent: int
    per_day: int
    twice: int
    told_apart: int
    alarms: str  # all that the readiness check has said; empty: none

    @property
    def failures(self) -> list[str]:
        found = [
            f"{wave.place}: {wave.sent} SMS, {wave.most} allowed"
            for wave in self.waves
            if wave.sent > wave.most
        ]
        if self.sent > self.per_day:
            found.append(f"{self.sent} SMS, {self.per_day} allowed a day")
        if self.sent == 0:
            found.append("no SMS went out at all, so nothing was shown")
        if not self.alarms:
            found.append("no alarm")
        if self.told_apart:
            found.append(f"{self.told_apart} ratings can be told from the others from outside")
        return found


class Gateway:
    """Takes every message over HTTP, and counts them by number."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.url = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        async with await asyncio.start_server(self._serve, HOST, 0) as server:
            self.url = f"http://{HOST}:{server.sockets[0].getsockname()[1]}/messages"
            yield

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                length = int(head.split("content-length:", 1)[1].split("\r\n", 1)[0])
                self.taken[json.loads(await reader.readexactly(length))["to"]] += 1
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the caller went away
        finally:
            writer.close()


class Attacked:
    """An edition that asks for phone codes, and the numbers: a third from each kind of place."""

    def __init__(self, keys: Path, numbers: int) -> None:
        today = datetime.now(UTC).date()
        self.edition = _EDITION.model_copy(
            update={
                "opens_on": today - timedelta(days=1),
                "closes_on": today + timedelta(days=1),
                "policy": Policy(verification=VerificationPolicy.PHONE),
                "sealing_key": create_keys(keys, _EDITION.edition_id),
            }
        )
        chance = random.Random(numbers)
        drawn: dict[str, None] = {}
        while len(drawn) < numbers:
            drawn[f"+84{chance.choice(PREFIXES)}{chance.randrange(10**7):07d}"] = None
        self.numbers = list(drawn)
        self.ratings = [uuid4() for _ in drawn]
        self._box = SealedBox(PublicKey(base64.b64decode(self.edition.sealing_key.public_key)))

    def batches(self) -> Iterator[list[Record]]:
        for first in range(0, len(self.numbers), BATCH):
            yield [self._record(each) for each in range(first, min(first + BATCH, len(self.numbers)))]

    def wave(self, place: int) -> list[str]:
        return self.numbers[place::3]

    def _record(self, index: int) -> Record:
        number = self.numbers[index]
        origin = (_block(0), None, _block(1 + index // (3 * BLOCK)))[index % 3]
        event = _SUBMITTED.model_copy(
            update={
                "rating_id": self.ratings[index],
                "idempotency_token": secrets.token_hex(32),
                "edition_id": self.edition.edition_id,
                "phone": Sealed(
                    key_id=self.edition.sealing_key.key_id,
                    box=base64.b64encode(self._box.encrypt(number.encode())).decode(),
                ),
                "phone_pseudonym": hashlib.sha256(number.encode()).hexdigest(),
                "challenge": None,
                "origin": origin,
                "submitted_at": datetime.now(UTC),
            }
        )
        event_id = uuid4()
        envelope = Envelope(
            id=event_id,
            source="/hailong/intake",
            subject=key_of(event),
            time=event.submitted_at,
            correlation_id=event_id,
            data=event,
        )
        message = encode(envelope, key=key_of(event))
        return Record(index, event.submitted_at, message.key, message.value, tuple(message.headers))


def _block(number: int) -> str:
    return hashlib.sha256(f"block {number}".encode()).hexdigest()


class OneEdition:
    """The directory, as far as verification asks."""

    def __init__(self, edition: EditionPublished) -> None:
        self._edition = edition

    def edition(self, edition_id: str) -> EditionPublished | None:
        return self._edition if edition_id == self._edition.edition_id else None

    async def catch_up(self) -> None:
        pass


async def run(database_url: str, keys: Path, numbers: int, settings: Settings, told: Told) -> Figures:
    """Attack so many numbers. `told` hears how many of them are done with."""
    limits = settings.sms_limits
    attacked, gateway, check = Attacked(keys, numbers), Gateway(), Check(CHECK, required=False)
    pool = await postgres.create_pool(database_url, name="sms-pumping", most=4 * SENDERS)
    try:
        async with gateway.serving(), httpx.AsyncClient() as client:
            http = HttpSmsGateway(client, HttpSms(gateway.url))
            senders = [_sender(pool, keys, limits, check, http) for _ in range(SENDERS)]
            decided = 0
            rang: set[str] = set()

            async def drain(sender: SmsSender) -> None:
                """Until nothing is left to send, or the limits have clearly failed."""
                while gateway.taken.total() <= limits.per_day + BATCH and await sender.turn():
                    rang.update([] if check.ok else check.detail.split(", "))
                    told(decided - await pool.fetchval("SELECT count(*) FROM sms_queue"))

            async for number in _decide(pool, keys, attacked, settings):
                decided += number
                await asyncio.gather(*(drain(each) for each in senders))
        return await _figures(pool, attacked, gateway, limits, rang)
    finally:
        pool.terminate()


async def _decide(
    pool: asyncpg.Pool, keys: Path, attacked: Attacked, settings: Settings
) -> AsyncIterator[int]:
    """Batch by batch; how many ratings each decided."""
    decisions, ring = PostgresDecisions(pool), FileKeyRing(keys)
    reader = Reader(
        directory=OneEdition(attacked.edition),
        challenges=Challenges(read_key(keys / CHALLENGE_KEY)),
        proofs=ProofsOfWork(read_key(keys / CHALLENGE_KEY), maxnumber=settings.proof_of_work_maxnumber),
        phone_codes=PhoneCodes(read_key(keys / PHONE_CODE_KEY), ring),
        ring=ring,
        clock=utc_now,
        cap=Cap(settings.dead_letter_limits),
    )
    epoch = await decisions.take_over(PARTITION)
    for records in attacked.batches():
        batch = await reader.read(PARTITION, records)
        async with decisions.transaction(PARTITION, epoch) as transaction:
            await decide_batch(transaction, batch, utc_now())
        yield len(batch.items)


def _sender(pool: asyncpg.Pool, keys: Path, limits: Limits, check: Check, gateway: SmsGateway) -> SmsSender:
    ring = FileKeyRing(keys)
    return SmsSender(
        queue=PostgresSmsQueue(pool),
        ledger=PostgresSmsLedger(pool),
        limits=limits,
        budget=SmsBudget(limits, check),
        gateway=gateway,
        ring=ring,
        codes=PhoneCodes(read_key(keys / PHONE_CODE_KEY), ring),
        clock=utc_now,
        through_database=through(Check("postgres"), postgres.is_outage),
        waiting=asyncio.Event(),
    )


async def _figures(
    pool: asyncpg.Pool, attacked: Attacked, gateway: Gateway, limits: Limits, rang: set[str]
) -> Figures:
    many = attacked.wave(2)
    places = (
        ("one address block", attacked.wave(0), limits.per_origin),
        ("nobody knows where", attacked.wave(1), limits.unknown_origin),
        ("many address blocks", many, min(-(-len(many) // BLOCK) * limits.per_origin, limits.per_day)),
    )
    waves = [
        Wave(name, len(numbers), sum(gateway.taken[each] for each in numbers), most)
        for name, numbers, most in places
    ]
    states = await PostgresStatuses(pool).of(attacked.ratings)
    shown = [public_status(*states[each]) for each in attacked.ratings]
    usual = Counter((each.status, each.tries_left) for each in shown).most_common(1)[0][1]
    return Figures(
        waves=waves,
        sent=gateway.taken.total(),
        per_day=limits.per_day,
        twice=sum(number > 1 for number in gateway.taken.values()),
        told_apart=len(shown) - usual,
        alarms=", ".join(sorted(rang)),
    )


def main(
    numbers: Annotated[int, typer.Option(min=3, help="How many phones are attacked.")] = 10_000,
    per_day: Annotated[int, typer.Option(min=1, help="SMS a day, all together.")] = 400,
    per_origin: Annotated[int, typer.Option(min=1, help="SMS a day for one address block.")] = 100,
    unknown_origin: Annotated[int, typer.Option(min=1, help="The same for all unknown ones.")] = 50,
) -> None:
    """Ask for codes to many phones, and count the SMS.

    Example: python -m attacks sms-pumping --numbers 10000
    """
    settings = Settings(sms_per_day=per_day, sms_per_origin=per_origin, sms_unknown_origin=unknown_origin)
    logs.configure("sms-pumping", level="ERROR")
    console = Console(highlight=False)
    columns = (TextColumn("numbers done with"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with tempfile.TemporaryDirectory() as folder, Progress(*columns, console=console) as progress:
        Path(folder).chmod(0o755)  # the database runs as somebody else where we are root
        task = progress.add_task("", total=numbers)
        figures = asyncio.run(
            _on_own_database(
                Path(folder), numbers, settings, lambda done: progress.update(task, completed=done)
            )
        )
    console.print(_table(figures))
    for failure in figures.failures:
        console.print(f"[red]FAILED[/red] {failure}")
    raise typer.Exit(1 if figures.failures else 0)


async def _on_own_database(folder: Path, numbers: int, settings: Settings, told: Told) -> Figures:
    database = Database(
        folder / "data", port=free_ports(1)[0], secrets_directory=folder / "keys", databases=("verification",)
    )
    async with database:
        url = database.url("verification")
        await postgres.migrate(url, MIGRATIONS)
        return await run(url, folder / "verification-keys", numbers, settings, told)


def _table(figures: Figures) -> Table:
    table = Table("attacked from", "numbers", "SMS", "allowed")
    for wave in figures.waves:
        table.add_row(wave.place, str(wave.numbers), str(wave.sent), str(wave.most))
    numbers = sum(wave.numbers for wave in figures.waves)
    table.add_row("in all", str(numbers), str(figures.sent), str(figures.per_day), end_section=True)
    table.add_row("numbers that got more than one", str(figures.twice))
    table.add_row("ratings told apart from outside", str(figures.told_apart))
    table.add_row("alarm", figures.alarms or "none")
    return table
