"""What the office's API answers and takes."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.events import (
    AnswerChoice,
    DirectoryChange,
    EditionPublished,
    Instrument,
    Policy,
    Reason,
    Scale,
    SealingKey,
    Text,
)
from contracts.values import Day, Identifier, Instant


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Me(BaseModel):
    """`subject` is the digest under which the trail has the caller."""

    subject: str
    role: str
    may_change: bool


class Unit(BaseModel):
    id: str
    name: Text
    group_id: str
    group_name: Text
    opened_on: Day | None
    closed_on: Day | None
    merged_into: str | None
    open: bool
    officer_count: int = Field(description="Of those who take ratings today.")


class Officer(BaseModel):
    id: str
    unit_id: str
    name: str
    title: Text
    sample: bool
    active_from: Day | None
    active_until: Day | None
    active: bool


class Units(BaseModel):
    units: list[Unit]


class UnitWithOfficers(Unit):
    officers: list[Officer]


class Edition(BaseModel):
    """`etag` names this state: a change may ask that it be still so. `ready`: intake has its key."""

    edition: EditionPublished
    open: bool
    ready: bool
    etag: str


class Editions(BaseModel):
    editions: list[Edition]


class Action(BaseModel):
    """`number` is its place in the trail. What nobody can read has no more than that."""

    number: int
    id: UUID | None = None
    action: str | None = None
    target: str | None = None
    actor: str | None = None
    role: str | None = None
    via: str | None = None
    taken_at: Instant | None = None
    changes: list[DirectoryChange] = []


class Actions(BaseModel):
    """The newest first. `before`: with this number the next page begins; None on the last."""

    actions: list[Action]
    before: int | None = None


class RowError(BaseModel):
    """`row` is the file's; None for the file as a whole."""

    row: int | None
    column: str
    code: str
    detail: str


class Previewed(DirectoryChange):
    """`name` is what the entry is called, once it is changed."""

    name: Text


class Preview(BaseModel):
    """`digest` goes into If-Match when it is applied; None where there is something wrong."""

    digest: str | None
    rows: int
    changes: list[Previewed]
    unchanged: int
    absent: list[str]
    errors: list[RowError]


class Result(BaseModel):
    """`action_id` is null where nothing had to change."""

    action_id: UUID | None
    changes: list[DirectoryChange]


class NewUnit(Asked):
    unit_id: Identifier
    name: Text
    group_id: Identifier
    group_name: Text | None = None
    opened_on: Day | None = None


class Renaming(Asked):
    name: Text


class Closing(Asked):
    day: Day = Field(description="The first day without ratings.")


class Merging(Closing):
    into: Identifier
    with_officers: bool = True


class Moving(Closing):
    """`day`: the first at the new unit."""

    unit_id: Identifier


class LastDay(Asked):
    closes_on: Day


class InstrumentBody(Asked):
    id: Identifier
    question: Text
    answers: Annotated[list[AnswerChoice], Field(min_length=2, max_length=20)]
    reasons: Annotated[list[Reason], Field(max_length=50)] = []
    scales: Annotated[list[Scale], Field(max_length=20)] = []


class EditionBody(Asked):
    """`sealing_key` may be left out of an edition that is there already: it keeps its own."""

    title: Text
    opens_on: Day
    closes_on: Day
    policy: Policy = Policy()
    instrument: InstrumentBody
    sealing_key: SealingKey | None = None

    def event(self, edition_id: str, key: SealingKey) -> EditionPublished:
        """Its instrument's version is for the office to count."""
        fields = self.instrument
        instrument = Instrument(
            id=fields.id,
            version=1,
            question=fields.question,
            answers=tuple(fields.answers),
            reasons=tuple(fields.reasons),
            scales=tuple(fields.scales),
        )
        return EditionPublished(
            edition_id=edition_id,
            title=self.title,
            opens_on=self.opens_on,
            closes_on=self.closes_on,
            policy=self.policy,
            instrument=instrument,
            sealing_key=key,
        )
