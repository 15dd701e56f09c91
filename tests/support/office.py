"""What tests of the office stand on: a ledger in memory, and tables."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from contracts.envelope import Message, decode
from contracts.events import Event, OfficeActionTaken, RatingSubmitted
from contracts.topics import DIRECTORY, OFFICE_ACTIONS
from services.intake.domain.directory import Directory
from services.intake.domain.paper import Forms
from services.intake.domain.table import Row
from services.intake.office import Actor, Office
from services.intake.paper import Paper
from services.intake.ports import Advance, NotKept, Taken
from tests.support.intake import NOW

BY = Actor("5e" * 16, "survey-office", "api")


@dataclass
class MemoryLedger:
    """Keeps what is committed, all at once; while `away`, confirms nothing."""

    there: dict[str, Event]
    away: bool = False
    written: list[tuple[str, Message]] = field(default_factory=list)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator["_Writing"]:
        yield _Writing(self, Directory().with_(self.there))

    @property
    def ratings(self) -> list[RatingSubmitted]:
        found = [decode(each.value, each.headers).data for _, each in self.written]
        return [each for each in found if isinstance(each, RatingSubmitted)]

    @property
    def actions(self) -> list[OfficeActionTaken]:
        found = [
            decode(each.value, each.headers).data
            for topic, each in self.written
            if topic == OFFICE_ACTIONS.name
        ]
        return [each for each in found if isinstance(each, OfficeActionTaken)]


@dataclass
class LedgerView:
    """The directory and the trail as a ledger in memory has them."""

    ledger: MemoryLedger

    @property
    def current(self) -> Directory:
        return Directory().with_(self.ledger.there)


@dataclass
class LedgerTrail:
    ledger: MemoryLedger
    unreadable: int = 0

    @property
    def current(self) -> list[Taken]:
        taken = [
            (dict(each.headers)["ce_id"].decode(), decode(each.value, each.headers).data)
            for topic, each in self.ledger.written
            if topic == OFFICE_ACTIONS.name
        ]
        found = [
            Taken(UUID(id_), number, action)
            for number, (id_, action) in enumerate(taken)
            if isinstance(action, OfficeActionTaken)
        ]
        return found + [Taken(None, len(found) + n, None) for n in range(self.unreadable)]


@dataclass
class LedgerForms:
    """Paper forms as a ledger in memory has them."""

    ledger: MemoryLedger

    @property
    def forms(self) -> Forms:
        forms = Forms()
        for topic, each in self.ledger.written:
            if topic == OFFICE_ACTIONS.name:
                forms.take(decode(each.value, each.headers).data)
        return forms

    async def forms_now(self) -> Forms:
        return self.forms


@dataclass
class _Writing:
    ledger: MemoryLedger
    directory: Directory

    async def commit(self, messages: Sequence[tuple[str, Message]], advance: Advance) -> None:
        if self.ledger.away:
            raise NotKept("away")
        self.ledger.written += messages
        for topic, message in messages:
            if topic == DIRECTORY.name:
                key = (message.key or b"").decode()
                if message.value is None:
                    self.ledger.there.pop(key)
                else:
                    event = decode(message.value, message.headers).data
                    self.ledger.there[key] = event
        advance(len(messages), len(messages))


async def _kept(_days: int) -> None:
    """Any promise is."""


def office(ledger: MemoryLedger) -> Office:
    return Office(ledger, lambda: NOW, _kept)


def paper(ledger: MemoryLedger) -> Paper:
    return Paper(ledger, LedgerForms(ledger), b"s" * 32, lambda: NOW, turns=1)


def rows(*lines: Mapping[str, str]) -> list[Row]:
    """As they would stand in a file, below its head."""
    return [Row(number, line) for number, line in enumerate(lines, start=2)]
