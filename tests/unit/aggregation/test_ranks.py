"""Places among siblings, as far as intervals allow."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from services.aggregation.uncertainty import Interval, Rank, ranks

HIGH, MIDDLE, LOW = Interval(0.9, 0.99), Interval(0.7, 0.85), Interval(0.1, 0.4)


def test_whose_intervals_do_not_touch_have_one_place_each() -> None:
    assert ranks([LOW, HIGH, MIDDLE]) == [Rank(3, 3, 3), Rank(1, 1, 3), Rank(2, 2, 3)]


def test_whose_intervals_overlap_share_the_places() -> None:
    assert ranks([Interval(0.8, 0.95), HIGH, LOW]) == [Rank(1, 2, 3), Rank(1, 2, 3), Rank(3, 3, 3)]
    assert ranks([HIGH, Interval(0.85, 0.9)]) == [Rank(1, 2, 2)] * 2, "intervals that touch overlap"


def test_who_has_no_public_figures_has_no_place_and_takes_none() -> None:
    assert ranks([None, HIGH, None, LOW]) == [None, Rank(1, 1, 2), None, Rank(2, 2, 2)]
    assert ranks([None]) == [None]
    assert ranks([]) == []


INTERVALS = st.tuples(st.integers(0, 20), st.integers(0, 20)).map(
    lambda ends: Interval(min(ends) / 20, max(ends) / 20)
)


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(INTERVALS, max_size=5), st.data())
def test_the_places_hold_every_order_that_the_intervals_allow(
    intervals: list[Interval], data: st.DataObject
) -> None:
    """Whatever the true shares are, within their intervals."""
    found = ranks(intervals)
    truth = [data.draw(st.sampled_from([each.low, each.high, sum(each) / 2])) for each in intervals]
    for mine, rank in enumerate(found):
        assert rank is not None
        better = sum(other > truth[mine] for other in truth)
        as_good = sum(other == truth[mine] for other in truth)
        assert rank.best <= 1 + better + (as_good - 1)
        assert rank.worst >= better + 1


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(INTERVALS, max_size=4))
def test_the_best_and_the_worst_place_can_be_had(intervals: list[Interval]) -> None:
    corners = list(itertools.product(*intervals))
    for mine, rank in enumerate(ranks(intervals)):
        assert rank is not None
        places = [
            (
                1 + sum(other > truth[mine] for other in truth),
                sum(other >= truth[mine] for other in truth),
            )
            for truth in corners
        ]
        assert min(best for best, _ in places) == rank.best
        assert max(worst for _, worst in places) == rank.worst
