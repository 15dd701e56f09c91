"""The query use cases: what a caller asked for, checked, and the document that answers it."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Protocol

from pydantic import TypeAdapter, ValidationError

from chassis.problems import NOT_FOUND, VALIDATION_FAILED, Bilingual, FieldError, Problem, ProblemType
from contracts.city_time import city_day
from contracts.values import Identifier
from services.aggregation.comparisons import Change, Child, Children, change, ranked
from services.aggregation.documents import (
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
from services.aggregation.domain import CITY, Level, Scope
from services.aggregation.edition import Published, together
from services.aggregation.files_handled import NOBODY_SAID, FilesHandled, Response
from services.aggregation.scale_documents import Scales, scales
from services.aggregation.scales import Answered

DEFAULT_DAYS, MOST_DAYS, MOST_SCOPES = 30, 400, 20
PATHS = {"groups": Level.GROUP, "units": Level.UNIT, "officers": Level.OFFICER}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)

SCOPE_UNKNOWN = ProblemType(
    "scope_unknown",
    404,
    Bilingual("Không có nơi này", "There is no such place"),
    Bilingual(
        "Danh bạ và số liệu đều không có mã này. Xem danh bạ để biết các mã hiện có.",
        "Neither the directory nor any figure knows this id. See the directory for the ids there are.",
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
_AS_OF_WITH_DAYS = Bilingual(
    "Không dùng as_of cùng với from hoặc to.", "as_of cannot be combined with from or to."
)
_NOT_AN_ID = Bilingual("Đây không phải là mã hợp lệ.", "This is not an id.")
_SCOPES = Bilingual(
    "Cần từ 1 đến {most} phạm vi, dạng city, group:MÃ, unit:MÃ hoặc officer:MÃ.",
    "Name 1 to {most} scopes, as city, group:ID, unit:ID or officer:ID.",
)


class Reading(Protocol):
    """Figures as they may be seen. Every method raises what `outage` knows."""

    async def figures(self, scopes: Sequence[Scope], period: Period) -> Snapshot: ...
    async def days(
        self, scope: Scope, edition: str | None, *, predecessors: bool = False, as_of: date | None = None
    ) -> dict[date, Published]: ...
    async def children(self, scope: Scope) -> list[Scope]: ...
    async def scales(self, unit: str, edition: str | None) -> list[Answered]: ...
    def outage(self, error: BaseException) -> bool: ...


class Answers:
    """Answers queries. Raises Problem for what a caller can mend."""

    def __init__(
        self, reading: Reading, now: Callable[[], datetime], handled: FilesHandled = NOBODY_SAID
    ) -> None:
        self._reading = reading
        self._now = now
        self._handled = handled

    async def satisfaction(self, scope: Scope, period: Period) -> Satisfaction:
        found = satisfaction(await self._one(scope, period), period)
        return found.model_copy(update={"response": await self._response(scope, period)})

    async def history(self, scope: Scope, period: Period) -> History:
        figures = await self._one(scope, replace(period, as_of=None))
        days = await self._reading.days(
            scope, period.edition, predecessors=period.predecessors, as_of=period.as_of
        )
        latest = period.as_of or max([self._today, *days])
        return history(figures, days, *_span(period, latest), as_of=period.as_of)

    async def would_answer(self, scope: Scope, period: Period) -> None:
        """Raises Problem where no history of it is given."""
        _span(period, self._today)
        await self._one(scope, Period(period.edition))

    async def change(self, scope: Scope, period: Period) -> Change:
        figures = await self._one(scope, Period(period.edition))
        days = await self._reading.days(scope, period.edition)
        return change(figures, days, *_span(period, self._today))

    async def children(self, scope: Scope, period: Period) -> Children:
        above = await self._one(scope, period)
        return Children(scope=named(above), children=await self.below([scope], period))

    async def scales(self, unit: Scope, period: Period) -> Scales:
        figures = await self._one(unit, period)
        return scales(figures, period, await self._reading.scales(unit.id, period.edition))

    async def below(self, above: Sequence[Scope], period: Period) -> list[Child]:
        """The children of each, all read at once, and ranked among the siblings of one parent."""
        families = [await self._reading.children(scope) for scope in above]
        found = await self._reading.figures([child for family in families for child in family], period)
        figures = iter(found.figures)
        return [child for family in families for child in ranked(list(islice(figures, len(family))), period)]

    @property
    def _today(self) -> date:
        return city_day(self._now())

    async def _response(self, scope: Scope, period: Period) -> Response | None:
        year = (period.last or self._today).year
        files = self._handled.of(year)
        inside = await self._units_in(scope, files) if files else []
        units = [unit for unit in inside if unit.id in files]
        if not units:
            return None
        its = Period(None, date(year, 1, 1), date(year, 12, 31))
        found = [each for each in (await self._reading.figures(units, its)).figures if each.known]
        known = {figures.scope.id: files[figures.scope.id] for figures in found}
        return (
            self._handled.response(year, known, together(each.published for each in found)) if known else None
        )

    async def _units_in(self, scope: Scope, named: Iterable[str]) -> list[Scope]:
        """In the city, those that are `named`."""
        match scope.level:
            case Level.CITY:
                return [Scope(Level.UNIT, unit) for unit in named]
            case Level.GROUP:
                return await self._reading.children(scope)
            case Level.UNIT:
                return [scope]
            case _:
                return []

    async def known(self, scopes: Sequence[Scope], period: Period) -> list[Summary]:
        """Those of the scopes that the directory or any figure names."""
        found = (await self._reading.figures(scopes, period)).figures
        return [summary(figures, period) for figures in found if figures.known]

    async def _one(self, scope: Scope, period: Period) -> Figures:
        (figures,) = (await self._reading.figures([scope], period)).figures
        if not figures.known:
            raise unknown()
        return figures


def _span(period: Period, latest: date) -> tuple[date, date]:
    """The days asked for; up to the `latest`, and as many as are usual, unless asked otherwise."""
    last = period.last or max(latest, period.first or latest)
    first = period.first or last - timedelta(days=DEFAULT_DAYS - 1)
    if (last - first).days >= MOST_DAYS:
        raise _invalid("from", "too_many_days", _TOO_MANY_DAYS, most=MOST_DAYS)
    return first, last


def unknown() -> Problem:
    """It does not repeat the id: a caller may have written anything there."""
    return Problem(SCOPE_UNKNOWN)


def scope_at(kind: str, scope_id: str) -> Scope:
    """The scope of an address like /units/ID."""
    if kind not in PATHS:
        raise Problem(NOT_FOUND)
    scope = Scope(PATHS[kind], scope_id)
    if not _is_id(scope_id):
        raise unknown()
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
    period = Period(
        edition,
        None if first is None else day_of("from", first),
        None if last is None else day_of("to", last),
    )
    if period.first is not None and period.last is not None and period.last < period.first:
        raise _invalid("to", "backwards", _BACKWARDS)
    return period


def looking_back(period: Period, as_of: str | None, *, by_day: bool = False) -> Period:
    """The same as it stood at the end of a day. Only what is said `by_day` can be of a range of days."""
    if as_of is None:
        return period
    if (period.first, period.last) != (None, None) and not by_day:
        raise _invalid("as_of", "as_of_with_days", _AS_OF_WITH_DAYS)
    return replace(period, as_of=day_of("as_of", as_of))


def day_of(name: str, text: str) -> date:
    """The day that the field `name` names."""
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
