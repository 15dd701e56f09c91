"""The interval of a difference of shares, against published values."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.aggregation.uncertainty import Difference, Interval, Proportion, newcombe, wilson


@pytest.mark.parametrize(
    ("now", "before", "low", "high"),
    [
        # R. G. Newcombe, "Interval estimation for the difference between independent proportions: comparison
        # of eleven methods", Statistics in Medicine 17 (1998), table II, method 10, contrasts (a) to (h).
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_it_agrees_with_published_values(
    now: tuple[int, int], before: tuple[int, int], low: float, high: float
) -> None:
    found = newcombe(Proportion(*now), Proportion(*before))
    assert found is not None
    assert found.interval.low == pytest.approx(low, abs=5e-5)
    assert found.interval.high == pytest.approx(high, abs=5e-5)


def test_without_ratings_on_either_side_there_is_no_difference() -> None:
    assert newcombe(Proportion(0, 0), Proportion(3, 4)) is None
    assert newcombe(Proportion(3, 4), Proportion(0, 0)) is None


@pytest.mark.parametrize(
    ("interval", "more"),
    [((0.01, 0.2), True), ((-0.2, -0.01), True), ((-0.1, 0.1), False), ((0, 0.3), False)],
)
def test_it_is_more_than_noise_where_the_interval_leaves_0_out(
    interval: tuple[float, float], more: bool
) -> None:
    assert Difference(0.1, Interval(*interval)).more_than_noise is more


@st.composite
def proportions(draw: st.DrawFn) -> Proportion:
    total = draw(st.integers(1, 10**6))
    return Proportion(draw(st.integers(0, total)), total)


@settings(deadline=None)  # a busy machine is no failure
@given(proportions(), proportions())
def test_it_stays_within_what_shares_can_differ_by_and_holds_the_difference(
    now: Proportion, before: Proportion
) -> None:
    found = newcombe(now, before)
    assert found is not None
    assert -1 - 1e-12 <= found.interval.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.interval.high <= 1 + 1e-12
    assert found.value == pytest.approx(now.satisfied / now.total - before.satisfied / before.total)


@settings(deadline=None)  # a busy machine is no failure
@given(proportions(), proportions())
def test_the_way_back_mirrors_the_way_there(now: Proportion, before: Proportion) -> None:
    there, back = newcombe(now, before), newcombe(before, now)
    assert there is not None
    assert back is not None
    assert there.value == pytest.approx(-back.value)
    assert there.interval.low == pytest.approx(-back.interval.high, abs=1e-12)
    assert there.more_than_noise == back.more_than_noise


@settings(deadline=None)  # a busy machine is no failure
@given(proportions(), proportions())
def test_shares_whose_own_intervals_do_not_touch_differ_by_more_than_noise(
    now: Proportion, before: Proportion
) -> None:
    one, other, found = wilson(*now), wilson(*before), newcombe(now, before)
    assert one is not None
    assert other is not None
    assert found is not None
    if one.low > other.high or other.low > one.high:
        assert found.more_than_noise
