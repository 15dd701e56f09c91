"""The fold: what counts, for whom, when."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import cast
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.city_time import city_day
from contracts.events import Outcome
from services.aggregation.domain import (
    ALL_DAYS,
    ALL_EDITIONS,
    CITY,
    Hole,
    Level,
    Measure,
    Once,
    Read,
    Scope,
    Tally,
    acceptances,
    admit,
    first_of_each,
    fold,
    measured,
    parents,
)
from services.aggregation.scales import ScaleTally, scale_tallies
from tests.support.outcomes import GROUP, MOMENT, UNIT, accepted, rejected, taken_back

UNITS = {"u1": "g1", "u2": "g1", "u3": "g2"}


@st.composite
def outcomes(draw: st.DrawFn) -> Outcome:
    unit = draw(st.sampled_from(sorted(UNITS)))
    officer = f"{unit}.{draw(st.sampled_from('ab'))}"
    moment = datetime(2017, 3, 1, tzinfo=UTC) + timedelta(hours=draw(st.integers(0, 100)))
    submission = UUID(int=draw(st.integers(0, 2**64)))
    if draw(st.booleans()):
        return rejected(officer, unit=unit, reason=draw(st.sampled_from(["duplicate", "expired"])), at=moment)
    return accepted(
        officer,
        unit=unit,
        group=UNITS[unit],
        at=moment,
        submission=submission,
        edition=draw(st.sampled_from(["2017", "2018"])),
        answer=draw(st.sampled_from(["satisfied", "not_satisfied"])),
        reasons=draw(st.lists(st.sampled_from(["late", "rude"]), max_size=3)),
    )


def plainly(batch: list[Outcome], tally: Tally) -> int:
    """The same figure, counted one outcome at a time as a person would."""
    count = 0
    for outcome in batch:
        data = outcome.model_dump()
        mine = {
            Level.CITY: "city",
            Level.GROUP: data["group_id"],
            Level.UNIT: data["unit_id"],
            Level.OFFICER: data["officer_id"],
        }[tally.scope.level] == tally.scope.id
        day = (data["submitted_at"] + timedelta(hours=7)).date()
        edition = tally.edition_id in (ALL_EDITIONS, data["edition_id"])
        if not (mine and edition and tally.day in (ALL_DAYS, day)):
            continue
        said = {
            Measure.ANSWER: [data.get("answer")],
            Measure.REASON: list(data.get("reasons", ())),
            Measure.CHANNEL: [data["channel"]] if "answer" in data else [],
            Measure.ASSURANCE: [data.get("assurance")],
            Measure.HOUR: [f"{(data['submitted_at'].hour + 7) % 24:02}"] if "answer" in data else [],
            Measure.WEEKDAY: [str(day.weekday() + 1)] if "answer" in data else [],
            Measure.REJECTION: [data.get("reason")],
        }[tally.measure]
        count += tally.item in said
    return count


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(outcomes(), max_size=30))
def test_every_tally_is_what_a_person_would_count(batch: list[Outcome]) -> None:
    tallies = fold(batch)
    assert tallies == Counter({tally: plainly(batch, tally) for tally in tallies})


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(outcomes(), max_size=30), st.data())
def test_neither_order_nor_the_cut_into_batches_changes_a_figure(
    batch: list[Outcome], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(batch))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(batch)), max_size=4)))
    parts = [shuffled[start:end] for start, end in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]
    assert sum((fold(part) for part in parts), Counter()) == fold(batch)


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(outcomes(), max_size=30))
def test_officers_sum_up_to_units_units_to_groups_groups_to_the_city(batch: list[Outcome]) -> None:
    tallies = fold(batch)
    sums = {level: Counter[tuple[object, ...]]() for level in Level}
    for tally, count in tallies.items():
        sums[tally.scope.level][tally[1:]] += count
    assert sums[Level.OFFICER] == sums[Level.UNIT] == sums[Level.GROUP] == sums[Level.CITY]


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(outcomes(), max_size=30))
def test_days_sum_up_to_editions_and_editions_to_the_total(batch: list[Outcome]) -> None:
    days, editions, totals = (Counter[tuple[object, ...]]() for _ in range(3))
    for (scope, edition, day, measure, item), count in fold(batch).items():
        if edition == ALL_EDITIONS:
            totals[scope, measure, item] += count
        elif day == ALL_DAYS:
            editions[scope, measure, item] += count
        else:
            days[scope, measure, item] += count
    assert days == editions == totals


def test_of_a_rejected_rating_only_the_reason_counts() -> None:
    assert {tally.measure for tally in fold([rejected()])} == {Measure.REJECTION}


def test_a_reason_named_twice_counts_once() -> None:
    tallies = fold([accepted(answer="not_satisfied", reasons=["late", "late"])])
    assert tallies[Tally(CITY, ALL_EDITIONS, ALL_DAYS, Measure.REASON, "late")] == 1


def test_a_rating_one_minute_before_midnight_in_the_city_belongs_to_that_day() -> None:
    assert city_day(datetime(2017, 11, 23, 16, 59, tzinfo=UTC)) == date(2017, 11, 23)
    assert city_day(datetime(2017, 11, 23, 17, 0, tzinfo=UTC)) == date(2017, 11, 24)


def test_hour_and_weekday_are_those_of_the_submission_in_the_city() -> None:
    sunday = datetime(2017, 11, 26, 16, 59, tzinfo=UTC)
    for late, hour, weekday in ((0, "23", "7"), (1, "00", "1")):
        at = sunday + timedelta(minutes=late)
        outcome = accepted(at=at).model_copy(update={"decided_at": at + timedelta(hours=9)})
        found = dict(measured(outcome))
        assert (found[Measure.HOUR], found[Measure.WEEKDAY]) == (hour, weekday)


def test_an_outcome_touches_its_officer_unit_group_and_the_city() -> None:
    outcome = accepted("o")
    assert parents([outcome]) == {
        Scope(Level.OFFICER, "o"): UNIT,
        Scope(Level.UNIT, UNIT): GROUP,
        Scope(Level.GROUP, GROUP): "city",
        CITY: None,
    }


def test_the_first_outcome_of_a_submission_wins() -> None:
    first = accepted()
    second = rejected(submission=first.submission_id)
    found = first_of_each([Read(3, 3, first), Read(4, 4, None), Read(5, 5, second)])
    assert found == {Once(first.submission_id, withdrawn=False): first}


def test_the_first_withdrawal_of_a_submission_wins_beside_its_outcome() -> None:
    rating = accepted()
    back, again = taken_back(rating), taken_back(rating, MOMENT + timedelta(days=1))
    found = first_of_each([Read(n, n, each) for n, each in enumerate((rating, back, again))])
    assert list(found.values()) == [rating, back]


def test_a_withdrawal_takes_away_what_its_rating_added_whatever_its_own_day() -> None:
    rating = accepted(answer="not_satisfied", reasons=["late", "attitude"])
    back = taken_back(rating, MOMENT + timedelta(days=9))
    added, taken = fold([rating]), fold([back])
    assert taken == {tally: -count for tally, count in added.items()}
    both = fold([rating, back])
    assert both.keys() == added.keys()
    assert not any(both.values())
    assert acceptances([rating, back]) == {
        acceptance: 0 if acceptance.withdrawn_day == ALL_DAYS else 1
        for acceptance in acceptances([rating, back])
    }


def test_answers_to_scales_count_for_the_unit_once_each_and_go_with_a_withdrawal() -> None:
    both = [("nine", "time", "p2"), ("nine", "staff", "p0")]
    rating = accepted(scales=both)
    twice = accepted(unit="u2", edition="2018", scales=[("nine", "time", "p2"), ("nine", "time", "p1")])
    time, staff = (ScaleTally(UNIT, "2017", *answer) for answer in both)
    other = ScaleTally("u2", "2018", "nine", "time", "p1")
    added = scale_tallies([rating, accepted(), rejected(), twice, rating])
    assert added == {time: 2, staff: 2, other: 1}
    assert dict(scale_tallies([taken_back(rating)])) == {time: -1, staff: -1}
    assert dict(scale_tallies([rating, taken_back(rating)])) == {time: 0, staff: 0}


def log_of(gaps: list[int]) -> list[Read]:
    """A partition's records; `gaps` are the offsets that hold none before each."""
    records, position = [], 0
    for gap in gaps:
        records.append(Read(position + gap, position, accepted()))
        position += gap + 1
    return records


