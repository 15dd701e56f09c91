"""What the public sees: nothing that it could reckon from leads to what few people said."""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.city_time import CITY_TIME
from contracts.events import (
    Outcome,
    Publication,
    RatingAccepted,
    RatingRejected,
    Scale,
    ScaleChoice,
    ScaleKind,
    ScaleQuestion,
    Text,
)
from services.aggregation.domain import CITY, Level, Measure, Scope, weekday
from services.aggregation.edition import ITEMS, NO_DAYS, Published
from services.aggregation.publication import View
from services.aggregation.scales import Answered, Counted
from services.aggregation.stored import NEVER, Counts, Mark, items, total
from services.aggregation.tree import PARTITIONS
from tests.support.outcomes import accepted, rejected, taken_back
from tests.support.publication import LONG_AGO, Book, booked

UNITS = {"u1": "g1", "u2": "g1", "u3": "g1", "u4": "g2"}
EDITIONS = (None, "1", "2")
BELOW = 5
DAY = datetime(2017, 11, 23, 3, tzinfo=UTC)
UNIT, OFFICER = Scope(Level.UNIT, "u1"), Scope(Level.OFFICER, "u1.a")


def rated(
    count: int, officer: str = "u1.a", *, days: int = 0, edition: str = "1", said: str = ""
) -> list[Outcome]:
    unit = officer.partition(".")[0]
    return [
        accepted(
            officer,
            unit=unit,
            group=UNITS[unit],
            edition=edition,
            at=DAY + timedelta(days=days),
            answer="not_satisfied" if said else "satisfied",
            reasons=[said] * bool(said),
        )
        for _ in range(count)
    ]


def shown(book: Book, scope: Scope, edition: str | None = "1", now: datetime = LONG_AGO) -> int | None:
    published = book.view(now).of(scope, edition)
    return None if published.suppressed else total(published.counts)


# --- by example ----------------------------------------------------------------------------------------


def test_an_officers_figures_show_what_is_released_and_a_unit_of_two_moves_at_once() -> None:
    book = booked([rated(5), rated(5, "u1.b"), rated(3)])
    assert (shown(book, OFFICER), shown(book, UNIT), shown(book, CITY)) == (5, 13, 13)


def test_a_unit_of_which_one_officer_alone_was_rated_follows_them_and_so_does_all_above() -> None:
    book = booked([rated(5), rated(3)])
    assert [shown(book, scope) for scope in (OFFICER, UNIT, Scope(Level.GROUP, "g1"), CITY)] == [5] * 4
    book.add(rated(1, "u1.b"))
    assert (shown(book, OFFICER), shown(book, UNIT), shown(book, CITY)) == (5, 9, 9)


def test_the_next_morning_what_waits_is_public_without_anything_being_written() -> None:
    book = booked([rated(5), rated(3)])
    morning = datetime(2017, 11, 24, 7, tzinfo=CITY_TIME)
    assert shown(book, OFFICER, now=morning - timedelta(seconds=1)) == 5
    assert shown(book, OFFICER, now=morning) == shown(book, UNIT, now=morning) == 8
    assert book.view(morning).mark(OFFICER) == Mark(1, morning)
    assert book.view(morning).mark(CITY) == Mark(1, morning)
    assert book.view(morning).morning()
    assert not book.view(morning - timedelta(seconds=1)).morning()


def test_what_is_shown_of_a_morning_is_what_the_first_rating_of_that_day_releases() -> None:
    book = booked([rated(5), rated(3)])
    morning = datetime(2017, 11, 24, 7, tzinfo=CITY_TIME)
    assert shown(book, OFFICER, now=morning) == shown(book.add(rated(1, days=1)), OFFICER, now=morning) == 8


def test_neither_revision_nor_time_tell_of_a_rating_that_is_not_released() -> None:
    book = booked([rated(5), rated(2)])
    before = [book.view().mark(scope) for scope in (OFFICER, UNIT, CITY)]
    documents = [book.view().of(scope, None) for scope in (OFFICER, UNIT, CITY)]
    book.add(rated(1))
    assert [book.view().mark(scope) for scope in (OFFICER, UNIT, CITY)] == before == [Mark(1, LONG_AGO)] * 3
    assert [book.view().of(scope, None) for scope in (OFFICER, UNIT, CITY)] == documents
    book.add(rated(2))
    assert book.view().mark(OFFICER).revision == 4


