"""What a report holds: the documents that the query API gives, and nothing past them."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from contracts.events import Text
from services.aggregation.answers import Answers, Reading
from services.aggregation.comparisons import Change, Child
from services.aggregation.documents import History, Period, Satisfaction, Summary
from services.aggregation.domain import Level, Measure, Scope
from services.aggregation.files_handled import FilesHandled


class Format(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made. `bom` is for CSV alone."""

    scope: Scope
    period: Period
    format: Format
    language: str
    bom: bool = False


class Kind(StrEnum):
    """Of what editions say. `title` and `question` are one each, of the item ''."""

    TITLE = "title"
    QUESTION = "question"
    ANSWER = "answer"
    REASON = "reason"


Told = Callable[[int, int], None]
"""How many levels are read, of so many."""
Said = Mapping[tuple[Kind, str], Text]


class Moments(Reading, Protocol):
    """Figures, many of one moment too."""

    def at_one_moment(self) -> AbstractAsyncContextManager[Reading]: ...


class Texts(Protocol):
    async def said(self, edition: str | None) -> Said:
        """What an edition says, or all of them, the newest first to be believed."""


@dataclass(frozen=True, slots=True)
class Below:
    """The places of one level under the report's, in the directory's order, with what each belongs to and its
    rank among the siblings there."""

    level: Level
    places: Sequence[Child]


@dataclass(frozen=True, slots=True)
class Report:
    """`figures`, `change`, `history` and `below` are of the period; `whole` and officers in `below` of all
    days of the edition: items, rejections and officers' figures are not public by day. `joined`: of a unit
    with what merged into it, of which there is no change; nor is there of figures as of an earlier day, when
    officers had none either."""

    figures: Satisfaction
    whole: Satisfaction
    change: Change | None
    history: History
    below: Sequence[Below]
    said: Said
    language: str
    made_at: datetime
    joined: bool = False

    def text(self, kind: Kind, item: str) -> str:
        """What the edition calls the item; what nobody has named stands as it is."""
        text = self.said.get((kind, item))
        return item if text is None else self.say(text)

    def say(self, text: Text) -> str:
        return text.en if self.language == "en" else text.vi

    def leaves_out(self, measure: Measure) -> bool:
        """Whether items of too few are missing from a list."""
        return self.whole.suppressed or measure in self.whole.left_out

    def name(self, place: Summary | Satisfaction) -> str:
        return place.scope.id if place.scope.name is None else self.say(place.scope.name)


def levels_below(level: Level) -> Iterator[Level]:
    child = level.children
    while child is not None:
        yield child
        child = child.children


async def gather(
    answers: Answers,
    texts: Texts,
    scope: Scope,
    period: Period,
    *,
    language: str,
    made_at: datetime,
    told: Told = lambda *_: None,
) -> Report:
    """Raises Problem for what a caller can mend, and what `answers` and `texts` raise."""
    joined = period.predecessors and scope.level is Level.UNIT
    whole = replace(period, first=None, last=None)
    figures = await answers.satisfaction(scope, period)
    all_days = figures if period == whole else await answers.satisfaction(scope, whole)
    change = None if joined or period.as_of is not None else await answers.change(scope, period)
    history = await answers.history(scope, period)
    period, whole = (replace(each, predecessors=False) for each in (period, whole))
    shown = (each for each in levels_below(scope.level) if each is not Level.OFFICER or period.as_of is None)
    levels = list(shown)
    below, above = [], [scope]
    for done, level in enumerate(levels):
        told(done, len(levels))
        places = await answers.below(above, whole if level is Level.OFFICER else period)
        below.append(Below(level, places))
        above = [Scope(level, place.scope.id) for place in places]
    told(len(levels), len(levels))
    said = await texts.said(period.edition)
    return Report(figures, all_days, change, history, below, said, language, made_at, joined)


async def read(
    order: Order, reading: Moments, texts: Texts, handled: FilesHandled, told: Told = lambda *_: None
) -> Report:
    """The ordered report, of one moment: now. Raises as `gather` does."""
    async with of_now(reading, handled) as (answers, now):
        return await gather(
            answers, texts, order.scope, order.period, language=order.language, made_at=now, told=told
        )


@asynccontextmanager
async def of_now(reading: Moments, handled: FilesHandled) -> AsyncIterator[tuple[Answers, datetime]]:
    """What answers as of one moment, now, and when that is."""
    now = datetime.now(UTC)
    async with reading.at_one_moment() as moment:
        yield Answers(moment, lambda: now, handled), now
