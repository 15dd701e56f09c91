"""Units that close and merge: who stands in for them, and which mergers no file may hold."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from contracts.events import UnitPublished
from services.intake.adapters.files import FileInvalid, read_files
from services.intake.domain.directory import Roster
from services.intake.domain.merging import flaws, merged, successor
from services.intake.domain.search import Index
from tests.support.intake import TODAY, directory, officer, unit

YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)


def units(*published: UnitPublished) -> dict[str, UnitPublished]:
    return {each.unit_id: each for each in published}


def test_a_unit_that_merged_twice_over_is_stood_in_for_by_the_last() -> None:
    there = units(
        unit("a", closed_on=YESTERDAY, merged_into="b"),
        unit("b", closed_on=TODAY, merged_into="c"),
        unit("c"),
    )
    assert successor(there, there["a"], YESTERDAY) == there["b"]
    assert successor(there, there["a"], TODAY) == successor(there, there["b"], TODAY) == there["c"]
    assert successor(there, there["c"], TODAY) is None
    assert merged(there, YESTERDAY) == {"b": [there["a"]]}
    assert merged(there, TODAY) == {"c": [there["a"], there["b"]]}


def test_mergers_in_a_circle_lead_nowhere_and_end() -> None:
    there = units(
        unit("a", closed_on=TODAY, merged_into="b"),
        unit("b", closed_on=TODAY, merged_into="a"),
        unit("c", closed_on=TODAY, merged_into="a"),
    )
    assert {successor(there, each, TODAY) for each in there.values()} == {None}


def test_the_old_name_finds_the_unit_that_took_over_and_its_officers() -> None:
    state = directory(
        unit("new", "Sở Khoa học và Công nghệ"),
        unit("old", "Sở Thông tin và Truyền thông", closed_on=TODAY, merged_into="new"),
        officer("new.lan", "Nguyễn Thị Lan", unit_id="new"),
        officer("old.lan", "Nguyễn Thị Lan", unit_id="old"),
    )
    today, before = Index(Roster(state, TODAY)), Index(Roster(state, YESTERDAY))
    assert [each.unit_id for each in today.find("truyen thong", 9).units] == ["new"]
    assert [each.officer_id for each in today.find("lan truyen thong", 9).officers] == ["new.lan"]
    assert [each.unit_id for each in before.find("truyen thong", 9).units] == ["old"]


@pytest.mark.parametrize(
    ("published", "flaw"),
    [
        (units(unit("a", merged_into="b"), unit("b")), "has no closed_on"),
        (units(unit("a", closed_on=TODAY, merged_into="b")), "there is no unit b"),
        (units(unit("a", closed_on=TODAY, merged_into="a")), "a is not open on 2026-11-23"),
        (
            units(unit("a", closed_on=TODAY, merged_into="b"), unit("b", opened_on=TOMORROW)),
            "b is not open on 2026-11-23",
        ),
        (
            units(
                unit("a", closed_on=YESTERDAY, merged_into="b"), unit("b", closed_on=TODAY, merged_into="a")
            ),
            "a is not open on 2026-11-23",
        ),
    ],
)
def test_a_merger_that_cannot_be_is_named(published: dict[str, UnitPublished], flaw: str) -> None:
    [(_, found)] = flaws(published)
    assert found.startswith(flaw)


def test_a_file_says_which_unit_merged_and_is_refused_with_the_row_that_cannot_be(tmp_path: Path) -> None:
    line = "{{id: {0}, name: {{vi: {0}, en: {0}}}{1}}}"
    closing = ", closed_on: 2026-07-01, merged_into: {}"

    def read(*rows: str) -> dict[str, object]:
        file = tmp_path / "directory.yaml"
        head = "directory: {officer_title: {vi: a, en: a}, groups: [{id: g, name: {vi: g, en: g}, units: ["
        file.write_text(head + ", ".join(rows) + "]}]}")
        return dict(read_files([file], None))

    event = read(line.format("old", closing.format("new")), line.format("new", ""))["unit:old"]
    assert isinstance(event, UnitPublished)
    assert (event.closed_on, event.merged_into) == (date(2026, 7, 1), "new")
    with pytest.raises(FileInvalid, match="unit:old: merged_into: there is no unit elsewhere"):
        read(line.format("old", closing.format("elsewhere")), line.format("new", ""))