def test_what_decides_an_officers_figures_moves_with_their_colleagues_and_a_units_with_the_citys() -> None:
    book = booked([rated(5), rated(5, "u1.b"), rated(5, "u4.a")])
    view = book.view()
    assert view.decided(OFFICER).revision == 2
    assert view.decided(UNIT).revision == 3
    assert view.mark(UNIT) == view.mark(Scope(Level.GROUP, "g1")) == Mark(2, LONG_AGO)
    assert view.mark(CITY) == Mark(3, LONG_AGO)
    assert view.mark(Scope(Level.OFFICER, "nobody")) == view.mark(Scope(Level.UNIT, "nowhere")) == NEVER


def test_figures_of_fewer_than_the_threshold_are_not_shown_and_none_at_all_are_a_zero() -> None:
    book = booked([rated(2), rated(2, "u1.b"), rated(9, "u4.a"), rated(1, "u4.b")])
    assert book.view().of(UNIT, "1") == Published(suppressed=True, partial=True)
    assert shown(book, Scope(Level.UNIT, "nowhere")) == 0
    assert shown(book, Scope(Level.GROUP, "g2")) is None, "it would tell of the other group"
    assert shown(book, CITY) == 14


def asked(*choices: str) -> Scale:
    text = Text(vi="x", en="x")
    said = tuple(ScaleChoice(id=choice, text=text, points=n) for n, choice in enumerate(choices))
    question = ScaleQuestion(id="time", text=text, choices=said)
    return Scale(id="nine", title=text, kind=ScaleKind.POINTS, questions=(question,))


def answered(
    book: Book, choices: dict[str, int], edition: str | None = "1", unit: str = "u1"
) -> list[Answered]:
    counted = Counted({"1": [asked("good", "fair", "bad")]}, {("1", "nine", "time"): choices})
    return book.view().scales(unit, edition, counted)


@pytest.mark.parametrize(
    ("choices", "seen"),
    [
        ({"good": 15, "bad": 5}, True),
        ({"good": 20}, True),
        ({}, True),  # that nobody answered
        ({"good": 5, "fair": 5, "bad": 5}, True),
        ({"good": 16, "bad": 4}, False),
        ({"good": 17}, False),  # three did not answer
        ({"good": 4}, False),
        ({"good": 21, "bad": -1}, False),  # not counted from the beginning
        ({"good": 15, "other": 5}, False),  # what no edition asks
    ],
)
def test_a_further_question_is_shown_whole_or_not_at_all(choices: dict[str, int], seen: bool) -> None:
    book = booked([rated(10), rated(10, "u1.b")])
    (found,) = answered(book, choices)
    assert found.questions == ({"time": choices} if seen else {})


def test_no_further_question_is_shown_of_one_officers_unit_nor_of_one_that_is_not_shown() -> None:
    at_once = Publication(officer_batch=1)
    for book in (booked([rated(20)]), booked([rated(20)], at_once), booked([rated(2), rated(1, "u1.b")])):
        assert [found.questions for found in answered(book, {"good": 20})] == [{}]


def test_further_questions_are_of_the_editions_that_ask_them_where_the_unit_was_rated() -> None:
    book = booked([rated(10), rated(10, "u1.b"), rated(9, edition="2"), rated(9, "u2.a", edition="2")])
    assert [found.edition for found in answered(book, {"good": 20}, None)] == ["1"]
    assert (
        answered(book, {}, "2") == answered(book, {}, unit="u2") == answered(book, {}, unit="nowhere") == []
    )


def test_all_editions_are_the_sum_of_what_is_published_of_each() -> None:
    book = booked([rated(5), rated(5, "u1.b"), rated(2, edition="2")])
    book.add(rated(2, "u1.b", edition="2"))
    assert book.view().of(UNIT, None).partial
    assert shown(book, UNIT, None) == shown(book, UNIT, "1") == 10
    book.add(rated(1, "u1.b", edition="2"))
    assert shown(book, UNIT, None) == 15


