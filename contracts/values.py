"""The kinds of values that events are made of.

What no reader can store or reckon with (a NUL in a text, a time at the edge of the calendar) is invalid
here, so that it ends as a dead letter and not as a reader that fails on it again and again.
"""

from datetime import date, datetime
from typing import Annotated, TypeVar

from pydantic import AfterValidator, AwareDatetime, StringConstraints

_Moment = TypeVar("_Moment", date, datetime)


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a NUL, which PostgreSQL keeps in no text")
    return text


def _storable(number: int) -> int:
    if not -(2**31) <= number < 2**31:
        raise ValueError("is no 32-bit integer")
    return number


def _reckonable(moment: _Moment) -> _Moment:
    if not 1900 <= moment.year <= 9000:
        raise ValueError("is not from the years 1900 to 9000")
    return moment


Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=160)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
Base64 = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]+={0,2}$", max_length=1024)]
Hex128 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Hex256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Plain = Annotated[str, AfterValidator(_without_nul)]
Short = Annotated[Plain, StringConstraints(min_length=1, max_length=500)]
Integer = Annotated[int, AfterValidator(_storable)]
Day = Annotated[date, AfterValidator(_reckonable)]
Instant = Annotated[AwareDatetime, AfterValidator(_reckonable)]
