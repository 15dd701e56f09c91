"""What the office decides: units, officers, editions, and what is written of it."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import pytest

from contracts.events import EditionPublished, OfficerPublished, UnitPublished
from contracts.topics import DIRECTORY, OFFICE_ACTIONS, key_of
from services.intake.domain import editions, units
from services.intake.domain.changes import Change, Impossible, Kind, with_changes
from services.intake.domain.directory import Directory
from services.intake.ports import NotKept
from tests.support.intake import OFFICER, TODAY, UNIT, directory, edition, officer, text, unit
from tests.support.office import BY, MemoryLedger, office

OTHER = "so-noi-vu"
CITY = directory(unit(), unit(OTHER, "Sở Nội vụ", position=1), officer())


def flaws(decide: Callable[[], object]) -> list[str]:
    with pytest.raises(Impossible) as caught:
        decide()
    return [flaw.code for flaw in caught.value.flaws]


def after(changes: Sequence[Change], before: Directory = CITY) -> Directory:
    return with_changes(before, changes)


def test_a_unit_opens_at_the_end_of_its_group_and_a_new_group_needs_names() -> None:
    opened = units.opened(CITY, unit_id="so-moi", name=text("Sở mới"), group_id="so-ban-nganh")
    assert after(opened).units["so-moi"].position == 2
    assert flaws(lambda: units.opened(CITY, unit_id="x", name=text("X"), group_id="g")) == ["group_unknown"]
    named = units.opened(CITY, unit_id="x", name=text("X"), group_id="g", group_name=text("Nhóm"))
    assert after(named).units["x"].group_position == 1
    again = {"unit_id": UNIT, "name": text("X"), "group_id": "so-ban-nganh"}
    assert flaws(lambda: units.opened(CITY, **again)) == ["unit_exists"]  # type: ignore[arg-type]


def test_a_renamed_unit_keeps_all_else_and_the_trail_has_both_names() -> None:
    [change] = units.renamed(CITY, UNIT, text("Sở Y tế mới"))
    assert isinstance(change.after, UnitPublished)
    assert change.after.model_copy(update={"name": CITY.units[UNIT].name}) == CITY.units[UNIT]
    fields = {each.name: (each.before, each.after) for each in change.fields}
    assert fields["name.vi"] == ("Sở Y tế", "Sở Y tế mới")
    assert units.renamed(CITY, UNIT, CITY.units[UNIT].name) == []
    assert flaws(lambda: units.renamed(CITY, "nobody", text("X"))) == ["unit_unknown"]


def test_a_unit_closes_after_it_opened_and_a_merged_one_is_closed_already() -> None:
    [change] = units.closed(CITY, UNIT, TODAY)
    assert (change.kind, change.after.closed_on) == (Kind.CLOSED, TODAY)  # type: ignore[union-attr]
    young = directory(unit(opened_on=TODAY))
    assert flaws(lambda: units.closed(young, UNIT, TODAY)) == ["day_too_early"]
    merged = after(units.merged(CITY, UNIT, OTHER, TODAY, with_officers=False))
    assert flaws(lambda: units.closed(merged, UNIT, TODAY)) == ["unit_merged_already"]


def test_a_merger_takes_the_officers_along_and_done_twice_changes_nothing_more() -> None:
    merged = after(units.merged(CITY, UNIT, OTHER, TODAY, with_officers=True))
    assert (merged.units[UNIT].merged_into, merged.units[UNIT].closed_on) == (OTHER, TODAY)
    assert merged.officers[OFFICER].active_until == TODAY
    assert merged.officers[f"{OTHER}.nguyen-thi-lan"].active_from == TODAY
    assert units.merged(merged, UNIT, OTHER, TODAY, with_officers=True) == []
    alone = after(units.merged(CITY, UNIT, OTHER, TODAY, with_officers=False))
    assert alone.officers == CITY.officers


@pytest.mark.parametrize("how", ["closed", "merged", "later"])
def test_a_unit_reopens_whatever_ended_it_and_who_moved_away_stays_away(how: str) -> None:
    gone = after(
        units.merged(CITY, UNIT, OTHER, TODAY, with_officers=True)
        if how == "merged"
        else units.closed(CITY, UNIT, TODAY + timedelta(days=9) if how == "later" else TODAY)
    )
    [change] = units.reopened(gone, UNIT)
    assert change.kind is Kind.REOPENED
    again = after([change], gone)
    assert again.units[UNIT] == CITY.units[UNIT]
    assert again.officers == gone.officers
    assert again.is_active(again.officers[OFFICER], TODAY) is (how != "merged")
    assert units.reopened(again, UNIT) == []
    assert flaws(lambda: units.reopened(CITY, "nobody")) == ["unit_unknown"]


def test_nobody_merges_into_themselves_or_into_who_is_closed() -> None:
    def merge(city: Directory, heir: str) -> list[str]:
        return flaws(lambda: units.merged(city, UNIT, heir, TODAY, with_officers=False))

    assert merge(CITY, UNIT) == ["merger_impossible"]
    assert merge(after(units.closed(CITY, OTHER, TODAY)), OTHER) == ["merger_impossible"]
    assert merge(CITY, "nobody") == ["unit_unknown"]


def test_an_officer_who_moves_ends_at_one_unit_and_begins_at_the_other() -> None:
    changes = units.moved(CITY, OFFICER, OTHER, TODAY)
    moved = after(changes)
    ended, begun = moved.officers[OFFICER], moved.officers[f"{OTHER}.nguyen-thi-lan"]
    assert (ended.unit_id, ended.active_until) == (UNIT, TODAY)
    assert (begun.unit_id, begun.active_from, begun.active_until) == (OTHER, TODAY, None)
    assert not moved.is_active(ended, TODAY)
    assert moved.is_active(begun, TODAY)
    assert units.moved(moved, OFFICER, OTHER, TODAY) == []
    back = after(units.moved(moved, begun.officer_id, UNIT, TODAY + timedelta(days=3)), moved)
    assert back.officers[OFFICER].active_from == TODAY + timedelta(days=3)


def test_an_officer_moves_to_no_closed_unit_and_takes_nobody_s_place() -> None:
    closed = after(units.closed(CITY, OTHER, TODAY))
    assert flaws(lambda: units.moved(closed, OFFICER, OTHER, TODAY)) == ["unit_not_open"]
    taken = after([*units.moved(CITY, OFFICER, OTHER, TODAY)])
    namesake = directory(*CITY.units.values(), officer(), officer(f"{OTHER}.nguyen-thi-lan", "Lan khác"))
    assert flaws(lambda: units.moved(namesake, OFFICER, OTHER, TODAY)) == ["officer_id_taken"]
    assert flaws(lambda: units.moved(taken, OFFICER, "so-moi", TODAY)) == ["unit_unknown"]


def test_an_officer_s_name_is_not_in_the_trail() -> None:
    change = Change(key_of(officer()), Kind.CHANGED, officer(name="Tên mới"), officer())
    [field] = change.fields
    assert (field.name, field.before, field.after) == ("name", None, None)


def test_an_open_edition_s_choices_stay_and_its_version_counts_changes() -> None:
    there = directory(edition())
    mended = edition().model_copy(
        update={"instrument": edition().instrument.model_copy(update={"question": text("Thế nào?")})}
    )
    [change] = editions.published(there, mended, TODAY)
    assert isinstance(change.after, EditionPublished)
    assert change.after.instrument.version == 2
    assert editions.published(there, edition(), TODAY) == []
    fewer = edition().instrument.model_copy(update={"reasons": edition().instrument.reasons[:1]})
    changed = edition(opens_on=TODAY, instrument=fewer)
    assert flaws(lambda: editions.published(there, changed, TODAY)) == ["opened_already", "reasons_fixed"]
    before_it_opens = date(2025, 12, 1)
    assert editions.published(there, changed, before_it_opens) != []


def test_an_edition_has_a_key_of_its_own_and_ends_after_it_begins() -> None:
    other = edition("2027", sealing_key=edition("2026").sealing_key)
    assert flaws(lambda: editions.published(CITY, other, TODAY)) == ["sealing_key_of_another"]
    backwards = edition(closes_on=date(2025, 1, 1))
    assert flaws(lambda: editions.published(CITY, backwards, TODAY)) == ["closes_before_it_opens"]
    there = directory(edition())
    [change] = editions.closed(there, "2026", TODAY)
    assert (change.kind, change.fields[0].name) == (Kind.CLOSED, "closes_on")
    assert flaws(lambda: editions.closed(there, "2026", date(2025, 1, 1))) == ["closes_before_it_opens"]
    assert flaws(lambda: editions.closed(there, "1999", TODAY)) == ["edition_unknown"]


async def test_an_action_is_written_together_with_what_it_changed_and_who_took_it() -> None:
    ledger = MemoryLedger(CITY.by_key())
    done = await office(ledger).act(
        BY, "officer_moved", f"officer:{OFFICER}", lambda d, day: units.moved(d, OFFICER, OTHER, day)
    )
    assert [topic for topic, _ in ledger.written] == [DIRECTORY.name, DIRECTORY.name, OFFICE_ACTIONS.name]
    [action] = ledger.actions
    assert (action.actor, action.role, action.via) == (BY.subject, BY.role, BY.via)
    assert [(each.key, each.change) for each in action.changes] == [
        (f"officer:{OFFICER}", "moved"),
        (f"officer:{OTHER}.nguyen-thi-lan", "added"),
    ]
    headers = [dict(message.headers) for _, message in ledger.written]
    assert {each["ce_correlationid"] for each in headers} == {str(done.action_id).encode()}


async def test_nothing_to_change_writes_nothing_and_what_is_not_confirmed_is_not_there() -> None:
    ledger = MemoryLedger(CITY.by_key())
    done = await office(ledger).act(BY, "unit_renamed", "unit:x", lambda *_: [])
    assert (done.action_id, ledger.written) == (None, [])
    ledger.away = True
    with pytest.raises(NotKept):
        await office(ledger).act(
            BY, "unit_renamed", f"unit:{UNIT}", lambda d, _: units.renamed(d, UNIT, text("X"))
        )
    assert ledger.there == CITY.by_key()


async def test_an_action_of_many_changes_has_several_records_with_one_correlation() -> None:
    many = [officer(f"{UNIT}.n{number:05}", title=text("x" * 400)) for number in range(900)]
    ledger = MemoryLedger({key_of(each): each for each in (unit(), *many)})

    def decide(_directory: Directory, _day: date) -> list[Change]:
        return [
            Change(key_of(each), Kind.CHANGED, each.model_copy(update={"title": text("y")}), each)
            for each in many
        ]

    await office(ledger).act(BY, "directory_imported", "directory", decide)
    assert 1 < len(ledger.actions) < 10
    assert sum(len(each.changes) for each in ledger.actions) == 900
    assert all(len(message.value or b"") < 1024 * 1024 for _, message in ledger.written)
    assert all(isinstance(each, OfficerPublished | UnitPublished) for each in ledger.there.values())
