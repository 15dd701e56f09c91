"""The worker's other use case: names of units and officers and the policies of editions, as the topic
`directory` has them."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from chassis.logs import logger
from chassis.readiness import Check
from chassis.tasks import wait_out
from contracts.envelope import InvalidMessage, decode
from contracts.events import EditionPublished, OfficerPublished, UnitPublished

log = logger(__name__)
Entry = UnitPublished | OfficerPublished | EditionPublished


@dataclass(frozen=True, slots=True)
class Published:
    """A record of `directory`; `value` None removes what `key` names."""

    offset: int
    key: str
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What a key stands for since `offset`; None once it is removed, or nothing that is kept here."""

    offset: int
    key: str
    entry: Entry | None


class Directory(Protocol):
    def batches(self) -> AsyncIterator[tuple[Sequence[Published], bool]]:
        """All records from the first on, then new ones as they come, in batches; with each whether the end of
        the topic, as it was at the start, is reached. Waits out outages."""


class Names(Protocol):
    async def replace(self, entries: Iterable[Change]) -> None:
        """Make the entries all the names there are; policies stay. Raises what `outage` knows."""

    async def change(self, changes: Iterable[Change]) -> None:
        """Raises what `outage` knows."""

    def outage(self, error: BaseException) -> bool: ...


async def keep_names(
    directory: Directory, names: Names, *, postgres: Check, read: Check, known: asyncio.Event
) -> None:
    """Read the directory from its start, replace all names by it, then follow it; never returns. `known` is
    set once it is read: outcomes are folded by the policies of their editions.

    Read again at each start: compaction may have dropped the tombstones that came while no worker ran.
    """
    latest: dict[str, Change] = {}
    complete = False
    async for records, reached_end in directory.batches():
        latest |= {change.key: change for change in map(_change, records) if change is not None}
        if not reached_end:
            continue
        changes = list(latest.values())
        action = names.change if complete else names.replace
        if changes or not complete:
            await wait_out(postgres, lambda a=action, c=changes: a(c), outage=names.outage)  # type: ignore[misc]
        complete, latest = True, {}
        read.up()
        known.set()


def _change(record: Published) -> Change | None:
    if record.value is None:
        return Change(record.offset, record.key, None)
    try:
        data = decode(record.value, record.headers).data
    except InvalidMessage as error:
        # Intake, which owns the topic, sends it to the dead letters; here the name stays as it was.
        log.warning("directory entry unreadable", offset=record.offset, reason=error.reason)
        return None
    return Change(record.offset, record.key, data if isinstance(data, Entry) else None)
