"""A table against the directory: what it changes, and what is wrong with which row."""

import io
from datetime import timedelta
from typing import Any

import pytest
from openpyxl import Workbook

from services.intake import office_faults
from services.intake.adapters.tables import MOST_BYTES, directory_table, read_table, write_table
from services.intake.domain.changes import Flaw, Impossible
from services.intake.domain.importing import Plan, plan
from services.intake.domain.table import COLUMNS
from services.intake.office import Moved
from tests.support.intake import OFFICER, TODAY, UNIT, directory, edition, officer, text, unit
from tests.support.office import BY, MemoryLedger, office, rows

OTHER = "so-noi-vu"
CITY = directory(unit(), unit(OTHER, "Sở Nội vụ", position=1), officer(), edition())


def planned(*lines: dict[str, str], **options: Any) -> Plan:
    return plan(rows(*lines), CITY, TODAY, **options)


def kinds(found: Plan) -> dict[str, str]:
    return {change.key: change.kind.value for change in found.changes}


def wrong(found: Plan) -> list[tuple[int | None, str, str]]:
    return [(flaw.row, flaw.field, flaw.code) for flaw in found.flaws]


def test_the_directory_s_own_table_changes_nothing() -> None:
    found = plan(read_table(directory_table(CITY)), CITY, TODAY)
    assert (found.changes, found.flaws, found.unchanged, found.absent) == ([], [], 3, [])


def test_what_is_added_changed_moved_and_closed_is_told_apart() -> None:
    found = planned(
        {"type": "unit", "id": "so-moi", "group_id": "so-ban-nganh", "name_vi": "Sở mới", "name_en": "New"},
        {"type": "unit", "id": UNIT, "name_vi": "Sở Y tế và Dân số", "name_en": "Health"},
        {"type": "unit", "id": OTHER, "closed_on": "31/12/2026"},
        {"type": "officer", "id": OFFICER, "unit_id": "so-moi"},
        {"type": "officer", "id": "tran-van-mau", "unit_id": "so-moi", "name_vi": "Trần Văn Mẫu"},
    )
    assert found.flaws == []
    assert kinds(found) == {
        "unit:so-moi": "added",
        f"unit:{UNIT}": "changed",
        f"unit:{OTHER}": "closed",
        f"officer:{OFFICER}": "moved",
        "officer:so-moi.nguyen-thi-lan": "added",
        "officer:so-moi.tran-van-mau": "added",
    }


def test_a_column_that_is_not_there_leaves_things_and_an_empty_cell_empties_them() -> None:
    closed = directory(unit(closed_on=TODAY), officer())
    without = plan(rows({"type": "unit", "id": UNIT}), closed, TODAY)
    emptied = plan(rows({"type": "unit", "id": UNIT, "closed_on": ""}), closed, TODAY)
    assert (without.changes, without.unchanged) == ([], 1)
    assert emptied.changes[0].after.closed_on is None  # type: ignore[union-attr]


def test_each_error_names_its_row_and_column_and_all_are_said_at_once() -> None:
    found = planned(
        {"type": "phòng", "id": "x"},
        {"type": "unit", "id": "", "name_vi": "X", "name_en": "X"},
        {"type": "unit", "id": "Sở Mới", "group_id": "so-ban-nganh", "name_vi": "X", "name_en": "X"},
        {"type": "unit", "id": "so-moi", "group_id": "nhom-moi", "name_vi": "X", "name_en": "X"},
        {"type": "unit", "id": UNIT, "opened_on": "mai", "name_vi": "X", "name_en": "X"},
        {"type": "officer", "id": "a", "unit_id": "nowhere", "name_vi": "A"},
        {"type": "officer", "id": "b", "unit_id": UNIT, "name_vi": ""},
        {"type": "officer", "id": OFFICER, "sample": "perhaps"},
        {"type": "officer", "id": OFFICER},
        {"type": "unit", "id": OTHER, "closed_on": "2026-12-31", "merged_into": OTHER},
    )
    assert wrong(found) == [
        (2, "type", "type_unknown"),
        (3, "id", "cell_missing"),
        (4, "id", "id_invalid"),
        (5, "group_id", "group_unknown"),
        (6, "opened_on", "day_invalid"),
        (7, "unit_id", "unit_unknown"),
        (8, "name_vi", "cell_missing"),
        (9, "sample", "flag_invalid"),
        (10, "id", "there_twice"),
        (11, "merged_into", "merger_impossible"),
    ]
    for flaw in found.flaws:
        assert office_faults.say(flaw, "vi") != office_faults.say(flaw, "en")


def test_who_is_not_in_a_complete_table_is_closed_and_otherwise_only_counted() -> None:
    line = {"type": "unit", "id": UNIT}
    assert planned(line).absent == [f"unit:{OTHER}", f"officer:{OFFICER}"]
    assert kinds(planned(line)) == {}
    assert kinds(planned(line, complete=True)) == {f"unit:{OTHER}": "closed", f"officer:{OFFICER}": "closed"}


