"""Publishing a directory: what files say, against what the log has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from contracts.envelope import Envelope, Message, encode
from contracts.events import EditionPublished, Event
from contracts.topics import DIRECTORY, submissions_kept_days
from services.intake.ports import Log
from services.intake.submitting import SOURCE


@dataclass(frozen=True, slots=True)
class Plan:
    """Keys of what would change. `absent`: on the log, and in none of the files."""

    added: list[str]
    changed: list[str]
    unchanged: list[str]
    absent: list[str]


def compare(wanted: Mapping[str, Event], there: Mapping[str, Event]) -> Plan:
    """`absent` is judged among the kinds that the files speak of: an edition's file removes no unit."""
    kinds = {key.partition(":")[0] for key in wanted}
    return Plan(
        added=[key for key in wanted if key not in there],
        changed=[key for key, event in wanted.items() if key in there and there[key] != event],
        unchanged=[key for key, event in wanted.items() if there.get(key) == event],
        absent=[key for key in there if key not in wanted and key.partition(":")[0] in kinds],
    )


def kept_days(plan: Plan, wanted: Mapping[str, Event], there: Mapping[str, Event], *, prune: bool) -> int:
    """How long submissions may be kept once the plan is carried out: as the strictest edition promises."""
    gone = set(plan.absent if prune else ())
    after = {**{key: event for key, event in there.items() if key not in gone}, **wanted}
    return submissions_kept_days(event for event in after.values() if isinstance(event, EditionPublished))


async def publish(
    plan: Plan, wanted: Mapping[str, Event], *, prune: bool, log: Log, clock: Callable[[], datetime]
) -> int:
    """Append what is new, and tombstones for what is absent where `prune`. Returns how many.

    Raises NotKept: what was appended stays, and the same call appends the rest.
    """
    correlation = uuid4()
    keys = plan.added + plan.changed
    for key in keys:
        envelope = Envelope(
            id=uuid4(),
            source=SOURCE,
            subject=key,
            time=clock(),
            correlation_id=correlation,
            data=wanted[key],
        )
        await log.append(DIRECTORY.name, encode(envelope, key=key))
    gone = plan.absent if prune else []
    for key in gone:
        await log.append(DIRECTORY.name, Message(key.encode(), None, ()))
    return len(keys) + len(gone)
