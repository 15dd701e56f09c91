"""What a report says of itself: its title, of what and when it is, and what its file is called."""

import re
import unicodedata
from collections.abc import Iterator

from contracts.city_time import CITY_TIME
from services.aggregation.domain import Level
from services.aggregation.reports.report import Format, Kind, Report
from services.aggregation.reports.words import on, word

_NOT_IN_A_NAME = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')
LONGEST_NAME = 120


def title(report: Report) -> str:
    return f"{word('report', report.language)}: {report.name(report.figures)}"


def facts(report: Report) -> Iterator[tuple[str, str]]:
    """What a cover lists, each with its heading."""
    scope, language = report.figures.scope, report.language
    yield word("scope", language), report.name(report.figures)
    if scope.parent is not None and scope.level is not Level.GROUP:
        parent = scope.parent
        yield word("part_of", language), parent.id if parent.name is None else report.say(parent.name)
    if report.joined and scope.predecessors:
        merged = (each.id if each.name is None else report.say(each.name) for each in scope.predecessors)
        yield word("with_predecessors", language), "; ".join(merged)
    yield word("edition", language), edition(report)
    yield word("period", language), period(report)
    if report.figures.as_of is not None:
        yield word("as_of", language), on(report.figures.as_of, language)
    yield word("made_on", language), made_on(report)
    if question := report.said.get((Kind.QUESTION, "")):
        yield word("question", language), report.say(question)


def edition(report: Report) -> str:
    if report.figures.edition is None:
        return word("all_editions", report.language)
    return report.text(Kind.TITLE, "") or report.figures.edition


def period(report: Report) -> str:
    first, last, language = report.figures.from_, report.figures.to, report.language
    if first is None and last is None:
        return word("all_days", language)
    parts = []
    if first is not None:
        parts.append(on(first, language) if last else f"{word('from_on', language)} {on(first, language)}")
    if last is not None:
        parts.append(f"{word('until', language)} {on(last, language)}")
    return " ".join(parts)


def made_on(report: Report) -> str:
    made = report.made_at.astimezone(CITY_TIME)
    return f"{on(made.date(), report.language)}, {made:%H:%M}"


def file_names(report: Report, kind: Format) -> tuple[str, str]:
    """One of ASCII letters for old programs, and the one that people read."""
    scope = report.figures.scope
    asked = [] if report.figures.edition is None else [report.figures.edition]
    asked += [str(day) for day in (report.figures.from_, report.figures.to) if day is not None]
    asked += ["with-predecessors"] if report.joined else []
    asked += [] if report.figures.as_of is None else [f"as-of-{report.figures.as_of}"]
    plain = "-".join(["hai-long", scope.level, *([] if scope.level is Level.CITY else [scope.id])])
    plain = "-".join([plain, *asked])
    named = " ".join([title(report).replace(": ", " – "), *asked])
    spaced = " ".join(_NOT_IN_A_NAME.sub(" ", named).split())
    return f"{_ascii(plain)}.{kind}", f"{spaced[:LONGEST_NAME].strip()}.{kind}"


def _ascii(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.replace("đ", "d").replace("Đ", "D"))
    return re.sub(r"[^A-Za-z0-9._-]+", "-", letters.encode("ascii", "ignore").decode())[:LONGEST_NAME]
