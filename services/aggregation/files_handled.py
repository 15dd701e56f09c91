"""How many of the files that an office handled were rated, and whether that is enough. Pure."""

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from contracts.values import Identifier
from services.aggregation.edition import Published
from services.aggregation.stored import total

HEADER = ["unit_id", "year", "files"]
REST = "more"
USUAL_SAMPLE = f"200:100 1000:30 5000:20 {REST}:10"
_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)


class Response(BaseModel):
    """Of a unit, or of all units in a group or the city that said how many files they handled."""

    year: int
    units: int = Field(description="How many units gave the number of their files.")
    files: int
    ratings: int | None = Field(description="Of these units in that year, as far as is public by day.")
    rate: float | None = Field(description="ratings / files")
    required: int = Field(description="The sum of what is required of each unit.")
    reached: bool | None = Field(
        description="Null where ratings that are left out could be what is missing from those required."
    )


class Step(NamedTuple):
    """Of up to so many files a year (None: of any number), this part has to be rated."""

    up_to: int | None
    part: Fraction


@dataclass(frozen=True, slots=True)
class FilesHandled:
    """What offices handled, by year and unit, and how many of them have to be rated."""

    files: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    sample: tuple[Step, ...] = ()

    def of(self, year: int) -> Mapping[str, int]:
        return self.files.get(year, {})

    def required(self, files: int) -> int:
        part = next(part for up_to, part in self.sample if up_to is None or files <= up_to)
        return math.ceil(files * part)

    def response(self, year: int, files: Mapping[str, int], published: Published) -> Response:
        """`published` of the units that have `files`, together."""
        handled, required = sum(files.values()), sum(map(self.required, files.values()))
        ratings = None if published.suppressed else total(published.counts)
        enough = ratings is not None and ratings >= required
        return Response(
            year=year,
            units=len(files),
            files=handled,
            ratings=ratings,
            rate=None if ratings is None or not handled else ratings / handled,
            required=required,
            reached=None if published.partial and not enough else enough,
        )


NOBODY_SAID = FilesHandled()


def sample_of(text: str) -> tuple[Step, ...]:
    """The table of `200:100 1000:30 more:10`: up to 200 files all of them, up to 1,000 files 30 %, of more
    10 %. Raises ValueError."""
    steps = [_step(each) for each in text.split()]
    bounds = [step.up_to for step in steps]
    rising = [bound for bound in bounds if bound is not None]
    if bounds[-1:] != [None] or len(rising) != len(bounds) - 1 or rising != sorted(set(rising)):
        raise ValueError(f"numbers of files have to rise, and the last has to be {REST}: {USUAL_SAMPLE}")
    return tuple(steps)


def _step(text: str) -> Step:
    bound, _, percent = text.partition(":")
    try:
        part = Fraction(percent) / 100
        up_to = None if bound == REST else int(bound)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"write it as FILES:PERCENT, one after another: {USUAL_SAMPLE}") from None
    if not 0 <= part <= 1 or (up_to is not None and up_to < 0):
        raise ValueError("a percentage is from 0 to 100, and no number of files is below 0")
    return Step(up_to, part)


def files_of(text: str) -> dict[int, dict[str, int]]:
    """The numbers of a CSV file `unit_id,year,files`. Raises ValueError, which names the line."""
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    if next(rows, None) != HEADER:
        raise ValueError(f"the first line has to be {','.join(HEADER)}")
    found: dict[int, dict[str, int]] = {}
    for row in filter(None, rows):
        try:
            unit, year, files = _row(row)
        except ValueError as error:
            raise ValueError(f"line {rows.line_num}: {error}") from None
        if unit in found.setdefault(year, {}):
            raise ValueError(f"line {rows.line_num}: a second number of {unit} in {year}")
        found[year][unit] = files
    return found


def _row(row: list[str]) -> tuple[str, int, int]:
    if len(row) != len(HEADER):
        raise ValueError(f"{len(row)} values, not {len(HEADER)}")
    unit, year, files = row
    try:
        _IDENTIFIER.validate_python(unit)
    except ValidationError:
        raise ValueError("the unit's id is not valid") from None
    if not all(number.isascii() and number.isdigit() and len(number) < 10 for number in (year, files)):
        raise ValueError("year and files have to be whole numbers")
    if not 1970 <= int(year) <= 9000:
        raise ValueError("there is no such year")
    return unit, int(year), int(files)
