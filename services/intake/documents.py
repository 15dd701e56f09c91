"""The documents of the directory and the edition, for OpenAPI: `catalogue` writes them."""

from pydantic import BaseModel

from contracts.events import Instrument, Policy, Text
from contracts.values import Day


class Named(BaseModel):
    id: str
    name: Text


class Officer(BaseModel):
    """`sample`: made up, nobody is behind it."""

    id: str
    name: str
    title: Text
    sample: bool


class CountedGroup(Named):
    unit_count: int


class Groups(BaseModel):
    groups: list[CountedGroup]


class CountedUnit(Named):
    officer_count: int


class GroupWithUnits(Named):
    units: list[CountedUnit]


class PlacedUnit(Named):
    """`predecessors`: the units that have merged into it."""

    group: Named
    predecessors: list[Named]


class UnitWithOfficers(PlacedUnit):
    """The officers are those who take ratings today. `closed_on`: the first day on which the unit takes none;
    `merged_into`: who stands in for it since."""

    closed_on: Day | None
    merged_into: Named | None
    officers: list[Officer]


class PlacedOfficer(Officer):
    unit: Named


class OfficerWithPlace(PlacedOfficer):
    """`active`: takes ratings today."""

    group: Named
    active: bool


class Register(BaseModel):
    """Whom the directory has ever named and not forgotten."""

    units: list[Named]
    officers: list[OfficerWithPlace]


class Found(BaseModel):
    query: str
    units: list[PlacedUnit]
    officers: list[PlacedOfficer]


class Edition(BaseModel):
    """One run of the survey: what is asked, when, and how a rating is verified."""

    id: str
    title: Text
    opens_on: Day
    closes_on: Day
    policy: Policy
    instrument: Instrument
