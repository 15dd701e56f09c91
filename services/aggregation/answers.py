"""The query use cases: what a caller asked for, checked, and the document that answers it."""

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Protocol

from pydantic import TypeAdapter, ValidationError

from chassis.problems import NOT_FOUND, VALIDATION_FAILED, Bilingual, FieldError, Problem, ProblemType
from contracts.values import Identifier
from services.aggregation.documents import (
    Children,
    Figures,
    History,
    Period,
    Satisfaction,
    Snapshot,
    Summary,
    history,
    named,
    satisfaction,
    summary,
)
from services.aggregation.domain import CITY, Level, Scope, city_day
from services.aggregation.edition import Published

DEFAULT_DAYS, MOST_DAYS, MOST_SCOPES = 30, 400, 20
PATHS = {"groups": Level.GROUP, "units": Level.UNIT, "officers": Level.OFFICER}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)

SCOPE_UNKNOWN = ProblemType(
    "scope_unknown",
    404,
    Bilingual("Không có nơi này", "There is no such place"),
    Bilingual(
        "Danh bạ và số liệu đều không có “{scope}”. Xem danh bạ để biết các mã hiện có.",
        "Neither the directory nor any figure knows “{scope}”. See the directory for the ids there are.",
    ),
)
FIGURES_AWAY = ProblemType(
    "figures_unavailable",
    503,
    Bilingual("Số liệu tạm thời chưa xem được", "The figures cannot be read at the moment"),
    Bilingual("Vui lòng thử lại sau vài giây.", "Try again in a few seconds."),
)
LIVE_FULL = ProblemType(
    "live_full",
    503,
    Bilingual("Quá nhiều người đang xem trực tiếp", "Too many are watching live"),
    Bilingual(
        "Số liệu vẫn xem được tại /v1/satisfaction. Vui lòng thử lại sau {seconds} giây.",
        "The figures can still be read at /v1/satisfaction. Please try again in {seconds} seconds.",
    ),
)
_NOT_A_DAY = Bilingual("Hãy viết ngày dạng NĂM-THÁNG-NGÀY, ví dụ 2017-11-23.", "Write a day as 2017-11-23.")
_BACKWARDS = Bilingual("Ngày cuối phải không sớm hơn ngày đầu.", "The last day must not be before the first.")
_TOO_MANY_DAYS = Bilingual("Nhiều nhất {most} ngày mỗi lần.", "Ask for {most} days at most.")
_NOT_AN_ID = Bilingual("Đây không phải là mã hợp lệ.", "This is not an id.")
_SCOPES = Bilingual(
    "Cần từ 1 đến {most} phạm vi, dạng city, group:MÃ, unit:MÃ hoặc officer:MÃ.",
    "Name 1 to {most} scopes, as city, group:ID, unit:ID or officer:ID.",
)


class Reading(Protocol):
    """Figures as they may be seen. Every method raises what `outage` knows."""

    async def figures(self, scopes: Sequence[Scope], period: Period) -> Snapshot: ...
    async def days(self, scope: Scope, edition: str | None) -> dict[date, Published]: ...
    async def children(self, scope: Scope) -> list[Scope]: ...
    def outage(self, error: BaseException) -> bool: ...


class Answers:
    """Answers queries. Raises Problem for what a caller can mend."""

    def __init__(self, reading: Reading, now: Callable[[], datetime]) -> None:
        self._reading = reading
        self._now = now

    async def satisfaction(self, scope: Scope, period: Period) -> Satisfaction:
        return satisfaction(await self._one(scope, period), period)

    async def history(self, scope: Scope, period: Period) -> History:
        figures = await self._one(scope, period)
        today = city_day(self._now())
        days = await self._reading.days(scope, period.edition)
        last = period.last or max(today, period.first or today, *days)
        first = period.first or last - timedelta(days=DEFAULT_DAYS - 1)
        if (last - first).days >= MOST_DAYS:
            raise _invalid("from", "too_many_days", _TOO_MANY_DAYS, most=MOST_DAYS)
        return history(figures, days, first, last)

    async def children(self, scope: Scope, period: Period) -> Children:
        above = await self._one(scope, period)
        below = await self._reading.figures(await self._reading.children(scope), period)
        return Children(scope=named(above), children=[summary(figures, period) for figures in below.figures])

    async def known(self, scopes: Sequence[Scope], period: Period) -> list[Summary]:
        """Those of the scopes that the directory or any figure names."""
        found = (await self._reading.figures(scopes, period)).figures
        return [summary(figures, period) for figures in found if figures.known]

    async def _one(self, scope: Scope, period: Period) -> Figures:
        (figures,) = (await self._reading.figures([scope], period)).figures
        if not figures.known:
            raise unknown(scope)
        return figures


def unknown(scope: Scope) -> Problem:
    return Problem(SCOPE_UNKNOWN, scope=scope.id)


def scope_at(kind: str, scope_id: str) -> Scope:
    """The scope of an address like /units/ID."""
    if kind not in PATHS:
        raise Problem(NOT_FOUND)
    scope = Scope(PATHS[kind], scope_id)
    if not _is_id(scope_id):
        raise unknown(scope)
    return scope


def scopes_of(texts: Sequence[str]) -> list[Scope]:
    """The scopes of `city`, `unit:ID` and so on, each once."""
    scopes = dict.fromkeys(_scope_of(text) for text in texts)
    if not 1 <= len(scopes) <= MOST_SCOPES:
        raise _invalid("scope", "scopes", _SCOPES, most=MOST_SCOPES)
    return list(scopes)


def _scope_of(text: str) -> Scope:
    level, _, scope_id = text.partition(":")
    if text == CITY.id:
        return CITY
    if level not in {Level.GROUP, Level.UNIT, Level.OFFICER} or not _is_id(scope_id):
        raise _invalid("scope", "scopes", _SCOPES, most=MOST_SCOPES)
    return Scope(Level(level), scope_id)


def period_of(edition: str | None, first: str | None, last: str | None) -> Period:
    """The period of the query's `edition`, `from` and `to`."""
    if edition is not None and not _is_id(edition):
        raise _invalid("edition", "not_an_id", _NOT_AN_ID)
    period = Period(edition, _day("from", first), _day("to", last))
    if period.first is not None and period.last is not None and period.last < period.first:
        raise _invalid("to", "backwards", _BACKWARDS)
    return period


def _day(name: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or not 1970 <= day.year <= 9000:
        raise _invalid(name, "not_a_day", _NOT_A_DAY)
    return day


def _is_id(text: str) -> bool:
    try:
        _IDENTIFIER.validate_python(text)
    except ValidationError:
        return False
    return True


def _invalid(pointer: str, code: str, detail: Bilingual, **values: object) -> Problem:
    return Problem(VALIDATION_FAILED, errors=[FieldError(pointer, code, detail, values)])
