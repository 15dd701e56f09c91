"""The comparison of times sees a difference that matters through noise, and none where there is none."""

import random

from tests.support.timing import told_apart


def noisy(base: float, *, seed: int, number: int = 300) -> list[float]:
    """Times with a long tail, as on a machine that others use too."""
    chance = random.Random(seed)
    return [base * (1 + chance.expovariate(2)) + (chance.random() < 0.05) * base * 20 for _ in range(number)]


def test_the_same_work_is_not_told_apart_however_noisy_it_is() -> None:
    for seed in range(10):
        assert told_apart({"a": noisy(0.001, seed=seed), "b": noisy(0.001, seed=seed + 100)}) == []


def test_half_as_long_again_is_seen_and_named() -> None:
    [found] = told_apart({"capped": noisy(0.0015, seed=1), "fresh": noisy(0.001, seed=2)})
    assert found.startswith("capped takes 1.")
    assert found.endswith("times as long as fresh")


def test_a_difference_below_what_matters_is_none() -> None:
    assert told_apart({"a": noisy(0.0011, seed=3), "b": noisy(0.001, seed=4)}) == []
