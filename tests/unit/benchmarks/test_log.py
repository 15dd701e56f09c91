"""What is put on the log to be folded: no submission twice, and the count that figures are held against."""

from collections import Counter

import pytest

from benchmarks import log
from benchmarks.a_year import DAYS
from contracts.events import Outcome, RatingAccepted
from services.aggregation.folding import Received, read


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "DISTINCT", 50)


def outcomes(made: log.Outcomes, count: int) -> tuple[list[Outcome], Counter[str]]:
    messages, answers = made.take(count)
    found = [read(Received(0, 0, 0, each.key, each.value, each.headers))[0] for each in messages]
    return [each for each in found if each is not None], answers


def test_every_outcome_can_be_read_and_is_of_a_submission_of_its_own() -> None:
    made = log.Outcomes()
    first, _ = outcomes(made, 120)
    second, _ = outcomes(made, 80)
    assert len({each.submission_id for each in first + second}) == 200


def test_what_is_counted_is_what_is_there() -> None:
    found, answers = outcomes(log.Outcomes(), 130)
    assert answers == Counter(
        each.answer if isinstance(each, RatingAccepted) else "rejected" for each in found
    )


def test_live_outcomes_are_of_one_day_and_a_log_of_a_year() -> None:
    live, _ = outcomes(log.Outcomes(), 100)
    assert len({each.submitted_at.date() for each in live}) == 1
    year, _ = outcomes(log.Outcomes(spread=520), 520)
    days = [each.submitted_at.date() for each in year]
    assert days == sorted(days)
    assert len(set(days)) == len(DAYS)
