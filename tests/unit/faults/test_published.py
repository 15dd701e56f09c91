"""What the checker takes for public is what the service makes public: two codes, one log."""

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel

from contracts.events import Outcome, Publication, RatingAccepted
from faults.checking import pages
from faults.checking.comparing import Report
from faults.checking.handled import Handled
from faults.checking.log import Log
from faults.checking.published import NONE, Edition, Public, Rules
from faults.checking.reading import Record
from services.aggregation.answers import Answers
from services.aggregation.documents import Period
from services.aggregation.domain import CITY, Level
from services.aggregation.edition import Published
from services.aggregation.files_handled import USUAL_SAMPLE, FilesHandled, sample_of
from tests.support.outcomes import accepted, message, rejected, taken_back
from tests.support.publication import booked
from tests.support.reports import Kept

BEGUN = datetime(2026, 3, 2, 3, tzinfo=UTC)
NOW = datetime(2026, 4, 12, 3, tzinfo=UTC)


def log(seed: int) -> list[Outcome]:
    """Some units of one officer, some of few ratings, some of many; partitions do not matter for one."""
    chance = random.Random(seed)
    outcomes: list[Outcome] = []
    gone: set[UUID] = set()
    at = BEGUN
    for _ in range(chance.choice((20, 150, 600))):
        at += timedelta(minutes=chance.randrange(90))
        unit = f"u{min(chance.randrange(1, 7), chance.randrange(1, 7))}"
        officer = f"{unit}.{'a' if unit in ('u2', 'u6') else chance.choice('aabc')}"
        happy = chance.random() < 0.8
        standing = [each for each in outcomes if isinstance(each, RatingAccepted)]
        if standing and chance.random() < 0.08:
            rating = chance.choice(standing)
            if rating.submission_id not in gone:
                gone.add(rating.submission_id)
                outcomes.append(taken_back(rating, at))
            continue
        if chance.random() < 0.1:
            refused = rejected(officer, unit=unit, at=at, reason=chance.choice(["duplicate", "expired"]))
            outcomes.append(refused.model_copy(update={"group_id": f"g{int(unit[1]) % 2}"}))
            continue
        outcomes.append(
            accepted(
                officer,
                unit=unit,
                group=f"g{int(unit[1]) % 2}",
                at=at,
                answer="satisfied" if happy else "not_satisfied",
                reasons=() if happy else chance.sample(["late", "rude", "lost"], 2),
                channel=chance.choice(["portal", "portal", "qr", "kiosk"]),
            )
        )
    return outcomes


def records(outcomes: list[Outcome]) -> list[Record]:
    sent = [message(outcome) for outcome in outcomes]
    return [
        Record(
            "rating-outcomes",
            0,
            offset,
            "",
            {k: v.decode() for k, v in m.headers},
            json.loads(m.value or b""),
        )
        for offset, m in enumerate(sent)
    ]


MEASURES = ("answer", "reason", "channel", "rejection", "assurance", "hour", "weekday")


def alike(public: Public, published: Published, measures: Sequence[str] = MEASURES) -> bool:
    shown = {(str(kind), item): n for (kind, item), n in published.counts.items() if kind in measures}
    ranges = {key: wanted for key, wanted in public.counts.items() if key[0] in measures}
    return all(
        ranges.get(key, NONE)[0] <= shown.get(key, 0) <= ranges.get(key, NONE)[1]
        for key in shown.keys() | ranges.keys()
    ) and public.hidden in (None, published.partial)


@pytest.mark.parametrize("seed", range(24))
def test_the_checker_and_the_service_make_the_same_public(seed: int) -> None:
    outcomes = log(seed)
    batch, below = random.Random(seed).choice([(5, 5), (1, 1), (5, 12)])
    book = booked([outcomes], Publication(officer_batch=batch, suppress_below=below))
    view, edition = book.view(NOW), Edition(records(outcomes), Rules(batch, 7, below), NOW)
    exact: Counter[bool] = Counter()
    for scope in book.above:
        public = edition.of((str(scope.level), scope.id))
        assert alike(public, view.of(scope, "2017")), scope
        exact.update(low == high for low, high in public.counts.values())
        if scope.level is not Level.OFFICER:
            days: Mapping[date, Published] = view.days(scope, "2017", book.by_day())
            reckoned = edition.days((str(scope.level), scope.id))
            for day in days.keys() | reckoned.keys():
                one, other = reckoned.get(day, Public()), days.get(day, Published())
                assert alike(one, other, ["answer"]), (scope, day)
    assert exact[True] >= exact[False], "ties leave little open"


CHANGES: dict[str, Callable[[Any], None]] = {
    "total": lambda page: page[""].update(total=page[""]["total"] + 1),
    "reasons": lambda page: page[""]["reasons"].pop(),
    "rate": lambda page: page[""]["interval"].update(low=page[""]["interval"]["low"] + 0.0001),
    "left_out": lambda page: page[""].update(left_out=["channel"]),
    "accepted": lambda page: page[""]["funnel"].update(accepted=1),
    "decided": lambda page: page[""]["funnel"].update(decided=1),
    "nothing rejected": lambda page: page[""]["funnel"].update(rejected=None),
    "complete": lambda page: page[""]["funnel"].update(complete=not page[""]["funnel"]["complete"]),
    "no response": lambda page: page[""].update(response=None),
    "ratings": lambda page: page[""]["response"].update(ratings=1),
    "required": lambda page: page[""]["response"].update(required=1),
    "reached": lambda page: page[""]["response"].update(reached=True),
    "a day": lambda page: page["history"]["days"][5].update(total=99),
    "the days compared": lambda page: page["change"]["before"].update(to="2026-03-12"),
    "the period before": lambda page: page["change"]["before"].update(satisfied=1),
    "difference": lambda page: page["change"].update(difference=0.1),
    "its interval": lambda page: page["change"].update(interval=None),
    "noise": lambda page: page["change"].update(more_than_noise=not page["change"]["more_than_noise"]),
    "a child": lambda page: page["children"]["children"].pop(),
    "best": lambda page: page["children"]["children"][0]["rank"].update(best=3),
    "of": lambda page: page["children"]["children"][1]["rank"].update(of=3),
    "no rank": lambda page: page["children"]["children"][1].update(rank=None),
}


@pytest.mark.parametrize("change", [None, *CHANGES])
async def test_a_page_that_shows_something_else_than_the_log_says_is_found(
    monkeypatch: pytest.MonkeyPatch, change: str | None
) -> None:
    outcomes = max(map(log, range(9)), key=len)
    files = {NOW.year: {"u1": 900, "u2": 30, "nowhere": 7}}
    answers = Answers(
        Kept(booked([outcomes]), now=NOW), lambda: NOW, FilesHandled(files, sample_of(USUAL_SAMPLE))
    )
    documents: dict[str, BaseModel] = {
        "": await answers.satisfaction(CITY, Period()),
        "change": await answers.change(CITY, Period()),
        "history": await answers.history(CITY, Period()),
        "children": await answers.children(CITY, Period()),
    }
    page = {name: json.loads(each.model_dump_json(by_alias=True)) for name, each in documents.items()}
    if change is not None:
        CHANGES[change](page)
    monkeypatch.setattr(pages, "_get", lambda url: page[url.partition("/city")[2].lstrip("/")])
    editions = [Edition(records(outcomes), Rules(), NOW)]
    report = Report()
    read = Log(records(outcomes), editions, NOW.date(), handled=Handled(files))
    pages._page("http://api", ("city", "city"), read, report)
    assert bool(report.wrong) is (change is not None), report.wrong
