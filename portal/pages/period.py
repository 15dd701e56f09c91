"""Of which days and which edition a dashboard is: what its address says, checked, and the usual choices."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from portal.i18n import N_
from portal.pages.context import Mistake

DAYS = 30
MOST_DAYS = 3660
_EDITION = re.compile(r"[a-z0-9][a-z0-9._-]{0,159}")
_NOT_A_DAY = {
    "from": N_("Viết ngày đầu dạng ngày/tháng/năm, ví dụ 23/11/2026."),
    "to": N_("Viết ngày cuối dạng ngày/tháng/năm, ví dụ 23/11/2026."),
}
_BACKWARDS = N_("Ngày cuối phải không sớm hơn ngày đầu.")
_TOO_LONG = N_("Chọn nhiều nhất 10 năm.")
_NO_EDITION = N_("Không có đợt khảo sát này. Chọn một đợt trong danh sách.")


@dataclass(frozen=True, slots=True)
class Period:
    """Days inclusive, open where None."""

    first: date | None = None
    last: date | None = None
    edition: str | None = None

    @property
    def of_all_days(self) -> bool:
        return self.first is None and self.last is None

    @property
    def asked(self) -> dict[str, str]:
        """As addresses say it, the API's and ours."""
        days = {"from": self.first, "to": self.last}
        said = {name: day.isoformat() for name, day in days.items() if day is not None}
        return said | ({"edition": self.edition} if self.edition else {})

    def shown(self, name: str) -> date | None:
        return {"from": self.first, "to": self.last}[name]

    @property
    def query(self) -> str:
        return f"?{urlencode(self.asked)}" if self.asked else ""

    def span(self, today: date) -> tuple[date, date] | None:
        """The days to draw; None where that is the API's to choose."""
        if self.first is not None:
            return self.first, self.last or max(self.first, today)
        return None if self.last is None else (self.last - timedelta(days=DAYS - 1), self.last)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address says: as it was typed, and as it was understood (all days, where it was not)."""

    typed: Mapping[str, str]
    period: Period
    mistakes: tuple[Mistake, ...] = ()


def read(query: Mapping[str, str], today: date) -> Asked:
    typed = {name: query.get(name, "").strip()[:100] for name in ("from", "to", "edition")}
    mistakes = []
    days: dict[str, date | None] = {}
    for name in ("from", "to"):
        try:
            days[name] = _day(typed[name])
        except ValueError:
            mistakes.append(Mistake(name, _NOT_A_DAY[name]))
    if typed["edition"] and not _EDITION.fullmatch(typed["edition"]):
        mistakes.append(Mistake("edition", _NO_EDITION))
    if mistakes:
        return Asked(typed, Period(), tuple(mistakes))
    period = Period(days["from"], days["to"], typed["edition"] or None)
    span = period.span(today)
    if span is not None and span[1] < span[0]:
        return Asked(typed, Period(), (Mistake("to", _BACKWARDS),))
    if span is not None and (span[1] - span[0]).days >= MOST_DAYS:
        return Asked(typed, Period(), (Mistake("from", _TOO_LONG),))
    return Asked(typed, period)


def _day(text: str) -> date | None:
    """Raises ValueError for what is no day. Both 23/11/2026 and 2026-11-23 are."""
    if not text:
        return None
    pattern = "%Y-%m-%d" if re.fullmatch(r"\d{4}-\d\d?-\d\d?", text) else "%d/%m/%Y"
    day = datetime.strptime(text, pattern).date()  # noqa: DTZ007 - a day of city time, as typed
    if not 1970 <= day.year <= 9000:
        raise ValueError(text)
    return day


def choices(today: date, edition: str | None) -> list[tuple[str, Period]]:
    """What is usually asked for, by name; what is still going on ends today."""
    month, year = today.replace(day=1), today.replace(month=1, day=1)
    before = month - timedelta(days=1)
    quarter = today.replace(month=today.month - (today.month - 1) % 3, day=1)
    days = {
        N_("Tất cả các ngày"): (None, None),
        N_("30 ngày qua"): (today - timedelta(days=DAYS - 1), today),
        N_("Tháng này"): (month, today),
        N_("Tháng trước"): (before.replace(day=1), before),
        N_("Quý này"): (quarter, today),
        N_("Năm nay"): (year, today),
    }
    return [(name, Period(first, last, edition)) for name, (first, last) in days.items()]
