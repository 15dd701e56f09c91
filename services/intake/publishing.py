"""Publishing a directory: what files say, against what the log has."""

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.events import Event


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