def test_the_digest_is_of_the_rows_the_directory_the_day_and_how_it_is_read() -> None:
    line = {"type": "unit", "id": UNIT, "name_vi": "X", "name_en": "X"}
    same = planned(line).digest
    assert planned(line).digest == same
    elsewhere = directory(unit(), unit(OTHER, "Sở khác", position=1), officer())
    others = [
        planned({**line, "name_vi": "Y"}),
        planned(line, complete=True),
        plan(rows(line), elsewhere, TODAY),
        plan(rows(line), CITY, TODAY + timedelta(days=1)),
    ]
    assert len({same, *(each.digest for each in others)}) == 5
    editions = directory(*CITY.units.values(), *CITY.officers.values(), edition("2027"))
    assert plan(rows(line), editions, TODAY).digest == same, "editions are no matter of a table"


async def test_what_is_applied_is_what_was_previewed_or_nothing() -> None:
    line = {"type": "unit", "id": UNIT, "name_vi": "Sở Y tế mới", "name_en": "Health"}
    digest = planned(line).digest
    ledger = MemoryLedger({**CITY.by_key(), f"unit:{OTHER}": unit(OTHER, "Đã đổi", position=1)})
    with pytest.raises(Moved):
        await office(ledger).import_table(BY, rows(line), complete=False, digest=digest)
    assert ledger.written == []
    ledger.there = CITY.by_key()
    done = await office(ledger).import_table(BY, rows(line), complete=False, digest=digest)
    assert [change.key for change in done.changes] == [f"unit:{UNIT}"]
    assert ledger.actions[0].digest == digest


def csv_of(*lines: str, head: str = "type,id,name_vi,name_en") -> bytes:
    return "\r\n".join((head, *lines)).encode()


def test_csv_with_commas_semicolons_and_a_byte_order_mark_and_xlsx_read_alike() -> None:
    book = Workbook()
    book.active.append(["Type", "id", "name_vi", "opened_on", "sample"])  # type: ignore[union-attr]
    book.active.append(["unit", UNIT, "Sở Y tế", TODAY, True])  # type: ignore[union-attr]
    file = io.BytesIO()
    book.save(file)
    [of_book] = read_table(file.getvalue())
    assert dict(of_book.cells) == {
        "type": "unit",
        "id": UNIT,
        "name_vi": "Sở Y tế",
        "opened_on": TODAY.isoformat(),
        "sample": "yes",
    }
    for content in (
        csv_of(f"unit,{UNIT},Sở Y tế,Health"),
        csv_of(f"unit;{UNIT};Sở Y tế;Health", head="type;id;name_vi;name_en"),
        b"\xef\xbb\xbf" + csv_of(f'unit,{UNIT},"Sở Y tế",Health', ",,,"),
    ):
        [row] = read_table(content)
        assert (row.number, row.cells["name_vi"]) == (2, "Sở Y tế")


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        (b"", ["nothing_in_it"]),
        (b"type,id\xff", ["not_utf8"]),
        (b'type,id\n"unit,x', ["not_a_table"]),
        (b"PK\x03\x04 no archive", ["not_a_table"]),
        (b"x" * (MOST_BYTES + 1), ["file_too_large"]),
        (
            b"type,colour,colour\nunit,red,red",
            ["column_unknown", "column_unknown", "column_missing", "there_twice"],
        ),
        (b"type,id\n" + b"unit,x\n" * 5_001, ["too_many_rows"]),
    ],
)
def test_what_is_no_table_is_refused_with_a_reason(content: bytes, codes: list[str]) -> None:
    with pytest.raises(Impossible) as caught:
        read_table(content)
    assert [flaw.code for flaw in caught.value.flaws] == codes


def test_what_a_spreadsheet_would_run_is_quoted_and_comes_back_as_it_was() -> None:
    content = write_table(COLUMNS[:3], [["unit", "=1+1", "-x"]])
    assert b"'=1+1" in content
    [row] = read_table(content)
    assert (row.cells["id"], row.cells["unit_id"]) == ("=1+1", "-x")


def test_every_flaw_that_is_raised_has_its_words() -> None:
    for code in office_faults._DETAILS:
        said_of = "most why column id ids day first last name unit key edition answer"
        values = dict.fromkeys(said_of.split(), "x")
        said = [office_faults.say(Flaw(code, values=values), language) for language in ("vi", "en")]
        assert said[0] != said[1]


def test_a_new_officer_has_the_title_of_most() -> None:
    found = planned(
        {"type": "officer", "id": "b", "unit_id": UNIT, "name_vi": "B", "title_vi": "", "title_en": ""}
    )
    assert found.changes[0].after.title == text("Công chức một cửa")  # type: ignore[union-attr]
