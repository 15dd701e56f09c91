"""Units that merged into others: who took over from whom."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date

from contracts.events import UnitPublished
from services.intake.domain.directory import is_open

Units = Mapping[str, UnitPublished]


def successor(units: Units, unit: UnitPublished, day: date) -> UnitPublished | None:
    """Who stands in for a unit that has closed, however many mergers later; None where nobody does."""
    passed: set[str] = set()
    at: UnitPublished | None = unit
    while at is not None and _has_closed(at, day) and at.unit_id not in passed:
        passed.add(at.unit_id)
        at = units.get(at.merged_into) if at.merged_into else None
    return at if passed and at is not None and at.unit_id not in passed else None


def merged(units: Units, day: date) -> dict[str, list[UnitPublished]]:
    """The units that merged into each, those that had merged into them before too."""
    found: dict[str, list[UnitPublished]] = defaultdict(list)
    for unit in units.values():
        heir = successor(units, unit, day)
        if heir is not None:
            found[heir.unit_id].append(unit)
    return found


def flaws(units: Units) -> Iterator[tuple[UnitPublished, str]]:
    """Mergers that cannot be. Who takes over is open on the day; so nobody takes over from themselves, and
    mergers never lead back to where they began."""
    for unit in units.values():
        if unit.merged_into is None:
            continue
        heir = units.get(unit.merged_into)
        if unit.closed_on is None:
            yield unit, "has no closed_on, the day on which the other takes over"
        elif heir is None:
            yield unit, f"there is no unit {unit.merged_into}"
        elif not is_open(heir, unit.closed_on):
            yield unit, f"{heir.unit_id} is not open on {unit.closed_on}, so it cannot take over"


def _has_closed(unit: UnitPublished, day: date) -> bool:
    return unit.closed_on is not None and unit.closed_on <= day
