"""What the office's API answers and takes about paper forms."""

from typing import Annotated

from pydantic import BaseModel, Field

from contracts.events import EditionPublished, ScaleAnswer, Text
from contracts.values import Code, Day, Identifier, Instant
from services.intake.office_documents import Asked, Officer, RowError

MOST_REASONS = 50


class Run(BaseModel):
    """Forms that were issued together: `first` and `last` are their numbers, `standings` says how many of
    them are issued, entered once, entered differently, counted."""

    first: str
    last: str
    count: int
    edition_id: str
    officer: Officer
    unit_name: Text
    issued_at: Instant
    standings: dict[str, int]


class RunToPrint(Run):
    numbers: list[str]
    edition: EditionPublished


class Waiting(BaseModel):
    """A form that does not count yet. `yours`: the caller has entered it."""

    number: str
    standing: str
    officer: Officer
    yours: bool


class Forms(BaseModel):
    """The newest runs first; `waiting_count` of the whole, of which `waiting` has some."""

    runs: list[Run]
    waiting: list[Waiting]
    waiting_count: int


class Said(BaseModel):
    """`by` is the digest of who entered it."""

    by: str
    value: str


class Difference(BaseModel):
    """`field` is answer, reasons, given_on or a further question's `<scale>.<question>`."""

    field: str
    values: list[Said]


class Form(Waiting):
    """What was entered is told to nobody, but for `differences`, once two people have entered the form."""

    unit_name: Text
    edition: EditionPublished
    entered_by: list[str]
    differences: list[Difference]


class Issuing(Asked):
    officer_id: Identifier
    count: Annotated[int, Field(ge=1, le=1000)]


class Entry(Asked):
    """What stands on a form."""

    answer: Code
    reasons: Annotated[tuple[Code, ...], Field(max_length=MOST_REASONS)] = ()
    given_on: Day
    scale_answers: Annotated[tuple[ScaleAnswer, ...], Field(max_length=200)] = ()


class FormsPreview(BaseModel):
    """Of a file: how many would count, how many count already as in it, and what is wrong with which row."""

    rows: int
    new: int
    there: int
    errors: list[RowError]


class FormsImported(BaseModel):
    """`left`: of those that did not count when it began, how many another call is needed for."""

    counted: int
    left: int
