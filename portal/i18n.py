"""Two languages: the texts in the code are the Vietnamese ones, `locales/` holds the English catalogue.

Dates, times and numbers follow the language; times are the city's (Asia/Ho_Chi_Minh).
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from babel.support import NullTranslations, Translations

LOCALES = Path(__file__).parent / "locales"
CITY = ZoneInfo("Asia/Ho_Chi_Minh")
REMEMBERED = 4_096
NAMES = {"vi": "Tiếng Việt", "en": "English"}
_FORMATS = {"vi": "vi_VN", "en": "en_GB"}


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for "translate later"
    """Mark a text for the catalogue; whoever shows it translates it."""
    return message


@dataclass(frozen=True, slots=True)
class Language:
    """One language of the pages: its texts and how it writes numbers and dates."""

    code: str
    translations: NullTranslations

    @property
    def other(self) -> str:
        return "en" if self.code == "vi" else "vi"

    def gettext(self, message: str) -> str:
        return str(self.translations.ugettext(message))

    def ngettext(self, one: str, many: str, count: int) -> str:
        return str(self.translations.ungettext(one, many, count))

    def text(self, localised: Mapping[str, str]) -> str:
        """The text of a value that came with one per language."""
        return localised.get(self.code) or localised.get("vi") or ""

    def number(self, value: float) -> str:
        return _number(value, None, _FORMATS[self.code])

    def percent(self, share: float) -> str:
        """A share from 0 to 1 with one decimal: 0.912 is "91,2%"."""
        return _percent(share, _FORMATS[self.code])

    def date(self, day: dt.date) -> str:
        return _date(_city_day(day), "dd/MM/yyyy", _FORMATS[self.code])

    def day_month(self, day: dt.date) -> str:
        return _date(_city_day(day), "dd/MM", _FORMATS[self.code])

    def month(self, day: dt.date) -> str:
        return _date(day, "MM/yyyy", _FORMATS[self.code])

    def time(self, moment: dt.datetime) -> str:
        return format_time(moment.astimezone(CITY), format="HH:mm", locale=_FORMATS[self.code])

    def is_today(self, moment: dt.datetime) -> bool:
        return _city_day(moment) == city_today()

    def days(self, first: dt.date, last: dt.date) -> str:
        return self.date(first) if first == last else f"{self.date(first)} – {self.date(last)}"

    def points(self, difference: float) -> str:
        """A difference of shares in percentage points, without its sign: 0.021 is "2,1"."""
        return _number(abs(100 * difference), "0.0", _FORMATS[self.code])


# Pages say the same numbers and days over and over, and Babel takes a third of a page's time for them.
@lru_cache(maxsize=REMEMBERED, typed=True)
def _number(value: float, pattern: str | None, locale: str) -> str:
    return format_decimal(value, format=pattern, locale=locale)


@lru_cache(maxsize=REMEMBERED, typed=True)
def _percent(share: float, locale: str) -> str:
    return format_percent(share, format="#,##0.0%", locale=locale, decimal_quantization=True)


@lru_cache(maxsize=REMEMBERED, typed=True)
def _date(day: dt.date, pattern: str, locale: str) -> str:
    return format_date(day, format=pattern, locale=locale)


def city_today() -> dt.date:
    return _city_day(dt.datetime.now(dt.UTC))


def _city_day(day: dt.date) -> dt.date:
    return day.astimezone(CITY).date() if isinstance(day, dt.datetime) else day


def load() -> dict[str, Language]:
    """The languages by code."""
    with (LOCALES / "en" / "LC_MESSAGES" / "portal.po").open("rb") as file:
        catalogue = read_po(file, locale="en")
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return {"vi": Language("vi", NullTranslations()), "en": Language("en", Translations(compiled))}
