"""Counts over a sliding window, against a list that forgets nothing."""

from hypothesis import given
from hypothesis import strategies as st

from chassis.tally import SLICES, Tally

WINDOW = 900.0
SLICE = WINDOW / SLICES
THINGS = ("a", "b")
arrivals = st.lists(st.tuples(st.sampled_from(THINGS), st.floats(0, 5_000)), max_size=60)


@given(arrivals, st.floats(5_000, 7_000))
def test_all_of_the_window_counts_and_nothing_that_is_a_slice_older(
    came: list[tuple[str, float]], now: float
) -> None:
    tally = Tally(WINDOW)
    for thing, at in came:  # in any order, as partitions are read
        tally.add([thing], at=at, now=now)
    for thing in THINGS:
        times = [at for each, at in came if each == thing]
        within = sum(at > now - WINDOW for at in times)
        almost = sum(at >= now - WINDOW - SLICE for at in times)
        assert within <= tally.count(thing, now=now) <= almost


@given(arrivals, st.integers(1, 20))
def test_it_says_when_the_count_will_be_below(came: list[tuple[str, float]], most: int) -> None:
    tally, now = Tally(WINDOW), 5_000.0
    for thing, at in came:
        tally.add([thing], at=at, now=now)
    until = tally.below(most, "a", now=now)
    assert until <= now + WINDOW + SLICE
    assert tally.count("a", now=until) < most
    if until > now:
        assert tally.count("a", now=until - 0.001) >= most


def test_a_clock_that_is_ahead_counts_as_now() -> None:
    tally = Tally(WINDOW)
    tally.add(["a"], at=1e9, now=1_000.0)
    assert tally.count("a", now=1_000.0) == 1
    assert tally.count("a", now=1_000.0 + WINDOW + SLICE) == 0


def test_with_too_much_to_remember_the_oldest_goes_first() -> None:
    tally = Tally(WINDOW, remembered=100)
    for number in range(1_000):
        tally.add([number], at=float(number), now=float(number))
    counted = [number for number in range(1_000) if tally.count(number, now=1_000.0)]
    assert counted == list(range(min(counted), 1_000))
    assert 100 - SLICE <= len(counted) <= 100 + SLICE
