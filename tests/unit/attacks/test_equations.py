"""What sums of answers tell of single ones."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attacks.equations import Equations


def equations(*sums: tuple[Sequence[int], int]) -> Equations:
    made = Equations()
    for members, value in sums:
        made.add(members, value)
    return made


def test_a_sum_less_another_is_the_answer_that_is_in_one_alone() -> None:
    assert equations(([0, 1, 2], 2), ([0, 1], 1)).solved() == {2: 1}
    assert equations(([0, 1, 2, 3], 2), ([0, 1], 1), ([2], 1)).solved() == {2: 1, 3: 0}


def test_sums_that_overlap_are_solved_together() -> None:
    assert equations(([0, 1], 1), ([1, 2], 1), ([0, 2], 2)).solved() == {0: 1, 1: 0, 2: 1}


@pytest.mark.parametrize(("satisfied", "forced"), [(0, {0: 0, 1: 0, 2: 0}), (3, {0: 1, 1: 1, 2: 1}), (2, {})])
def test_a_sum_tells_all_answers_where_they_were_all_the_same(satisfied: int, forced: dict[int, int]) -> None:
    made = equations(([0, 1, 2], satisfied))
    assert made.solved() == {}
    assert made.forced() == forced


def test_what_is_forced_is_taken_out_of_other_sums() -> None:
    assert equations(([0, 1], 2), ([1, 2, 3], 1)).forced() == {0: 1, 1: 1, 2: 0, 3: 0}


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 1), min_size=1, max_size=6),
    st.lists(st.sets(st.integers(0, 5), min_size=1), max_size=6),
)
def test_nothing_is_certain_that_another_solution_contradicts(
    answers: list[int], sums: list[set[int]]
) -> None:
    sums = [kept for members in sums if (kept := {each for each in members if each < len(answers)})]
    made = equations(*((sorted(members), sum(answers[each] for each in members)) for members in sums))
    others = [
        other
        for other in itertools.product((0, 1), repeat=len(answers))
        if all(sum(other[i] for i in members) == sum(answers[i] for i in members) for members in sums)
    ]
    solved, forced = made.solved(), made.forced()
    assert solved.items() <= forced.items()
    assert all(other[unknown] == value for other in others for unknown, value in forced.items())
