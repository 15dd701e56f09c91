"""The Wilson score interval, against published values."""

from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.aggregation.uncertainty import CONFIDENCE, wilson


@pytest.mark.parametrize(
    ("satisfied", "total", "low", "high"),
    [
        # R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in
        # Medicine 17 (1998), table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_it_agrees_with_published_values(satisfied: int, total: int, low: float, high: float) -> None:
    interval = wilson(satisfied, total)
    assert interval is not None
    assert interval.low == pytest.approx(low, abs=5e-5)
    assert interval.high == pytest.approx(high, abs=5e-5)


def test_it_is_as_wide_as_the_confidence_that_is_told_with_it_asks() -> None:
    interval = wilson(500_000, 1_000_000)  # so many that it is the normal distribution's
    assert interval is not None
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    assert interval.high - interval.low == pytest.approx(2 * z * 0.5 / 1000, rel=1e-5)


def test_without_ratings_there_is_no_interval() -> None:
    assert wilson(0, 0) is None


@settings(deadline=None)  # a busy machine is no failure
@given(st.integers(1, 10**9), st.data())
def test_it_stays_within_0_and_1_and_holds_the_share(total: int, data: st.DataObject) -> None:
    satisfied = data.draw(st.integers(0, total))
    interval = wilson(satisfied, total)
    assert interval is not None
    assert 0 <= interval.low <= satisfied / total <= interval.high <= 1


@settings(deadline=None)  # a busy machine is no failure
@given(st.integers(1, 10**6), st.data())
def test_satisfied_and_not_satisfied_mirror_each_other(total: int, data: st.DataObject) -> None:
    satisfied = data.draw(st.integers(0, total))
    one, other = wilson(satisfied, total), wilson(total - satisfied, total)
    assert one is not None
    assert other is not None
    assert one.low == pytest.approx(1 - other.high, abs=1e-9)
