from datetime import UTC, date, datetime
from typing import Any

import pytest

from contracts.city_time import city_day
from services.intake.domain.directory import Directory, Roster
from services.intake.domain.search import Index, fold
from tests.support.intake import OFFICER, TODAY, UNIT, directory, edition, officer, text, unit


def test_a_day_begins_at_midnight_in_da_nang() -> None:
    assert city_day(datetime(2026, 11, 22, 16, 59, tzinfo=UTC)) == date(2026, 11, 22)
    assert city_day(datetime(2026, 11, 22, 17, 0, tzinfo=UTC)) == date(2026, 11, 23)


def test_a_tombstone_takes_an_entry_out_and_leaves_the_earlier_state_alone() -> None:
    before = directory()
    after = before.with_({f"officer:{OFFICER}": None})
    assert OFFICER in before.officers
    assert OFFICER not in after.officers
    assert after.units == before.units


def test_an_event_under_a_key_of_another_kind_changes_nothing() -> None:
    assert Directory().with_({"unit:x": officer()}).units == {}


@pytest.mark.parametrize(
    ("changes", "active"),
    [
        ({}, True),
        ({"active_from": TODAY}, True),
        ({"active_from": date(2026, 11, 24)}, False),
        ({"active_until": date(2026, 11, 24)}, True),
        ({"active_until": TODAY}, False),
    ],
)
def test_an_officer_takes_ratings_within_their_period(changes: dict[str, Any], active: bool) -> None:
    state = directory(unit(), officer(**changes))
    assert state.is_active(state.officers[OFFICER], TODAY) is active
    assert bool(Roster(state, TODAY).officers_of(UNIT)) is active


def test_a_closed_unit_and_its_officers_take_none() -> None:
    state = directory(unit(closed_on=TODAY), officer())
    assert Roster(state, TODAY).units == []
    assert not state.is_active(state.officers[OFFICER], TODAY)
    assert Roster(state, date(2026, 11, 22)).officers_of(UNIT) != []


def test_groups_and_units_keep_their_published_order() -> None:
    state = directory(
        unit("b", position=1),
        unit("a", position=2),
        unit("z", group_id="quan-huyen", group_name=text("UBND"), group_position=1),
        unit("c", position=0),
    )
    roster = Roster(state, TODAY)
    assert [u.unit_id for u in roster.units] == ["c", "b", "a", "z"]
    assert list(roster.groups) == ["so-ban-nganh", "quan-huyen"]
    assert [u.unit_id for u in roster.units_of("quan-huyen")] == ["z"]


def test_open_editions_come_newest_first() -> None:
    old, new = edition("2025"), edition("2026", opens_on=date(2026, 6, 1))
    later = edition("2027", opens_on=date(2027, 1, 1), closes_on=date(2027, 12, 31))
    state = directory(old, new, later)
    assert state.open_editions(TODAY) == [new, old]
    assert state.open_editions(date(2026, 2, 1)) == [old]
    assert state.open_editions(date(2028, 1, 1)) == []


def test_folding_takes_diacritics_and_case_away() -> None:
    assert fold("Đinh Thị MINH Phương") == ("dinh", "thi", "minh", "phuong")
    assert fold("Sở, Ban – Ngành") == ("so", "ban", "nganh")


@pytest.mark.parametrize("query", ["so thong tin", "SỞ thông", "thong tin so", "truyen"])
def test_units_are_found_without_diacritics_case_or_order(query: str) -> None:
    state = directory(unit("tttt", "Sở Thông tin và Truyền thông"), unit("yt", "Sở Y tế"))
    assert [u.unit_id for u in Index(Roster(state, TODAY)).find(query, 10).units] == ["tttt"]


def test_an_officer_is_found_by_name_with_words_of_the_unit_but_not_by_the_unit_alone() -> None:
    index = Index(Roster(directory(), TODAY))
    assert [o.officer_id for o in index.find("lan y te", 10).officers] == [OFFICER]
    assert index.find("y te", 10).officers == []


def test_an_empty_query_finds_nothing_and_the_limit_holds() -> None:
    state = directory(*(unit(f"u{i}", "Sở Y tế") for i in range(5)))
    assert Index(Roster(state, TODAY)).find(" ,. ", 10).units == []
    assert len(Index(Roster(state, TODAY)).find("so", 3).units) == 3


def test_who_takes_no_ratings_today_is_not_found() -> None:
    state = directory(unit(), officer(active_until=TODAY))
    assert Index(Roster(state, TODAY)).find("lan", 10).officers == []