@settings(deadline=None)  # a busy machine is no failure
@given(
    st.lists(st.integers(0, 3), max_size=20),
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=20),
)
def test_however_often_records_come_again_each_is_counted_once_in_order(
    gaps: list[int], deliveries: list[tuple[int, int]]
) -> None:
    records = log_of(gaps)
    counted: list[Read] = []
    checkpoint = 0
    for begin, end in [*deliveries, (0, len(records))]:
        fresh, checkpoint = admit(checkpoint, records[min(begin, len(counted)) : end])
        counted += fresh
    assert counted == records


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.integers(0, 3), min_size=2, max_size=20), st.data())
def test_a_record_lost_between_two_others_is_noticed(gaps: list[int], data: st.DataObject) -> None:
    records = log_of(gaps)
    lost = data.draw(st.integers(0, len(records) - 2))
    with pytest.raises(Hole):
        admit(0, records[:lost] + records[lost + 1 :])


def test_transaction_markers_between_records_are_no_hole() -> None:
    fresh, checkpoint = admit(4, [Read(7, 4, accepted()), Read(9, 8, accepted())])
    assert (len(fresh), checkpoint) == (2, 10)


def test_records_that_come_again_do_not_hide_the_new_ones_behind_them() -> None:
    records = log_of([0, 2, 0, 1])
    checkpoint = records[1].offset + 1
    assert admit(checkpoint, records) == (records[2:], records[3].offset + 1)


