"""Figures as stored, all of them: what publication chooses from."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import NamedTuple

from contracts.events import Publication
from services.aggregation.domain import Measure, Scope
from services.aggregation.looking_back import Cell
from services.aggregation.releasing import Standing

Counts = Mapping[tuple[Measure, str], int]
ByDay = Mapping[str, Mapping[Scope, Mapping[date, "Tallied"]]]  # edition, scope


Accepted = Mapping[str, Mapping[str, Mapping[Cell, Mapping[str, int]]]]
"""By edition and unit, answers by the days of submission, of acceptance and of withdrawal."""


@dataclass(frozen=True, slots=True)
class Mark:
    """When figures moved last."""

    revision: int = 0
    updated_at: datetime | None = None


NEVER = Mark()


class Cells(dict[tuple[Measure, str], int]):
    """Counts that are looked at over and over, and never change: what is worked out of them stays with
    them."""

    @cached_property
    def by_measure(self) -> Mapping[Measure, Mapping[str, int]]:
        found: dict[Measure, dict[str, int]] = {}
        for (measure, item), count in self.items():
            if count:
                found.setdefault(measure, {})[item] = count
        return found

    @cached_property
    def worked_out(self) -> dict[int, Counts]:
        """What is shown of them, by below how many nothing is (see `tree.parts_shown`)."""
        return {}

    @cached_property
    def total(self) -> int:
        return sum(self.by_measure.get(Measure.ANSWER, {}).values())


class Tallied(NamedTuple):
    """Counts: all, and of an officer what is released of them."""

    live: Counts = Cells()
    released: Counts = Cells()


@dataclass(frozen=True, slots=True)
class Stored:
    """Figures of the city as stored at `revision`: of every unit, and of some officers, those who are alone
    in their unit among them. `units` and `officers` say what each belongs to."""

    revision: int
    units: Mapping[str, str] = field(default_factory=dict)
    officers: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[Scope, Mark] = field(default_factory=dict)
    policies: Mapping[str, Publication] = field(default_factory=dict)
    of_units: Mapping[str, Mapping[str, Counts]] = field(default_factory=dict)  # edition, unit
    of_officers: Mapping[str, Mapping[str, Tallied]] = field(default_factory=dict)  # edition, officer
    standings: Mapping[str, Mapping[str, Standing]] = field(default_factory=dict)  # edition, officer


def alone(officers: Mapping[str, str], standings: Mapping[str, Standing]) -> dict[str, str]:
    """The units of an edition in which one officer alone was rated, and that officer."""
    rated: dict[str, list[str]] = defaultdict(list)
    for officer, standing in standings.items():
        if standing.accepted:
            rated[officers[officer]].append(officer)
    return {unit: theirs[0] for unit, theirs in rated.items() if len(theirs) == 1}


def items(counts: Counts, measure: Measure) -> Mapping[str, int]:
    """Of one measure, by item."""
    if isinstance(counts, Cells):
        return counts.by_measure.get(measure, {})
    return {item: count for (kind, item), count in counts.items() if kind is measure and count}


def total(counts: Counts) -> int:
    """Accepted ratings."""
    if isinstance(counts, Cells):
        return counts.total
    return sum(count for (measure, _), count in counts.items() if measure is Measure.ANSWER)
