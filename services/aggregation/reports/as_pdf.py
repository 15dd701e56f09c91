"""A report as PDF, tagged for screen readers (PDF/UA-1). `report.typ` says how it looks; here is what it
shows.

Everything reaches the template as data, so nothing that a name holds is taken for markup.
"""

import json
import subprocess
import sys
from collections.abc import Collection
from itertools import accumulate
from pathlib import Path
from typing import Any

from services.aggregation.comparisons import Change
from services.aggregation.documents import Share
from services.aggregation.domain import Level, Measure
from services.aggregation.files_handled import Response
from services.aggregation.reports import sentences, words
from services.aggregation.reports.cover import facts, period, title
from services.aggregation.reports.method import METHOD
from services.aggregation.reports.report import Report
from services.aggregation.reports.tables import LEVELS, Row, Table, tables

TYPESETTING = Path(__file__).with_name("typesetting.py")
TYPESETTING_SECONDS = 20.0
LISTS = {
    "reasons": Measure.REASON,
    "channels": Measure.CHANNEL,
    "assurances": Measure.ASSURANCE,
    "rejections": Measure.REJECTION,
}
CLOCKS = {"hours": Measure.HOUR, "weekdays": Measure.WEEKDAY}


class NotDrawn(Exception):
    """The template cannot show this report, or not as it should."""


def document(report: Report) -> bytes:
    """The whole file. The same report gives the same bytes. Raises TimeoutError and NotDrawn."""
    try:
        done = subprocess.run(  # noqa: S603 - the program and its arguments are ours
            [sys.executable, "-I", str(TYPESETTING), str(int(report.made_at.timestamp()))],
            input=json.dumps(shown(report)).encode(),
            env={},
            capture_output=True,
            check=False,
            timeout=TYPESETTING_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"not set within {TYPESETTING_SECONDS:.0f} s") from error
    if done.returncode:
        raise NotDrawn(done.stderr.decode(errors="replace"))
    return done.stdout


def shown(report: Report) -> dict[str, Any]:
    """What the template is given: numbers to draw by, and texts as they are to be read."""
    language = report.language
    found = {table.name: table for table in tables(report)}
    return {
        "language": language,
        "title": title(report),
        "place": report.name(report.figures),
        "period": period(report),
        "facts": list(facts(report)),
        "figures": _share(report.figures, language),
        "change": None if report.change is None else _change(report.change, language),
        "response": _response(report.figures.response, language),
        "days": [
            {"day": words.on(day.day, language), **_share(day, language)} for day in report.history.days
        ],
        **{name: _items(report, found[name]) for name in LISTS},
        **{name: _bars(report, found[name]) for name in CLOCKS},
        "funnel": sentences.decided(report.whole.funnel, language),
        "by_day": report.figures.from_ is not None or report.figures.to is not None,
        "below": [
            {
                "name": words.word(LEVELS[below.level], language),
                "whole_edition": below.level is Level.OFFICER,
                "places": [
                    {
                        "name": report.name(place),
                        "rank": sentences.places(place.rank, language),
                        **_share(place, language),
                    }
                    for place in below.places
                ],
            }
            for below in report.below
        ],
        "method": [text.say(language, {}) for text in METHOD],
        "words": {name: text.say(language, {}) for name, text in words.WORDS.items()},
        "scale": [words.percent(n / 4, language).replace(",0", "").replace(".0", "") for n in range(5)],
    }


def _share(share: Share, language: str) -> dict[str, Any]:
    interval = share.interval
    return {
        "suppressed": share.suppressed,
        "partial": share.partial,
        "count": share.total,
        "not_satisfied_count": share.not_satisfied,
        "total": _number(share.total, language),
        "satisfied": _number(share.satisfied, language),
        "not_satisfied": _number(share.not_satisfied, language),
        "share": share.rate,
        "rate": None if share.rate is None else words.percent(share.rate, language),
        "low": None if interval is None else interval.low,
        "high": None if interval is None else interval.high,
        "interval": None
        if interval is None
        else f"{words.percent(interval.low, language)} – {words.percent(interval.high, language)}",
    }


def _change(change: Change, language: str) -> dict[str, Any]:
    return {
        "said": sentences.changed(change, language),
        "spans": [
            {
                "name": words.word(f"period.{name}", language),
                "days": sentences.days(span, language),
                **_share(span, language),
            }
            for name, span in (("now", change.now), ("before", change.before))
        ],
    }


def _number(value: int | None, language: str) -> str | None:
    return None if value is None else words.number(value, language)


def _response(response: Response | None, language: str) -> dict[str, Any] | None:
    """What is said of it, and parts of the files for a gauge: of none there is nothing to draw."""
    if response is None:
        return None
    every = max(response.files, response.ratings or 0)
    return {
        "said": sentences.responded(response, language),
        "files": words.number(every, language),
        "ratings": None if response.ratings is None or not every else response.ratings / every,
        "required": response.required / every if every else None,
    }


def _listed(table: Table) -> list[tuple[Row, int]]:
    """The rows of items that are shown, with their counts."""
    return [(row, count) for row in table.rows if isinstance(count := row.get("count"), int)]


def _items(report: Report, table: Table) -> dict[str, Any]:
    """Each with its share of all that are shown, and with those above it."""
    listed = _listed(table)
    counts = [count for _, count in listed]
    every = sum(counts) or 1
    return {
        "left_out": report.leaves_out(LISTS[table.name]),
        "items": [
            {
                "text": row["text"],
                "count": words.number(count, report.language),
                "share": count / every,
                "cumulative": upto / every,
                "percent": words.percent(count / every, report.language),
                "cumulative_percent": words.percent(upto / every, report.language),
            }
            for (row, count), upto in zip(listed, accumulate(counts), strict=True)
        ],
    }


def _bars(report: Report, table: Table) -> dict[str, Any]:
    """Heights are parts of the highest. What is not shown may be none or too few, so it has neither bar nor
    number."""
    measure, language = CLOCKS[table.name], report.language
    listed = _listed(table)
    shown = {str(row["item"]): count for row, count in listed}
    return {
        "left_out": report.leaves_out(measure),
        "alt": "; ".join(f"{row['text']}: {words.number(count, language)}" for row, count in listed),
        "bars": [
            {
                "label": words.word(f"{measure}.{slot}", language),
                "count": _number(shown.get(slot), language),
                "height": shown.get(slot, 0) / max(shown.values()),
            }
            for slot in _slots(measure, shown)
        ],
    }


def _slots(measure: Measure, shown: Collection[str]) -> list[str]:
    """Every day of the week, or each hour from the first to the last that is shown."""
    if not shown:
        return []
    if measure is Measure.WEEKDAY:
        return [str(day) for day in range(1, 8)]
    return [f"{hour:02}" for hour in range(int(min(shown)), int(max(shown)) + 1)]