def test_reasons_of_few_are_left_out_and_so_is_what_would_tell_them() -> None:
    batches = [
        [*rated(6, f"{unit}.{who}"), *rated(count, f"{unit}.{who}", said="late")]
        for unit, count in (("u1", 2), ("u2", 6), ("u3", 9))
        for who in "ab"
    ]
    book = booked(batches)
    late = {
        scope.id: book.view().of(scope, "1").counts.get((Measure.REASON, "late"))
        for scope in book.scopes(Level.UNIT)
    }
    assert late == {"u1": None, "u2": None, "u3": 18}
    assert book.view().of(UNIT, "1").left_out == {Measure.REASON}
    assert book.view().of(CITY, "1").counts[Measure.REASON, "late"] == 34
    assert book.view().of(CITY, "1").left_out == set()


def test_channels_are_what_units_show_and_of_officers_none() -> None:
    few = [accepted("u1.b", unit="u1", group="g1", edition="1", at=DAY, channel="kiosk") for _ in range(2)]
    book = booked([rated(8), rated(8, "u2.a"), rated(1, "u2.b"), few])
    view = book.view()
    assert items(view.of(UNIT, "1").counts, Measure.CHANNEL) == {}
    assert items(view.of(Scope(Level.GROUP, "g1"), "1").counts, Measure.CHANNEL) == {"portal": 9}
    assert view.of(CITY, "1").left_out == {Measure.CHANNEL}
    assert items(view.of(OFFICER, "1").counts, Measure.CHANNEL) == {}


@pytest.mark.parametrize("measure", PARTITIONS)
def test_all_lists_that_add_up_to_all_ratings_follow_one_rule(measure: Measure) -> None:
    def part(count: int, officer: str, hours: int, assurance: str, channel: str) -> list[Outcome]:
        at = DAY + timedelta(hours=hours)
        unit = officer.partition(".")[0]
        return [
            accepted(
                officer,
                unit=unit,
                group=UNITS[unit],
                edition="1",
                at=at,
                assurance=assurance,
                channel=channel,
            )
            for _ in range(count)
        ]

    book = booked([part(9, "u1.a", 0, "captcha", "portal"), part(7, "u1.b", 25, "phone_code", "kiosk")])
    book.add([*part(6, "u2.a", 0, "captcha", "portal"), *part(3, "u2.b", 25, "phone_code", "kiosk")])
    usual = {
        Measure.CHANNEL: ("portal", "kiosk"),
        Measure.ASSURANCE: ("captcha", "phone_code"),
        Measure.HOUR: ("10", "11"),
        Measure.WEEKDAY: ("4", "5"),
    }[measure]
    view = book.view()
    assert items(view.of(UNIT, "1").counts, measure) == dict(zip(usual, (9, 7), strict=True))
    assert items(view.of(Scope(Level.UNIT, "u2"), "1").counts, measure) == {}
    assert items(view.of(CITY, "1").counts, measure) == dict(zip(usual, (9, 7), strict=True))
    assert items(view.of(OFFICER, "1").counts, measure) == {}
    hidden_in = {scope.id for scope in book.above if measure in view.of(scope, "1").left_out}
    assert hidden_in == {"u1.a", "u1.b", "u2", "u2.a", "g1", "city"}, "of u2.b nothing is public"


def test_a_list_that_was_not_counted_from_the_beginning_is_left_out_until_it_is_made_again() -> None:
    book = booked([rated(9), rated(9, "u1.b")])
    for tally in [tally for tally in book.count if tally.measure is Measure.HOUR]:
        del book.count[tally]
    book.add(rated(9))
    shown = book.view().of(UNIT, "1")
    assert items(shown.counts, Measure.HOUR) == {}
    assert shown.left_out == {Measure.HOUR}


def test_days_are_hidden_with_others_of_their_weekday_for_those_are_public_too() -> None:
    book = booked(
        [rated(9), rated(9, "u1.b", days=1), rated(8, days=7), rated(2, days=14), rated(7, days=15)]
    )
    assert items(book.view().of(UNIT, "1").counts, Measure.WEEKDAY) == {"4": 19, "5": 16}
    hidden = [day.day for day, published in days_of(book, UNIT).items() if published.suppressed]
    assert hidden == [30, 7], "a Thursday with the Thursday of two, not the Friday that is smaller"


