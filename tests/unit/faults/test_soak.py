"""A soak must find what grows, and not be misled by what only moves."""

import os
import random

import pytest

from faults.soaking import plot, usual_warm_up
from faults.soaking.sampling import Sample, sample
from faults.soaking.slopes import MOST_POINTS, Limit, theil_sen, trend
from faults.soaking.verdicts import judge

HOUR = 3600.0
LIMIT = Limit("MiB", per_hour=6.0, at_least=1.5, share=0.01)


def test_the_slope_of_a_line_is_its_slope() -> None:
    assert theil_sen([(at, 3 + 0.5 * at) for at in range(50)]) == pytest.approx(0.5)


def test_outliers_do_not_move_the_slope() -> None:
    chance = random.Random(1)
    points = [(at, 900.0 if chance.random() < 0.25 else 100 + 0.1 * at) for at in range(200)]
    assert theil_sen(points) == pytest.approx(0.1, abs=0.05)


def test_many_points_are_thinned_and_still_give_the_slope() -> None:
    assert theil_sen([(at, 0.25 * at) for at in range(10 * MOST_POINTS)]) == pytest.approx(0.25)


def test_a_small_share_of_much_is_no_growth() -> None:
    points = [(at, 1_000 + 20 * at / HOUR) for at in range(0, 1200, 5)]
    assert trend(points, after=0).growth > LIMIT.at_least
    assert not trend(points, after=0).grows(LIMIT)


def test_what_happened_in_the_warm_up_does_not_count() -> None:
    points = [(at, min(at, 600.0)) for at in range(0, 1800, 5)]
    assert trend(points, after=600).slope == 0
    assert trend(points, after=0).last == 600


def test_too_few_samples_are_not_judged() -> None:
    with pytest.raises(ValueError, match="too few"):
        trend([(0, 1), (1, 1), (2, 1)], after=0)


@pytest.mark.parametrize(
    ("per_hour", "seconds", "grows"),
    [(20.0, 1200, True), (5.0, 1200, False), (20.0, 60, False), (-20.0, 1200, False)],
)
def test_growth_must_be_fast_and_large_to_count(per_hour: float, seconds: int, grows: bool) -> None:
    points = [(at, 80 + per_hour * at / HOUR) for at in range(0, seconds, 5)]
    assert trend(points, after=0).grows(LIMIT) is grows


def test_what_only_comes_back_to_where_it_was_does_not_grow() -> None:
    wandering = Limit("connections", per_hour=6, at_least=2.5, share=0.1, wanders=True)
    points = [(at, 36.0 if at < 300 else 24 + at / 200) for at in range(0, 1800, 5)]
    assert not trend(points, after=600).grows(wandering)
    assert trend(points[60:], after=600).grows(wandering)


def test_memory_of_postgres_is_not_said_to_grow_with_the_connections_alone() -> None:
    samples = [
        Sample(float(at), "postgres", 7, 3.0 * count, 9.0 * count, 20 * count, count, count)
        for at in range(0, 1800, 5)
        for count in (30 + (at > 900) * 5,)
    ]
    assert ("postgres", "private") not in wrong(samples)


def steady(name: str, *, leak: float = 0.0, files: float = 0.0, connections: int = 0) -> list[Sample]:
    """Half an hour of a process with some noise; what grows does so by so much an hour."""
    chance = random.Random(name)
    return [
        Sample(
            at=float(at),
            name=name,
            pid=7,
            private=80 + leak * at / HOUR + chance.gauss(0, 0.4),
            resident=120,
            files=round(30 + 2 * files * at / HOUR + chance.choice((-1, 0, 0, 1))),
            threads=4,
            connections=connections + round(2 * files * at / HOUR),
        )
        for at in range(0, 1800, 5)
    ]


def wrong(samples: list[Sample]) -> list[tuple[str, str]]:
    return [(each.process, each.what) for each in judge(samples, warm_up=600) if each.wrong]


def test_a_process_that_only_trembles_is_steady() -> None:
    assert wrong([*steady("intake-0"), *steady("postgres", connections=20)]) == []


def test_a_leak_of_memory_is_found_in_the_process_that_has_it() -> None:
    assert wrong([*steady("intake-0"), *steady("intake-1", leak=12)]) == [("intake-1", "private")]


def test_open_files_that_pile_up_are_found() -> None:
    assert wrong(steady("aggregation-0", files=20)) == [("aggregation-0", "files")]


def test_connections_that_pile_up_are_found() -> None:
    assert wrong(steady("postgres", files=20)) == [("postgres", "files"), ("postgres", "connections")]


def test_a_heap_may_fill_but_not_overflow() -> None:
    assert wrong(steady("kafka-1", leak=100)) == []
    assert wrong(steady("kafka-1", leak=1_000)) == [("kafka-1", "private")]


def test_a_sample_of_this_process_is_plausible() -> None:
    before = sample("me", os.getpid(), 0.0)
    assert before is not None
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(20)]
    block = bytearray(os.urandom(1)) * (32 * 1024 * 1024)
    try:
        after = sample("me", os.getpid(), 1.0)
    finally:
        for each in held:
            os.close(each)
    assert after is not None
    assert after.files - before.files == 20
    assert 30 < after.private - before.private < 40
    assert len(block) > 0


def test_a_process_that_is_gone_has_no_sample() -> None:
    assert sample("gone", 2**22 + 1, 0.0) is None


def test_the_picture_has_a_chart_for_each_process_and_says_what_is_wrong() -> None:
    samples = [*steady("intake-0"), *steady("intake-1", leak=12)]
    drawn = plot.svg(samples, judge(samples, warm_up=600), warm_up=600, rate=20)
    assert drawn.count("<polyline") == 2
    assert "grows by" in drawn


@pytest.mark.parametrize(("minutes", "unjudged"), [(30, 17), (120, 40), (10, 6)])
def test_nothing_is_judged_before_the_windows_of_the_limits_are_full(minutes: float, unjudged: float) -> None:
    assert usual_warm_up(minutes) * minutes == pytest.approx(unjudged)
