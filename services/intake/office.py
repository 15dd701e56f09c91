"""What the survey office does: each action is decided on the directory as it stands, and written together
with who took it and when."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeVar
from uuid import UUID, uuid4

from contracts.city_time import city_day
from contracts.envelope import Envelope, Message, encode
from contracts.events import DirectoryChange, EditionPublished, Event, OfficeActionTaken
from contracts.topics import DIRECTORY, OFFICE_ACTIONS, key_of, submissions_kept_days
from services.intake.domain import importing
from services.intake.domain.changes import Change, Impossible, Kind, with_changes
from services.intake.domain.directory import Directory
from services.intake.domain.identity import SOURCE
from services.intake.domain.table import Row
from services.intake.ports import Advance, Ledger, Overtaken

T = TypeVar("T")
WHOLE = "directory"
"""What an action is done to that is done to no single entry."""
PART_BYTES = 400_000
"""Of an action's changes in one record; an action of more has several, with one correlation id."""
API, COMMAND = "api", "command"

Decide = Callable[[Directory, date], Sequence[Change]]
Promise = Callable[[int], Awaitable[None]]
"""Hears for how many days submissions may be kept after an edition's change, and may refuse by raising."""


class Moved(Exception):
    """The directory, the day or the table is another than what was previewed."""


@dataclass(frozen=True, slots=True)
class Actor:
    """`subject` is a digest; `role` one of the office's, or `operator` on a machine of theirs."""

    subject: str
    role: str
    via: str


@dataclass(frozen=True, slots=True)
class Done:
    """`action_id` is None where there was nothing to change, and so nothing was written."""

    action_id: UUID | None
    changes: Sequence[Change]


def silent(_done: int, _of: int) -> None:
    """For who needs no progress."""


class Office:
    """One a process. `promise` is asked before an edition changes.

    Whoever is overtaken tries again, `turns` in all: each time it is decided anew on what is there then.
    """

    def __init__(
        self, ledger: Ledger, clock: Callable[[], datetime], promise: Promise, *, turns: int = 1
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._promise = promise
        self._turns = turns

    async def act(
        self,
        actor: Actor,
        action: str,
        target: str,
        decide: Decide,
        *,
        digest: str | None = None,
        advance: Advance = silent,
    ) -> Done:
        """Raises what `decide` and `promise` raise, NotKept and Overtaken."""
        return await taking_turns(
            self._turns,
            lambda: self._act(actor, action, target, decide, digest=digest, advance=advance),
        )

    async def _act(
        self, actor: Actor, action: str, target: str, decide: Decide, *, digest: str | None, advance: Advance
    ) -> Done:
        async with self._ledger.writing() as writing:
            now = self._clock()
            changes = decide(writing.directory, city_day(now))
            if not changes:
                return Done(None, ())
            if any(isinstance(each, EditionPublished) for c in changes for each in (c.before, c.after)):
                await self._promise(kept_days(writing.directory, changes))
            action_id = uuid4()
            messages = [(DIRECTORY.name, _message(change, now, action_id)) for change in changes]
            for number, part in enumerate(_parts(changes)):
                taken = OfficeActionTaken(
                    action=action,
                    target=target,
                    actor=actor.subject,
                    role=actor.role,
                    via=actor.via,
                    changes=part,
                    digest=digest,
                    taken_at=now.astimezone(UTC),
                )
                envelope = envelope_of(uuid4() if number else action_id, taken, now, action_id)
                messages.append((OFFICE_ACTIONS.name, encode(envelope, key=key_of(taken))))
            await writing.commit(messages, advance)
        return Done(action_id, changes)

    async def import_table(
        self, actor: Actor, rows: Sequence[Row], *, complete: bool, digest: str, advance: Advance = silent
    ) -> Done:
        """Apply what was previewed under `digest`. Raises Moved where it would be anything else."""

        def decide(directory: Directory, day: date) -> Sequence[Change]:
            plan = importing.plan(rows, directory, day, complete=complete)
            if plan.digest != digest:
                raise Moved
            if plan.flaws:
                raise Impossible(*plan.flaws)
            return plan.changes

        return await self.act(actor, "directory_imported", WHOLE, decide, digest=digest, advance=advance)


async def taking_turns(turns: int, work: Callable[[], Awaitable[T]]) -> T:
    """What comes of `work`, which begins anew when it was overtaken, `turns` times in all."""
    for turn in range(1, turns):
        try:
            return await work()
        except Overtaken:  # whoever came between has to come to an end first
            await asyncio.sleep(turn * (0.2 + secrets.randbelow(1000) / 1000))
    return await work()


def kept_days(directory: Directory, changes: Sequence[Change]) -> int:
    """How long submissions may be kept once these are made: as the strictest edition promises."""
    return submissions_kept_days(with_changes(directory, changes).editions.values())


def replaced(wanted: Mapping[str, Event], gone: Sequence[str]) -> Decide:
    """Publish `wanted` by their keys, and take what is `gone` out, whatever is there."""

    def decide(directory: Directory, _day: date) -> Sequence[Change]:
        there = directory.by_key()
        changes = [
            Change(key, Kind.CHANGED if key in there else Kind.ADDED, event, there.get(key))
            for key, event in wanted.items()
            if there.get(key) != event
        ]
        return changes + [Change(key, Kind.REMOVED, None, there[key]) for key in gone if key in there]

    return decide


def _parts(changes: Sequence[Change]) -> Iterator[tuple[DirectoryChange, ...]]:
    part: list[DirectoryChange] = []
    size = 0
    for change in changes:
        told = change.told
        length = len(told.model_dump_json().encode())
        if part and size + length > PART_BYTES:
            yield tuple(part)
            part, size = [], 0
        part.append(told)
        size += length
    yield tuple(part)


def _message(change: Change, now: datetime, action_id: UUID) -> Message:
    if change.after is None:
        return Message(change.key.encode(), None, ())
    return encode(envelope_of(uuid4(), change.after, now, action_id), key=change.key)


def envelope_of(id_: UUID, event: Event, now: datetime, action_id: UUID) -> Envelope[Event]:
    """`action_id` joins an action with all that it changed."""
    return Envelope(
        id=id_, source=SOURCE, subject=key_of(event), time=now, correlation_id=action_id, data=event
    )
