"""Figures as of an earlier day: what can be looked back to, and that it gives away nothing of few."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from contracts.events import Outcome, Publication
from services.aggregation.domain import CITY, Level, Measure, Scope, acceptances
from services.aggregation.edition import ITEMS, NO_DAYS, NOTHING, TOO_FEW, Published
from services.aggregation.looking_back import cuts
from services.aggregation.stored import Accepted, total
from tests.support.outcomes import accepted
from tests.support.publication import Book, booked

FIRST = datetime(2026, 3, 2, 3, tzinfo=UTC)
BELOW = 5
UNIT, OTHER = Scope(Level.UNIT, "u"), Scope(Level.UNIT, "v")


def day(number: int) -> date:
    return (FIRST + timedelta(days=number)).date()


def rated(count: int, submitted: int, decided: int | None = None, *, unit: str = "u") -> list[Outcome]:
    at = FIRST + timedelta(days=submitted)
    when = at if decided is None else FIRST + timedelta(days=decided)
    return [
        accepted(f"{unit}.{'ab'[n % 2]}", unit=unit, group="g", edition="1", at=at).model_copy(
            update={"decided_at": when}
        )
        for n in range(count)
    ]


def looked(
    outcomes: list[Outcome], at: int, scope: Scope = UNIT, policy: Publication | None = None
) -> Published:
    book: Book = booked([outcomes], policy)
    counted: dict[str, dict[tuple[date, date], dict[str, int]]] = {}
    for one, count in acceptances(outcomes).items():
        counted.setdefault(one.unit_id, {}).setdefault((one.day, one.accepted_day), {})[one.answer] = count
    stored: Accepted = {"1": counted}
    return book.view().as_of(scope, "1", day(at), stored, book.by_day())


def answers(published: Published) -> int | None:
    return None if published.suppressed else total(published.counts)


def test_a_figure_stands_as_it_stood_at_the_end_of_the_day() -> None:
    outcomes = [*rated(6, 0), *rated(8, 1), *rated(5, 0, 2)]
    assert [answers(looked(outcomes, at)) for at in (-1, 0, 1, 2, 9)] == [0, 6, 14, 19, 19]
    assert looked(outcomes, -1) == NOTHING
    assert looked(outcomes, 0).left_out == frozenset(ITEMS)
    assert not looked(outcomes, 1).partial


def test_few_that_came_since_or_late_are_waited_for_with_the_day_before_them() -> None:
    since = [*rated(6, 0), *rated(6, 1), *rated(3, 2)]
    assert [answers(looked(since, at)) for at in (0, 1, 2)] == [6, 6, 15]
    assert looked(since, 1).partial
    late = [*rated(6, 0), *rated(6, 1), *rated(6, 2), *rated(1, 1, 2)]
    assert [answers(looked(late, at)) for at in (0, 1, 2)] == [6, 6, 19]


def test_what_hides_nothing_can_be_looked_back_to_on_every_day() -> None:
    outcomes = [*rated(2, 0), *rated(1, 1), *rated(1, 0, 1)]
    policy = Publication(officer_batch=1, suppress_below=1)
    assert [answers(looked(outcomes, at, policy=policy)) for at in (0, 1)] == [2, 4]


def test_what_is_above_is_the_sum_of_what_units_show_and_officers_show_nothing() -> None:
    outcomes = [*rated(6, 0), *rated(6, 1), *rated(2, 2), *rated(9, 1, unit="v")]
    assert (
        answers(looked(outcomes, 1, CITY)) == answers(looked(outcomes, 1, Scope(Level.GROUP, "g"))) == 6 + 9
    )
    assert looked(outcomes, 1, CITY).partial
    assert looked(outcomes, 1, Scope(Level.OFFICER, "u.a")) == NO_DAYS


def test_a_unit_that_is_hidden_or_one_officer_or_not_folded_whole_cannot_be_looked_back_to() -> None:
    assert looked([*rated(3, 0), *rated(9, 0, unit="v"), *rated(3, 0, unit="w")], 0) == TOO_FEW
    assert looked([each for each in rated(20, 0) if each.officer_id == "u.a"], 0) == TOO_FEW
    book = booked([rated(20, 0)])
    some: Accepted = {"1": {"u": {(day(0), day(0)): {"satisfied": 19}}}}
    assert book.view().as_of(UNIT, "1", day(0), some, book.by_day()).suppressed


@st.composite
def cells(draw: st.DrawFn) -> dict[tuple[date, date], int]:
    found: Counter[tuple[date, date]] = Counter()
    for _ in range(draw(st.integers(1, 14))):
        submitted = draw(st.integers(0, 7))
        waited = draw(st.sampled_from([0, 0, 0, 1, 3]))
        found[day(submitted), day(submitted + waited)] += draw(st.integers(1, 9))
    return dict(found)


@given(cells(), st.sets(st.integers(0, 7)))
def test_all_ratings_are_cut_into_blocks_of_which_none_is_small(
    counts: dict[tuple[date, date], int], secret: set[int]
) -> None:
    days = {submitted for submitted, _ in counts}
    few = {each for each in days if sum(n for (s, _), n in counts.items() if s == each) < BELOW}
    hidden = {each: "ab"[each.day % 2] for each in few | {day(each) for each in secret} & days}
    found = cuts(counts, hidden, BELOW)
    if not found:
        return
    assert all(first < second for first, second in pairwise(found))
    edges = [date.min, *found, date.max]
    spans = list(pairwise(edges))
    for rows in spans:
        for columns in spans:
            for kind in ("", "a", "b"):
                block = sum(
                    n
                    for (submitted, when), n in counts.items()
                    if rows[0] < submitted <= rows[1]
                    and columns[0] < when <= columns[1]
                    and hidden.get(submitted, "") == kind
                )
                assert block == 0 or block >= BELOW


def test_answers_are_looked_back_to_and_nothing_else() -> None:
    published = looked([*rated(6, 0), *rated(6, 1)], 0)
    assert published.counts == {(Measure.ANSWER, "satisfied"): 6}


def test_hidden_days_of_one_weekday_must_be_enough_by_themselves_since_its_sum_is_public() -> None:
    outcomes = [*rated(3, 0), *rated(3, 1), *rated(7, 7), *rated(7, 8)]
    assert [answers(looked(outcomes, at)) for at in (1, 7, 8)] == [None, None, 20]
