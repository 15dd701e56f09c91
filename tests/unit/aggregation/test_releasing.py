"""An officer's figures move in batches, whatever comes when."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.city_time import CITY_TIME
from contracts.events import Outcome, Publication, RatingAccepted
from services.aggregation.domain import Level, fold, officers_fold, released_with
from services.aggregation.releasing import LEAST_BY_MORNING, Officer, Standing, due, moves, release
from tests.support.outcomes import accepted, rejected, taken_back
from tests.support.publication import Book, booked

DAY = datetime(2017, 11, 23, 3, tzinfo=UTC)


def ratings(count: int, at: datetime = DAY) -> list[Outcome]:
    return [accepted("o", at=at) for _ in range(count)]


def test_what_fills_a_batch_releases_it_and_what_comes_after_waits() -> None:
    assert release(Standing(), ratings(4), 5).released == 0
    done = release(Standing(), ratings(7), 5)
    assert (done.earlier, done.released) == (True, 5)
    assert done.standing == Standing(7, 2, DAY.date(), DAY.date())


def test_what_was_pending_before_counts_towards_the_batch() -> None:
    pending = release(Standing(), ratings(4), 5).standing
    done = release(pending, ratings(2), 5)
    assert (done.earlier, done.released) == (True, 1)
    assert done.standing == Standing(6, 1, DAY.date(), DAY.date())


@pytest.mark.parametrize("pending", [1, 2, 3, 4])
def test_a_later_day_releases_what_was_pending_but_never_what_one_of_two_could_work_out(pending: int) -> None:
    before = release(Standing(), ratings(pending), 5).standing
    done = release(before, ratings(1, DAY + timedelta(days=1)), 5)
    assert (done.earlier, done.released) == (pending >= LEAST_BY_MORNING, 0)
    assert done.standing.pending == (1 if pending >= LEAST_BY_MORNING else pending + 1)


def test_a_rating_of_the_same_day_releases_nothing() -> None:
    last_minute = datetime(2017, 11, 23, 16, 59, tzinfo=UTC)  # of the same day in the city
    before = release(Standing(), ratings(3), 5).standing
    assert not release(before, ratings(1, last_minute), 5).earlier
    assert release(before, ratings(1, last_minute + timedelta(minutes=1)), 5).earlier


def test_a_rejection_waits_with_the_ratings_around_it_and_fills_no_batch() -> None:
    turned_away = [rejected("o", at=DAY) for _ in range(9)]
    done = release(Standing(), [*turned_away, *ratings(4), rejected("o", at=DAY)], 5)
    assert (done.released, done.standing) == (0, Standing(4, 4, DAY.date(), DAY.date()))
    assert release(done.standing, [rejected("o", at=DAY + timedelta(days=1))], 5).earlier
    alone = release(Standing(), turned_away, 5)
    assert alone.standing == Standing(0, 0, DAY.date(), None)
    assert release(alone.standing, ratings(5), 5).released == 5


def test_what_is_pending_remembers_its_first_day_and_its_last() -> None:
    outcomes = [*ratings(1, DAY + timedelta(days=1)), *ratings(1, DAY)]
    standing = release(Standing(), outcomes, 5).standing
    assert (standing.since, standing.last) == (date(2017, 11, 23), date(2017, 11, 24))


def test_a_batch_of_one_releases_all_at_once() -> None:
    done = release(Standing(), ratings(3), 1)
    assert (done.released, done.standing.pending) == (3, 0)


def test_in_the_morning_of_the_day_after_enough_of_what_is_pending_is_public() -> None:
    for pending in range(5):
        morning = due(release(Standing(), ratings(pending), 5).standing, 5, 7)
        assert morning == (
            datetime(2017, 11, 24, 7, tzinfo=CITY_TIME) if pending >= LEAST_BY_MORNING else None
        )
    assert due(release(Standing(), ratings(1), 2).standing, 2, 7) is None
    assert due(Standing(9), 5, 7) is None


def test_officers_and_editions_are_released_each_by_itself() -> None:
    outcomes = [
        accepted(officer, edition=edition, at=DAY)
        for officer, edition, count in (("a", "1", 5), ("a", "2", 4), ("b", "1", 4))
        for _ in range(count)
    ]
    before = {Officer(o, e): Standing() for o, e in (("a", "1"), ("a", "2"), ("b", "1"))}
    done = moves(outcomes, before, {"1": 5, "2": 3})
    assert list(done.released) == outcomes[:8]
    assert done.moved == {"a"}
    assert done.earlier == {}
    assert {officer: standing.pending for officer, standing in done.standings.items()} == {
        Officer("a", "1"): 0,
        Officer("a", "2"): 1,
        Officer("b", "1"): 4,
    }


@st.composite
def logs(draw: st.DrawFn) -> list[Outcome]:
    """Of two officers, in the order of the log, which is nearly that of time."""
    outcomes: list[Outcome] = []
    ratings: list[RatingAccepted] = []
    gone: set[UUID] = set()
    at = DAY
    for _ in range(draw(st.integers(0, 40))):
        at += timedelta(hours=draw(st.integers(-1, 9)))
        officer = draw(st.sampled_from("ab"))
        standing = [each for each in ratings if each.submission_id not in gone]
        if standing and not draw(st.integers(0, 3)):
            rating = draw(st.sampled_from(standing))
            gone.add(rating.submission_id)
            outcomes.append(taken_back(rating, at))
        elif draw(st.integers(0, 4)):
            ratings.append(accepted(officer, at=at, edition=draw(st.sampled_from(["1", "2"]))))
            outcomes.append(ratings[-1])
        else:
            outcomes.append(rejected(officer, at=at))
    return outcomes


@settings(deadline=None)  # a busy machine is no failure
@given(logs(), st.integers(1, 7), st.data())
def test_the_cut_into_batches_does_not_change_what_is_released(
    log: list[Outcome], batch: int, data: st.DataObject
) -> None:
    policy = Publication(officer_batch=batch)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(log)), max_size=5)))
    parts = [log[start:end] for start, end in zip([0, *cuts], [*cuts, len(log)], strict=True)]
    whole, cut, singly = booked([log], policy), booked(parts, policy), booked([[o] for o in log], policy)
    assert +whole.released == +cut.released == +singly.released
    assert whole.standings == cut.standings == singly.standings


@settings(deadline=None)  # a busy machine is no failure
@given(logs(), st.integers(1, 7))
def test_what_is_not_held_of_a_batch_is_what_is_released_of_it(log: list[Outcome], batch: int) -> None:
    done = moves(log, defaultdict(Standing), defaultdict(lambda: batch))
    held = officers_fold(outcome for theirs in done.held.values() for outcome in theirs)
    found, wanted = released_with(fold(log), held), officers_fold(done.released)
    assert {tally: wanted[tally] for tally in found} == found
    assert wanted.keys() <= found.keys()
    assert {tally.scope.level for tally in found} <= {Level.OFFICER}


@settings(deadline=None)  # a busy machine is no failure
@given(logs(), st.integers(1, 7))
def test_no_move_of_an_officers_figures_is_of_so_few_that_one_of_them_knew_the_other(
    log: list[Outcome], batch: int
) -> None:
    book = Book(Publication(officer_batch=batch))
    for outcome in log:
        before = {
            officer: standing.accepted - standing.pending for officer, standing in book.standings.items()
        }
        book.add([outcome])
        for officer, standing in book.standings.items():
            moved = standing.accepted - standing.pending - before.get(officer, 0)
            assert moved == 0 or abs(moved) >= min(LEAST_BY_MORNING, batch)
            assert abs(standing.pending) < batch


def test_withdrawals_make_up_for_ratings_so_that_who_comes_and_goes_uncovers_nobody() -> None:
    four = [accepted("o", at=DAY) for _ in range(4)]
    others = [taken_back(each) for each in four[:3]]
    done = release(Standing(), [*four, *others, *ratings(3)], 5)
    assert (done.earlier, done.released, done.standing.pending) == (False, 0, 4)
    assert release(done.standing, ratings(1), 5).released == 1


def test_a_wave_that_is_voided_leaves_an_officers_figures_a_batch_at_a_time() -> None:
    wave = [accepted("o", at=DAY) for _ in range(12)]
    before = release(Standing(), wave, 5).standing
    assert (before.accepted, before.pending) == (12, 2)
    done = release(before, [taken_back(each) for each in wave], 5)
    assert (done.released, done.standing) == (12, Standing(0, 0, None, None))
    single = release(Standing(9), [taken_back(wave[0])], 5).standing
    assert single == Standing(8, -1, DAY.date(), DAY.date())
    assert due(single, 5, 7) is None
    assert due(single._replace(pending=-3), 5, 7) is not None
