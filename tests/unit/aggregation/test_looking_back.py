"""Figures as of an earlier day: what can be looked back to, and that it gives away nothing of few."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from contracts.events import Outcome, Publication, RatingAccepted
from services.aggregation.domain import ALL_DAYS, CITY, Level, Measure, Scope, acceptances
from services.aggregation.edition import ITEMS, NO_DAYS, NOTHING, TOO_FEW, Published
from services.aggregation.looking_back import Cell, cuts
from services.aggregation.stored import Accepted, total
from tests.support.outcomes import accepted, taken_back
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
    return book.view().as_of(scope, "1", day(at), kept(outcomes), book.by_day())


def kept(outcomes: list[Outcome]) -> Accepted:
    counted: dict[str, dict[Cell, dict[str, int]]] = {}
    for one, count in acceptances(outcomes).items():
        if count:
            cell = one.day, one.accepted_day, one.withdrawn_day
            counted.setdefault(one.unit_id, {}).setdefault(cell, {})[one.answer] = count
    return {"1": counted}


def withdrawn(outcomes: list[Outcome], on: int) -> list[Outcome]:
    at = FIRST + timedelta(days=on)
    return [taken_back(each, at) for each in outcomes if isinstance(each, RatingAccepted)]


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
    some: Accepted = {"1": {"u": {(day(0), day(0), ALL_DAYS): {"satisfied": 19}}}}
    assert book.view().as_of(UNIT, "1", day(0), some, book.by_day()).suppressed


@st.composite
def cells(draw: st.DrawFn) -> dict[Cell, int]:
    found: Counter[Cell] = Counter()
    for _ in range(draw(st.integers(1, 14))):
        submitted = draw(st.integers(0, 7))
        accepted = submitted + draw(st.sampled_from([0, 0, 0, 1, 3]))
        stayed = draw(st.sampled_from([None, None, None, 0, 1, 4]))
        went = ALL_DAYS if stayed is None else day(accepted + stayed)
        found[day(submitted), day(accepted), went] += draw(st.integers(1, 9))
    return dict(found)


@given(cells(), st.sets(st.integers(0, 7)))
def test_all_ratings_are_cut_into_blocks_of_which_none_is_small(
    counts: dict[Cell, int], secret: set[int]
) -> None:
    days = {submitted for submitted, *_ in counts}
    few = {each for each in days if sum(n for (s, *_), n in counts.items() if s == each) < BELOW}
    hidden = {each: "ab"[each.day % 2] for each in few | {day(each) for each in secret} & days}
    found = cuts(counts, hidden, BELOW)
    if not found:
        return
    assert all(first < second for first, second in pairwise(found))

    def block(at: date) -> int:
        return sum(at > cut for cut in found)

    blocks: Counter[tuple[object, ...]] = Counter()
    for (submitted, came, went), count in counts.items():
        if went == ALL_DAYS:
            blocks[block(submitted), hidden.get(submitted, ""), block(came), "stays"] += count
        elif block(came) != block(went):  # else it is in no figure
            blocks[block(submitted), hidden.get(submitted, ""), block(came), block(went)] += count
    assert all(count >= BELOW for count in blocks.values())


def test_a_withdrawn_rating_leaves_the_present_figures_and_stays_in_the_past_ones() -> None:
    first, second = rated(6, 0), rated(8, 1)
    outcomes = [*first, *second, *withdrawn(first, 2)]
    assert [answers(looked(outcomes, at)) for at in (0, 1, 2)] == [6, 14, 8]
    everything = Publication(officer_batch=1, suppress_below=1)
    one = [*rated(6, 0), *rated(6, 1), *withdrawn(rated(1, 0), 3)]
    assert [answers(looked(one, at, policy=everything)) for at in (0, 2, 3)] == [6, 12, 11]


def test_a_few_that_were_withdrawn_are_told_by_no_two_figures() -> None:
    first = rated(9, 0)
    outcomes = [*first, *rated(6, 1), *withdrawn(first[:1], 1), *rated(6, 2)]
    assert [answers(looked(outcomes, at)) for at in (0, 1, 2)] == [None, 14, 20], "8 and then 14, never 9"


def test_days_stand_as_they_stood_where_nothing_changed_them_since() -> None:
    first = rated(7, 0)
    outcomes = [*first, *rated(6, 1), *rated(6, 2), *withdrawn(first[:1], 2)]
    everything = Publication(officer_batch=1, suppress_below=1)

    def shown(policy: Publication | None, at: int) -> dict[date, int | None]:
        book = booked([outcomes], policy)
        days = book.view().days_as_of(UNIT, "1", day(at), kept(outcomes), book.by_day())
        return {each: answers(published) for each, published in days.items()}

    assert shown(everything, 1) == {day(0): 7, day(1): 6}
    assert shown(everything, 2) == {day(0): 6, day(1): 6, day(2): 6}
    assert shown(None, 1) == {day(0): None, day(1): 6}
    assert shown(None, 2) == {day(0): 6, day(1): 6, day(2): 6}


def test_answers_are_looked_back_to_and_nothing_else() -> None:
    published = looked([*rated(6, 0), *rated(6, 1)], 0)
    assert published.counts == {(Measure.ANSWER, "satisfied"): 6}


def test_hidden_days_of_one_weekday_must_be_enough_by_themselves_since_its_sum_is_public() -> None:
    outcomes = [*rated(3, 0), *rated(3, 1), *rated(7, 7), *rated(7, 8)]
    assert [answers(looked(outcomes, at)) for at in (1, 7, 8)] == [None, None, 20]
