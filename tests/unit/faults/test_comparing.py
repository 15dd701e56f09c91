"""What the checker reckons is what the service reckons: two codes, the same formulas."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faults.checking.comparing import Answered, difference, ranks
from faults.checking.handled import Handled, read_handled
from faults.checking.published import Public, Scope
from services.aggregation import uncertainty
from services.aggregation.files_handled import FilesHandled, files_of, sample_of
from services.aggregation.uncertainty import Proportion, newcombe, wilson

SHARES = st.integers(0, 400).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))


@settings(deadline=None)  # a busy machine is no failure
@given(SHARES, SHARES)
def test_the_difference_and_its_interval(now: tuple[int, int], before: tuple[int, int]) -> None:
    wanted, found = (
        newcombe(Proportion(*now), Proportion(*before)),
        difference(Answered(*now), Answered(*before)),
    )
    assert (found is None) is (wanted is None)
    if wanted is not None:
        assert found == pytest.approx((wanted.value, *wanted.interval), abs=1e-9)


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(SHARES, max_size=8))
def test_ranks(shares: list[tuple[int, int]]) -> None:
    siblings: dict[Scope, Public] = {
        ("unit", str(n)): Public(
            {("answer", "satisfied"): (yes, yes), ("answer", "not_satisfied"): (total - yes, total - yes)}
        )
        for n, (yes, total) in enumerate(shares)
    }
    found = ranks(siblings)
    assert found is not None
    assert list(found.values()) == uncertainty.ranks([wilson(*each) for each in shares])


def test_ranks_are_open_where_a_tie_leaves_a_figure_open() -> None:
    siblings: dict[Scope, Public] = {
        ("unit", "a"): Public({("answer", "satisfied"): (9, 9)}),
        ("unit", "b"): Public({("answer", "satisfied"): (0, 5)}),
    }
    assert ranks(siblings) is None


@given(
    st.integers(0, 10**6), st.sampled_from(["200:100 1000:30 5000:20 more:10", "7:100 more:2.5", "more:33"])
)
def test_the_required_sample(files: int, sample: str) -> None:
    assert Handled(sample=sample).required(files) == FilesHandled(sample=sample_of(sample)).required(files)


def test_the_file_of_files_handled(tmp_path: Path) -> None:
    text = "\ufeffunit_id,year,files\r\nso-y-te,2017,1840\r\nso-y-te,2018,12\r\n\r\nso-noi-vu,2017,0\r\n"
    path = tmp_path / "files.csv"
    path.write_text(text, encoding="utf-8", newline="")
    assert read_handled(path, "more:10").files == files_of(text)
    assert read_handled(None, "more:10").files == {}