def test_a_range_of_days_is_the_sum_of_the_days_that_are_published() -> None:
    book = booked([rated(6), rated(6, "u1.b", days=1), rated(2, "u1.b", days=2), rated(7, days=3)])
    days = {day: None if p.suppressed else total(p.counts) for day, p in days_of(book, UNIT).items()}
    first = date(2017, 11, 23)
    assert days == {first: 6, date(2017, 11, 24): None, date(2017, 11, 25): None, date(2017, 11, 26): 7}
    between = book.view().between(UNIT, "1", first, date(2017, 11, 25), book.by_day())
    assert (total(between.counts), between.partial, between.suppressed) == (6, True, False)
    assert between.left_out == set(ITEMS)
    two = book.view().between(UNIT, "1", date(2017, 11, 24), date(2017, 11, 25), book.by_day())
    assert two.suppressed
    nothing = book.view().between(UNIT, "1", date(2016, 1, 1), date(2016, 1, 2), book.by_day())
    assert not nothing.suppressed
    for scope in (UNIT, Scope(Level.GROUP, "g1"), CITY):
        every = book.view().between(scope, "1", first, date(2017, 11, 26), book.by_day())
        assert total(every.counts) == 13, "the first and the last day are in it"
    assert book.view().between(Scope(Level.GROUP, "g2"), "1", first, date.max, book.by_day()).counts == {}


def test_a_range_of_an_edition_is_of_that_edition() -> None:
    book = booked([rated(6), rated(6, "u1.b"), rated(7, edition="2"), rated(7, "u1.b", edition="2")])
    counts = [
        total(book.view().between(UNIT, edition, date.min, date.max, book.by_day()).counts)
        for edition in EDITIONS
    ]
    assert counts == [26, 12, 14]
    assert book.view().days(UNIT, None, {}) == {}


def test_an_edition_of_which_no_policy_is_known_has_the_usual_one() -> None:
    stored = replace(booked([rated(6), rated(4, "u1.b")]).view().stored, policies={})
    shown = [View(stored, LONG_AGO).of(scope, "1") for scope in (OFFICER, UNIT)]
    assert [total(published.counts) for published in shown] == [5, 10]


def test_an_officers_days_are_not_shown() -> None:
    book = booked([rated(60)])
    assert book.view().day_scopes(OFFICER) == []
    assert book.view().between(OFFICER, None, date.min, date.max, book.by_day()) == NO_DAYS


def test_the_days_of_a_unit_with_one_officer_are_not_shown_for_batches_end_within_days() -> None:
    book = booked([rated(5), rated(1), rated(4, days=1), rated(9, days=2)])
    assert book.view().day_scopes(UNIT) == [OFFICER]
    for scope in (UNIT, CITY):
        days = days_of(book, scope)
        assert [published.suppressed for published in days.values()] == [True] * 3
    assert book.view().between(UNIT, "1", date.min, date.max, book.by_day()).suppressed
    book.add(rated(1, "u1.b"))
    assert days_of(book, UNIT)[date(2017, 11, 25)] != Published(suppressed=True, partial=True)


@pytest.mark.parametrize("edition", EDITIONS[:2])
def test_whoever_may_see_everything_does(edition: str | None) -> None:
    book = booked([rated(3, said="late"), [rejected("u1.a", unit="u1", at=DAY)]])
    view = book.view(everything=True)
    for scope in (OFFICER, UNIT, CITY):
        assert total(view.of(scope, edition).counts) == 3
        assert view.of(scope, edition).counts[Measure.REASON, "late"] == 3
    for measure in PARTITIONS:
        assert list(items(view.of(UNIT, edition).counts, measure).values()) == [3]


def test_whoever_may_see_everything_sees_an_officer_s_channels_days_and_last_rating_too() -> None:
    book = booked([rated(5), rated(1, days=1, said="late")])
    view = book.view(everything=True)
    assert view.of(OFFICER, "1").counts[Measure.CHANNEL, "portal"] == 6
    assert view.of(OFFICER, "1").left_out == frozenset()
    assert view.day_scopes(OFFICER) == [OFFICER]
    days = view.days(OFFICER, None, book.by_day())
    assert {day: total(each.counts) for day, each in days.items()} == {
        date(2017, 11, 23): 5,
        date(2017, 11, 24): 1,
    }
    span = (date(2017, 11, 24), date(2017, 11, 24))
    assert total(view.between(OFFICER, "1", *span, book.by_day()).counts) == 1
    assert (view.mark(OFFICER), book.view().mark(OFFICER)) == (Mark(2, LONG_AGO), Mark(1, LONG_AGO))


