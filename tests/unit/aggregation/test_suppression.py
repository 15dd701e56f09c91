"""Small cells are hidden, and with them whatever would give them away."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.aggregation.suppression import hidden, shown

COUNTS = st.dictionaries(st.integers(0, 8), st.integers(0, 12), max_size=8)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"a": 5, "b": 9}, set()),
        ({"a": 4, "b": 9, "c": 6}, {"a", "c"}),  # 4 alone would be what is missing from the sum
        ({"a": 4, "b": 1, "c": 6}, {"a", "b"}),  # 5 together: neither is known
        ({"a": 4, "b": 0, "c": 6}, {"a", "c"}),  # nothing hides nobody
        ({"a": 1, "b": 6, "c": 6}, {"a", "c"}),  # of several the last
        ({"a": 1, "b": 2}, {"a", "b"}),
        ({"a": 0}, set()),
    ],
)
def test_what_is_too_small_goes_with_the_smallest_that_hides_it(
    parts: dict[str, int], expected: set[str]
) -> None:
    assert hidden(parts, 5) == expected


def test_what_must_stay_secret_anyway_hides_what_is_small() -> None:
    assert hidden({"a": 4, "b": 9, "c": 6}, 5, also={"b"}) == {"a", "b"}
    assert hidden({"a": 9, "b": 9}, 5, also={"a"}) == {"a"}


@given(COUNTS, st.integers(1, 6))
def test_what_is_hidden_of_a_sum_is_nothing_or_enough(parts: dict[int, int], below: int) -> None:
    found = hidden(parts, below)
    rest = sum(parts[part] for part in found)
    assert rest == 0 or rest >= below or found == {part for part, count in parts.items() if count}
    assert all(count >= below for part, count in parts.items() if count and part not in found)


@given(COUNTS, st.integers(1, 6), st.randoms(use_true_random=False))
def test_where_the_parts_come_from_does_not_change_what_is_hidden(
    parts: dict[int, int], below: int, random: Random
) -> None:
    """What one list hides of two that are equal, another must not show."""
    shuffled = list(parts.items())
    random.shuffle(shuffled)
    assert hidden(dict(shuffled), below) == hidden(parts, below)


TREE = {"city": ["a", "b"], "a": ["a1", "a2"], "b": ["b1", "b2"]}


def test_nothing_below_what_is_hidden_is_shown() -> None:
    counts = {"city": 10, "a": 4, "a1": 4, "a2": 0, "b": 6, "b1": 6, "b2": 0}
    assert shown("city", TREE, counts, 5) == {"city"}


def test_a_tree_of_which_all_is_enough_is_shown_whole() -> None:
    counts = {"city": 16, "a": 11, "a1": 6, "a2": 5, "b": 5, "b1": 5, "b2": 0}
    assert shown("city", TREE, counts, 5) == counts.keys()
    assert shown("city", TREE, counts, 6) == {"city"}
    assert shown("city", TREE, counts, 17) == set()
    assert shown("city", TREE, {"city": 1, "a": 1, "a1": 1, "a2": 0, "b": 0}, 5) == set()


def test_nothing_outside_of_what_may_be_shown_is() -> None:
    counts = {"city": 16, "a": 11, "a1": 6, "a2": 5, "b": 5, "b1": 5, "b2": 0}
    assert shown("city", TREE, counts, 5, within={"city", "a", "a1"}) == {"city", "a", "a1"}
    assert shown("city", TREE, counts, 5, within={"a"}) == set()
    assert shown("city", TREE, counts, 5, within={"city", "b", "b1", "a1"}) >= {"city", "b", "b1"}
    assert "a1" not in shown("city", TREE, counts, 5, within={"city", "b", "b1", "a1"})


def test_a_tree_of_nothing_hides_nothing() -> None:
    every = {"city", "a", "b", "a1", "a2", "b1", "b2"}
    assert shown("city", TREE, dict.fromkeys(every, 0), 5) == every
