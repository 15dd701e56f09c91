"""How many files were handled, and how many of them have to be rated."""

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.aggregation.adapters.files_handled import InvalidFiles, read_files_handled
from services.aggregation.domain import Measure
from services.aggregation.edition import TOO_FEW, Published
from services.aggregation.files_handled import USUAL_SAMPLE, FilesHandled, files_of, sample_of
from services.aggregation.settings import Settings

USUAL = FilesHandled(sample=sample_of(USUAL_SAMPLE))


def rated(count: int, *, partial: bool = False) -> Published:
    return Published({(Measure.ANSWER, "satisfied"): count}, partial=partial)


@pytest.mark.parametrize(
    ("files", "required"),
    [
        (0, 0),
        (1, 1),
        (200, 200),
        (201, 61),
        (1000, 300),
        (1001, 201),
        (5000, 1000),
        (5001, 501),
        (10**6, 10**5),
    ],
)
def test_the_usual_table_asks_for_a_part_and_never_for_less_than_it(files: int, required: int) -> None:
    assert USUAL.required(files) == required


@given(st.integers(0, 10**7))
def test_no_more_is_asked_for_than_there_is(files: int) -> None:
    assert files * Fraction(1, 10) <= USUAL.required(files) <= files


def test_the_response_is_of_all_units_that_said_how_many_files_they_handled() -> None:
    found = USUAL.response(2017, {"a": 100, "b": 1000}, rated(440))
    assert (found.year, found.units, found.files, found.ratings) == (2017, 2, 1100, 440)
    assert (found.rate, found.required, found.reached) == (0.4, 400, True)


@pytest.mark.parametrize(
    ("published", "ratings", "reached"),
    [
        (rated(99), 99, False),
        (rated(100), 100, True),
        (rated(99, partial=True), 99, None),
        (rated(100, partial=True), 100, True),
        (TOO_FEW, None, None),
        (Published(), 0, False),
    ],
)
def test_whether_enough_were_rated_is_said_only_where_what_is_left_out_cannot_change_it(
    published: Published, ratings: int | None, reached: bool | None
) -> None:
    found = USUAL.response(2017, {"a": 100}, published)
    assert (found.ratings, found.reached) == (ratings, reached)
    assert found.rate == (None if ratings is None else ratings / 100)


def test_of_no_files_there_is_no_rate() -> None:
    assert USUAL.response(2017, {"a": 0}, rated(9)).rate is None


def test_another_table_may_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGGREGATION_REQUIRED_SAMPLE", "10:100 more:2.5")
    found = FilesHandled(sample=sample_of(Settings().required_sample))
    assert [found.required(files) for files in (10, 11, 1000)] == [10, 1, 25]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", "the last has to be more"),
        ("200:100", "the last has to be more"),
        ("more:10 200:100", "the last has to be more"),
        ("200:100 100:30 more:10", "have to rise"),
        ("200:100 200:30 more:10", "have to rise"),
        ("200=100 more:10", "FILES:PERCENT"),
        ("x:100 more:10", "FILES:PERCENT"),
        ("200:1/0 more:10", "FILES:PERCENT"),
        ("200:101 more:10", "from 0 to 100"),
        ("-1:10 more:10", "below 0"),
    ],
)
def test_a_table_that_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch, table: str, said: str) -> None:
    monkeypatch.setenv("AGGREGATION_REQUIRED_SAMPLE", table)
    with pytest.raises(ValidationError, match=said):
        Settings()


def test_a_file_gives_the_numbers_by_year_and_unit() -> None:
    text = "\ufeffunit_id,year,files\r\nso-y-te,2017,1840\r\nso-y-te,2018,12\r\n\r\nso-noi-vu,2017,0\r\n"
    assert files_of(text) == {2017: {"so-y-te": 1840, "so-noi-vu": 0}, 2018: {"so-y-te": 12}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the first line has to be unit_id,year,files"),
        ("unit,year,files\n", "the first line has to be unit_id,year,files"),
        ("unit_id,year,files\na,2017\n", "line 2: 2 values, not 3"),
        ("unit_id,year,files\na,2017,1\n b,2017,1\n", "line 3: the unit's id is not valid"),
        ("unit_id,year,files\na,17.,1\n", "line 2: year and files have to be whole numbers"),
        ("unit_id,year,files\na,2017,-1\n", "line 2: year and files have to be whole numbers"),
        ("unit_id,year,files\na,2017,1.840\n", "line 2: year and files have to be whole numbers"),
        ("unit_id,year,files\na,201,1\n", "line 2: there is no such year"),
        ("unit_id,year,files\na,2017,1\na,2017,2\n", "line 3: a second number of a in 2017"),
    ],
)
def test_a_file_that_says_something_else_is_refused_with_the_line(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "files.csv"
    path.write_text(text)
    with pytest.raises(InvalidFiles, match=said):
        read_files_handled(path, USUAL_SAMPLE)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "files.csv"
    with pytest.raises(InvalidFiles, match=r"cannot read .*No such file"):
        read_files_handled(path, USUAL_SAMPLE)
    path.write_bytes("unit_id,year,files\nđà-nẵng,2017,1\n".encode("utf-16"))
    with pytest.raises(InvalidFiles, match="it is not UTF-8"):
        read_files_handled(path, USUAL_SAMPLE)