def test_with_batches_of_one_and_no_threshold_everything_is_public_at_once() -> None:
    book = booked([rated(1)], Publication(officer_batch=1, suppress_below=1))
    assert (shown(book, OFFICER), shown(book, UNIT), shown(book, CITY)) == (1, 1, 1)
    assert {total(p.counts) for p in days_of(book, UNIT).values()} == {1}


# --- for any city --------------------------------------------------------------------------------------


@st.composite
def logs(draw: st.DrawFn) -> list[Outcome]:
    outcomes: list[Outcome] = []
    standing: list[RatingAccepted] = []
    at = DAY
    for _ in range(draw(st.integers(0, 12))):  # in bursts, so that some cells are large and some small
        at += timedelta(hours=draw(st.integers(0, 30)) + draw(st.sampled_from([0, 0, 0, 7 * 24])))
        unit = draw(st.sampled_from(sorted(UNITS)))
        officer = f"{unit}.{draw(st.sampled_from('ab'))}"
        said = draw(st.sampled_from(["", "", "late", "rude"]))
        for _ in range(draw(st.integers(1, 8))):
            if draw(st.integers(0, 9)) == 0:
                outcomes.append(rejected(officer, unit=unit, at=at))
                continue
            if standing and draw(st.integers(0, 11)) == 0:
                outcomes.append(taken_back(standing.pop(draw(st.integers(0, len(standing) - 1))), at))
                continue
            standing.append(
                accepted(
                    officer,
                    unit=unit,
                    group=UNITS[unit],
                    at=at,
                    edition=draw(st.sampled_from(["1", "1", "1", "2"])),
                    channel=draw(st.sampled_from(["portal", "portal", "kiosk"])),
                    assurance=draw(st.sampled_from(["captcha", "captcha", "phone_code"])),
                    answer="not_satisfied" if said else "satisfied",
                    reasons=[said] * bool(said),
                )
            )
            outcomes.append(standing[-1])
    return [o.model_copy(update={"group_id": UNITS[o.unit_id]}) for o in outcomes]


def days_of(book: Book, scope: Scope, edition: str | None = "1") -> dict[date, Published]:
    return book.view().days(scope, edition, book.by_day())


def families(book: Book) -> Iterator[tuple[Scope, list[Scope]]]:
    for scope in book.above:
        below = scope.level.children
        if below is not None:
            yield scope, [child for child in book.scopes(below) if book.above[child] == scope.id]


def safe(count: int) -> bool:
    return count == 0 or count >= BELOW


def number(counts: Counts, key: tuple[Measure, str] | None) -> int:
    return total(counts) if key is None else counts.get(key, 0)


KEYS = (None, (Measure.REASON, "late"), (Measure.REASON, "rude"), (Measure.REJECTION, "duplicate"))


@settings(deadline=None)
@given(logs(), st.sampled_from(EDITIONS[1:]), st.sampled_from(KEYS))
def test_no_difference_between_a_place_and_what_is_in_it_is_of_few(
    log: list[Outcome], edition: str, key: tuple[Measure, str] | None
) -> None:
    """Of a unit and its officers: but for what is not released, which is of nobody in particular."""
    book = booked([log] if log else [])
    view = book.view()
    for parent, children in families(book):
        above = number(view.of(parent, edition).counts, key)
        below = {child: number(view.of(child, edition).counts, key) for child in children}
        assert safe(above)
        assert all(safe(count) for count in below.values())
        if not above:
            assert not any(below.values())
        elif parent.level is Level.UNIT:
            released = {o: number(book.tallied(o, edition).released, key) for o in children}
            secret = sum(count for officer, count in released.items() if not below[officer])
            assert safe(secret) or not any(below.values())
        else:
            assert safe(above - sum(below.values()))


@settings(deadline=None)
@given(logs())
def test_no_difference_between_editions_is_of_few(log: list[Outcome]) -> None:
    book = booked([log] if log else [])
    view = book.view()
    for scope in book.above:
        parts = [total(view.of(scope, edition).counts) for edition in ("1", "2")]
        assert total(view.of(scope, None).counts) == sum(parts)
        assert all(safe(part) for part in parts)


