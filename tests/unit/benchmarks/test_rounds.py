"""Medians, ratios and the guard against regressions; and that a page can be made of whatever was measured."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import charts, report
from benchmarks.guarding import LEFT_OVER, compare
from benchmarks.results import OURS, Curve, Goal, Results, Row, read
from benchmarks.rounds import Spread, percentile, ratios, turns

RATES = st.lists(st.floats(1, 1e6), min_size=1, max_size=9)


def results(ours: list[float], theirs: list[float]) -> Results:
    row = Row(key="intake", title="Intake", unit="ratings", how="in turns", seconds=3.0)
    row.side(OURS).rates = ours
    row.side("crud").rates = theirs
    row.goal("intake against crud", 1.3, "crud")
    return Results(
        command="make bench", commit="abc", taken_at="2026-11-30T21:00", machine={}, versions={}, rows=[row]
    )


def test_a_ratio_is_taken_within_a_round() -> None:
    # The machine was twice as slow in the second round: for both.
    assert ratios([100, 50, 100], [50, 25, 50]) == [2, 2, 2]
    assert Spread.of([3, 1, 2]) == (2, 1, 3)


@given(RATES)
def test_a_spread_holds_its_median(values: list[float]) -> None:
    found = Spread.of(values)
    assert found.least <= found.median <= found.most


@given(RATES)
def test_a_percentile_is_one_of_the_values(values: list[float]) -> None:
    assert percentile(values, 0.99) in values
    assert percentile(values, 1.0) == max(values)
    assert percentile(range(1, 101), 0.99) == 99
    assert percentile([5.0], 0.01) == 5.0


def test_every_side_begins_a_round_as_often() -> None:
    firsts = [turns(["a", "b", "c"], number)[0] for number in range(6)]
    assert firsts == ["a", "b", "c", "a", "b", "c"]
    assert sorted(turns(["a", "b", "c"], 4)) == ["a", "b", "c"]


def test_nothing_measured_is_no_spread() -> None:
    with pytest.raises(ValueError, match="no rounds"):
        Spread.of([])
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_noise_does_not_trip_the_guard() -> None:
    before = results([100, 110, 90, 105, 95], [50, 50, 50, 50, 50])
    busy = results([40, 80, 55], [50, 45, 50])  # one good round is enough
    assert [each.worse for each in compare(before, busy)] == [False]


def test_a_loss_of_half_trips_it() -> None:
    before = results([100, 110, 90, 105, 95], [50, 50, 50, 50, 50])
    slower = results([55, 50, 52], [50, 50, 50])
    (found,) = compare(before, slower)
    assert found.worse
    assert found.now.most < LEFT_OVER * found.before.least


def test_rows_that_broke_off_and_peers_of_one_side_alone_are_not_compared() -> None:
    before, now = results([1], [1]), results([1], [1])
    now.rows[0].failure = "the broker went away"
    assert compare(before, now) == []
    now.rows[0].failure = ""
    now.rows[0].sides[1].name = "another"
    assert compare(before, now) == []


@pytest.mark.parametrize(
    ("goal", "met"),
    [
        (Goal(what="x", got=1.3, wanted=1.3), True),
        (Goal(what="x", got=1.29, wanted=1.3), False),
        (Goal(what="x", got=50, wanted=50, at_least=False), True),
        (Goal(what="x", got=51, wanted=50, at_least=False), False),
    ],
)
def test_goals(goal: Goal, met: bool) -> None:
    assert goal.met is met


def test_results_are_kept_whole(tmp_path: Path) -> None:
    kept = results([1, 2], [2, 2])
    kept.write(tmp_path / "there" / "results.json")
    assert read(tmp_path / "there" / "results.json") == kept


def test_a_page_keeps_what_was_written_by_hand(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    measured = results([130, 140, 120], [100, 100, 100])
    measured.rows[0].curves = {"p99 against rate": [Curve(name=OURS, points=[(1, 2), (2, 3)])]}
    report.write(measured, page, tmp_path / "images")
    assert "intake against crud | 1.30× | 1.20–1.40 | ≥ 1.30× | met" in page.read_text("utf-8")
    page.write_text(page.read_text("utf-8") + "\nBy hand.\n", encoding="utf-8")
    measured.rows[0].failure = "not done within 1 s"
    report.write(measured, page, tmp_path / "images")
    text = page.read_text("utf-8")
    assert text.endswith("By hand.\n")
    assert "Broken off: not done within 1 s" in text
    (image,) = (tmp_path / "images").iterdir()
    assert f"images/{image.name}" in text
    ElementTree.parse(image)  # noqa: S314  our own


@pytest.mark.parametrize("tenfold", [True, False])
def test_a_chart_of_any_points_is_well_formed(tenfold: bool) -> None:
    curves = [
        Curve(name="ours & <theirs>", points=[(10_000, 3.2), (10_000_000, 3.4)]),
        Curve(name="flat", points=[(0, 0), (0, 0)]),
    ]
    ElementTree.fromstring(charts.svg("a against b", curves, tenfold=tenfold))  # noqa: S314  our own
