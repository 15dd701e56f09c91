"""What the checker reads out of a workbook and a PDF is what the log says, or is found to be otherwise."""

import pytest

from contracts.events import Outcome, RatingAccepted
from faults.checking import files
from faults.checking.files import check_files
from faults.checking.pages import Log, Report
from faults.checking.published import Edition, Rules
from services.aggregation.answers import Answers
from services.aggregation.documents import Period
from services.aggregation.domain import Level, Scope
from services.aggregation.reports.files import written
from services.aggregation.reports.report import Format, gather
from tests.support.publication import booked
from tests.support.reports import Kept
from tests.unit.faults.test_published import NOW, log, records

OUTCOMES = next(found for found in map(log, range(99)) if len(found) == 600)
LOG = Log(records(OUTCOMES), [Edition(records(OUTCOMES), Rules(), NOW)])
UNIT = LOG.most_rated("unit")[0]


async def made(outcomes: list[Outcome], kind: Format, language: str) -> bytes:
    kept = Kept(booked([outcomes]))
    answers = Answers(kept, lambda: NOW)
    scope = Scope(Level.UNIT, UNIT)
    report = await gather(answers, kept, scope, Period(), language=language, made_at=NOW)
    return b"".join(written(report, kind))


@pytest.mark.parametrize("other", [None, Format.XLSX, Format.PDF])
async def test_a_file_that_shows_something_else_than_the_log_says_is_found(
    monkeypatch: pytest.MonkeyPatch, other: Format | None
) -> None:
    ours = (each for each in reversed(OUTCOMES) if isinstance(each, RatingAccepted) and each.unit_id == UNIT)
    last = next(ours)
    fewer = [each for each in OUTCOMES if each is not last]
    found = {
        kind: await made(fewer if kind is other else OUTCOMES, kind, language)
        for kind, language in ((Format.XLSX, "en"), (Format.PDF, "vi"))
    }
    monkeypatch.setattr(files, "_get", lambda url: found[Format(url.split("?")[0].rsplit(".", 1)[1])])
    report = Report()
    check_files("http://api", LOG, report)
    assert report.figures > 60
    assert [place.split()[0] for place in report.wrong][:1] == ([] if other is None else [other.upper()])