@settings(deadline=None)
@given(logs(), st.sampled_from(EDITIONS[1:]))
def test_no_difference_between_days_or_between_them_and_all_of_them_is_of_few(
    log: list[Outcome], edition: str
) -> None:
    book = booked([log] if log else [])
    view = book.view()
    by_unit = {unit: days_of(book, unit, edition) for unit in book.scopes(Level.UNIT)}
    for unit, days in by_unit.items():
        assert all(safe(total(published.counts)) for published in days.values())
        if not view.of(unit, edition).suppressed:
            assert safe(total(view.of(unit, edition).counts) - sum(total(d.counts) for d in days.values()))
        else:
            assert all(published.suppressed for published in days.values())
    for scope in [*book.scopes(Level.GROUP), CITY]:
        below = [u for u in by_unit if scope == CITY or book.above[u] == scope.id]
        for day, published in days_of(book, scope, edition).items():
            parts = [total(by_unit[unit][day].counts) for unit in below if day in by_unit[unit]]
            assert total(published.counts) == sum(parts)


@settings(deadline=None)
@given(logs())
def test_no_difference_between_channels_and_ratings_is_of_few(log: list[Outcome]) -> None:
    book = booked([log] if log else [])
    view = book.view()
    shown = {scope: view.of(scope, "1").counts for scope in book.above if scope.level is not Level.OFFICER}
    for scope, measure in itertools.product(shown, PARTITIONS):
        parts = items(shown[scope], measure)
        assert all(safe(count) for count in parts.values())
        assert safe(total(shown[scope]) - sum(parts.values()))
        if scope.level is not Level.UNIT:
            below: Counter[str] = Counter()
            for unit in book.scopes(Level.UNIT):
                if scope == CITY or book.above[unit] == scope.id:
                    below.update(items(shown[unit], measure))
            assert parts == below


@settings(deadline=None)
@given(logs(), st.sampled_from(EDITIONS[1:]))
def test_no_difference_between_weekdays_and_their_days_is_of_few(log: list[Outcome], edition: str) -> None:
    book = booked([log] if log else [])
    view = book.view()
    for scope in [scope for scope in book.above if scope.level is not Level.OFFICER]:
        weekdays = items(view.of(scope, edition).counts, Measure.WEEKDAY)
        days: Counter[str] = Counter()
        for day, published in days_of(book, scope, edition).items():
            days[weekday(day)] += total(published.counts)
        assert all(safe(count - days[each]) for each, count in weekdays.items())
        assert all(count == 0 or each in weekdays for each, count in days.items())


@settings(deadline=None, max_examples=30)
@given(logs())
def test_what_is_public_of_an_officer_moves_only_when_enough_is_released(log: list[Outcome]) -> None:
    """Their figures and marks; and those of a unit that is one officer."""
    book = Book()
    seen: dict[Scope, tuple[int, Mark]] = {}
    for outcome in log:
        book.add([outcome])
        view = book.view()
        for officer in book.scopes(Level.OFFICER):
            count = sum(total(book.tallied(officer, edition).released) for edition in ("1", "2", "2017"))
            before, mark = seen.get(officer, (0, NEVER))
            moved = count - before
            assert moved == 0 or abs(moved) >= 3
            assert (view.mark(officer) == mark) or moved or isinstance(outcome, RatingRejected)
            seen[officer] = count, view.mark(officer)


@given(logs(), st.sampled_from(EDITIONS))
def test_a_unit_with_what_merged_into_it_is_the_sum_of_what_is_published_of_each(
    log: list[Outcome], edition: str | None
) -> None:
    book = booked([log])
    units = [Scope(Level.UNIT, unit) for unit in UNITS]
    heir, *predecessors = units
    joined = View(book.view().stored, LONG_AGO, merged={heir.id: [unit.id for unit in predecessors]})
    alone = [book.view().of(unit, edition) for unit in units]
    shown = joined.of(heir, edition)
    for key in {key for each in alone for key in each.counts}:
        assert shown.counts.get(key, 0) == sum(each.counts.get(key, 0) for each in alone)
    assert shown.partial == any(each.partial for each in alone)
    days = joined.days(heir, edition, book.by_day())
    for day in {day for unit in units for day in days_of(book, unit, edition)}:
        parts = [days_of(book, unit, edition).get(day, Published()) for unit in units]
        assert total(days[day].counts) == sum(total(part.counts) for part in parts)
        assert days[day].partial == any(part.partial for part in parts)
    assert joined.mark(heir).revision == max(book.view().mark(unit).revision for unit in units)
    assert joined.of(predecessors[0], edition) == book.view().of(predecessors[0], edition)