def test_a_hole_names_where_reading_should_have_gone_on_and_where_it_did() -> None:
    with pytest.raises(Hole, match="expected what follows 4, was given what follows 6"):
        admit(4, [Read(6, 6, accepted())])


def test_what_is_no_outcome_cannot_be_counted() -> None:
    with pytest.raises(TypeError, match="no outcome: Tally"):
        list(measured(cast("Outcome", Tally(CITY, "2017", ALL_DAYS, Measure.ANSWER, "satisfied"))))


def test_scopes_lie_in_one_another_from_the_officer_up_to_the_city() -> None:
    inside = {level: level.parent for level in Level}
    assert inside == {
        Level.OFFICER: Level.UNIT,
        Level.UNIT: Level.GROUP,
        Level.GROUP: Level.CITY,
        Level.CITY: None,
    }
    assert all(level.children is child for child, level in inside.items() if level is not None)
    assert Level.OFFICER.children is None


def test_every_writer_locks_in_one_order_and_what_all_of_them_need_last() -> None:
    tallies = list(
        fold([accepted(answer="not_satisfied", reasons=["late", "rude"], edition=e) for e in "12"])
    )
    ordered = sorted(tallies, key=lambda tally: tally.order)
    assert [level for level, _ in groupby(tally.scope.level for tally in ordered)] == list(Level)
    assert len({tally.order for tally in tallies}) == len(tallies)


def test_totals_are_marked_by_what_is_no_day_and_no_edition() -> None:
    assert city_day(datetime(9000, 12, 31, 23, 59, tzinfo=UTC)) < ALL_DAYS == date.max
    with pytest.raises(ValidationError):
        accepted(edition=ALL_EDITIONS)
