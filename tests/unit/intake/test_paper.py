"""Paper forms: numbers, two people who enter each, files, and what is sent of it."""

from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import pytest

from contracts.events import (
    EditionPublished,
    Policy,
    RatingSubmitted,
    Scale,
    ScaleChoice,
    ScaleKind,
    ScaleQuestion,
    Vouching,
)
from contracts.topics import OFFICE_ACTIONS, RATING_SUBMISSIONS
from services.intake.adapters.tables import FORMS_TABLE, read_table
from services.intake.domain import form_numbers, units
from services.intake.domain.changes import Impossible, with_changes
from services.intake.domain.paper import Content, Standing
from services.intake.office import Actor
from services.intake.ports import NotKept
from tests.support.intake import OFFICER, TODAY, UNIT, directory, edition, officer, text, unit
from tests.support.office import LedgerForms, MemoryLedger, paper, rows

LAN, MINH, HOA = (Actor(letter * 32, "survey-office", "api") for letter in "abc")
DAY = date(2026, 11, 20)
FIRST, SECOND = form_numbers.written(1), form_numbers.written(2)
SCALE = Scale(
    id="five",
    title=text("Năm mức"),
    kind=ScaleKind.LEVELS,
    questions=(
        ScaleQuestion(
            id="access",
            text=text("Tiếp cận"),
            choices=(
                ScaleChoice(id="good", text=text("Tốt"), points=5),
                ScaleChoice(id="bad", text=text("Kém"), points=1),
            ),
        ),
    ),
)


def taking_paper(**changes: Any) -> EditionPublished:
    asked = edition().instrument.model_copy(update={"scales": (SCALE,)})
    return edition(policy=Policy(vouching=(Vouching.PAPER,)), instrument=asked, **changes)


def read(answer: str = "satisfied", *reasons: str, day: date = DAY, access: str = "") -> Content:
    scales = frozenset({("five", "access", access)}) if access else frozenset()
    return Content(answer, frozenset(reasons), scales, day)


@pytest.fixture
async def ledger() -> MemoryLedger:
    there = MemoryLedger(directory(unit(), officer(), taking_paper()).by_key())
    await paper(there).issue(LAN, OFFICER, 100)
    return there


def standing(ledger: MemoryLedger, number: str = FIRST) -> Standing:
    form = LedgerForms(ledger).forms.form(number)
    assert form is not None
    return form.standing


async def refused(
    ledger: MemoryLedger, content: Content, *, by: Actor = LAN, number: str = FIRST
) -> list[str]:
    before = list(ledger.written)
    with pytest.raises(Impossible) as caught:
        await paper(ledger).enter(by, number, content)
    assert ledger.written == before
    return [flaw.code for flaw in caught.value.flaws]


def test_a_wrong_digit_and_two_exchanged_ones_show() -> None:
    for count in (1, 12, 1203, 87_654_321):
        number = form_numbers.written(count)
        assert form_numbers.read(number) == number
        for at, digit in enumerate(number):
            others = set("0123456789") - {digit}
            assert all(form_numbers.read(number[:at] + o + number[at + 1 :]) is None for o in others)
        for at, (one, two) in enumerate(pairwise(number)):
            exchanged = number[:at] + two + one + number[at + 2 :]
            assert one == two or form_numbers.read(exchanged) is None


def test_a_number_is_read_however_it_is_spaced_and_without_its_zeros() -> None:
    assert form_numbers.read(" 000 000 013") == form_numbers.read("13") == FIRST
    for typed in ("", "0", "000000000", "x", "00000001", "1000000013", "²³"):
        assert form_numbers.read(typed) is None, typed


async def test_numbers_are_issued_once_and_each_belongs_to_an_officer(ledger: MemoryLedger) -> None:
    run = await paper(ledger).issue(MINH, OFFICER, 3)
    assert (run.first, run.count, run.edition_id) == (101, 3, "2026")
    forms = LedgerForms(ledger).forms
    assert forms.form(form_numbers.written(103)) is not None
    assert forms.form(form_numbers.written(104)) is None
    assert forms.standings(run)[Standing.ISSUED] == 3
    assert [each.action for each in ledger.actions] == ["forms_issued", "forms_issued"]
    assert ledger.actions[-1].actor == MINH.subject


@pytest.mark.parametrize(
    ("there", "code"),
    [
        (directory(), "paper_not_allowed"),
        (directory(unit(), officer()), "no_edition_open"),
        (directory(unit(), taking_paper()), "officer_unknown"),
        (directory(unit(), officer(active_until=TODAY), taking_paper()), "officer_ended"),
    ],
)
async def test_no_forms_are_issued_that_could_not_count(there: Any, code: str) -> None:
    with pytest.raises(Impossible) as caught:
        await paper(MemoryLedger(there.by_key())).issue(LAN, OFFICER, 1)
    assert [flaw.code for flaw in caught.value.flaws] == [code]


async def test_what_two_people_read_alike_counts_once_and_says_who_they_were(ledger: MemoryLedger) -> None:
    content = read("not_satisfied", "late", access="bad")
    assert await paper(ledger).enter(LAN, FIRST, content) is Standing.ENTERED
    assert ledger.ratings == []
    assert await paper(ledger).enter(MINH, FIRST, content) is Standing.COUNTED
    [rating] = ledger.ratings
    assert (rating.channel, rating.vouched_by, rating.phone, rating.phone_pseudonym) == (
        "paper",
        Vouching.PAPER,
        None,
        None,
    )
    assert rating.form is not None
    assert (rating.form.number, rating.form.entered_by) == (FIRST, (LAN.subject, MINH.subject))
    assert (rating.unit_id, rating.officer_id, rating.reasons) == (UNIT, OFFICER, ("late",))
    assert [(each.question, each.choice) for each in rating.scale_answers] == [("access", "bad")]
    assert rating.submitted_at == datetime(2026, 11, 20, 5, 0, tzinfo=UTC)  # noon in the city
    assert [topic for topic, _ in ledger.written[-3:]] == [
        OFFICE_ACTIONS.name,
        RATING_SUBMISSIONS.name,
        OFFICE_ACTIONS.name,
    ]


async def test_one_person_alone_cannot_make_a_form_count(ledger: MemoryLedger) -> None:
    for content in (read(), read(), read("not_satisfied", "late")):
        await paper(ledger).enter(LAN, FIRST, content)
        assert standing(ledger) is Standing.ENTERED
    assert ledger.ratings == []


async def test_what_differs_is_shown_by_field_and_a_third_settles_it(ledger: MemoryLedger) -> None:
    await paper(ledger).enter(LAN, FIRST, read("not_satisfied", "late", "other"))
    assert (await paper(ledger).enter(MINH, FIRST, read("not_satisfied", "late"))) is Standing.DIFFERS
    form = LedgerForms(ledger).forms.form(FIRST)
    assert form is not None
    assert form.differences == {"reasons": {LAN.subject: "late, other", MINH.subject: "late"}}
    assert await paper(ledger).enter(HOA, FIRST, read("not_satisfied", "late")) is Standing.COUNTED
    [rating] = ledger.ratings
    assert rating.form is not None
    assert rating.form.entered_by == (MINH.subject, HOA.subject)


async def test_either_of_them_settles_it_by_looking_again(ledger: MemoryLedger) -> None:
    await paper(ledger).enter(LAN, FIRST, read())
    await paper(ledger).enter(MINH, FIRST, read(day=TODAY))
    assert await paper(ledger).enter(LAN, FIRST, read(day=TODAY)) is Standing.COUNTED
    [rating] = ledger.ratings
    assert rating.form is not None
    assert rating.form.entered_by == (MINH.subject, LAN.subject)
    assert rating.submitted_at == datetime(2026, 11, 23, 3, 0, tzinfo=UTC)  # now: its noon is to come


async def test_a_form_that_counts_changes_no_more_and_repeating_it_writes_nothing(
    ledger: MemoryLedger,
) -> None:
    for by in (LAN, MINH):
        await paper(ledger).enter(by, FIRST, read())
    written = len(ledger.written)
    assert await paper(ledger).enter(HOA, FIRST, read()) is Standing.COUNTED
    assert len(ledger.written) == written
    assert await refused(ledger, read("not_satisfied", "late"), by=HOA) == ["form_counted_otherwise"]


async def test_whatever_was_read_a_form_has_one_token(ledger: MemoryLedger) -> None:
    """So that verification counts one, should two ratings of a form ever come in."""

    async def sent(content: Content) -> RatingSubmitted:
        other = MemoryLedger(dict(ledger.there), written=list(ledger.written))
        for by in (LAN, MINH):
            await paper(other).enter(by, FIRST, content)
        return other.ratings[0]

    one, two, again = await sent(read()), await sent(read(day=TODAY)), await sent(read())
    assert one.idempotency_token == two.idempotency_token
    assert one.rating_id != two.rating_id
    assert one == again


async def test_what_cannot_stand_on_a_form_is_refused(ledger: MemoryLedger) -> None:
    assert await refused(ledger, read("maybe")) == ["form_answer_unknown"]
    assert await refused(ledger, read("not_satisfied")) == ["form_reasons_missing"]
    assert await refused(ledger, read("satisfied", "late")) == ["form_reasons_unknown"]
    assert await refused(ledger, read("not_satisfied", "x")) == ["form_reasons_unknown"]
    assert await refused(ledger, read(access="middling")) == ["form_scale_answer_unknown"]
    assert await refused(ledger, read(day=date(2026, 11, 24))) == ["form_day_outside"]
    assert await refused(ledger, read(day=date(2025, 12, 31))) == ["form_day_outside"]
    assert await refused(ledger, read(), number=form_numbers.written(101)) == ["form_unknown"]


async def test_a_form_of_an_officer_who_has_moved_counts_where_it_was_given(ledger: MemoryLedger) -> None:
    other = unit("so-noi-vu", "Sở Nội vụ")
    city = directory(unit(), other, officer(), taking_paper())
    ledger.there = with_changes(city, units.moved(city, OFFICER, "so-noi-vu", TODAY)).by_key()
    assert await refused(ledger, read(day=TODAY)) == ["form_officer_not_active"]
    for by in (LAN, MINH):
        await paper(ledger).enter(by, FIRST, read())
    assert [each.unit_id for each in ledger.ratings] == [UNIT]


async def test_an_edition_that_stops_taking_paper_takes_none(ledger: MemoryLedger) -> None:
    ledger.there["edition:2026"] = edition()
    assert await refused(ledger, read()) == ["paper_not_allowed"]


async def test_the_trail_says_who_entered_which_form_and_not_what(ledger: MemoryLedger) -> None:
    for by in (LAN, MINH):
        await paper(ledger).enter(by, FIRST, read("not_satisfied", "late"))
    said = ledger.actions[-2:]
    assert [(each.action, each.target, each.actor) for each in said] == [
        ("form_entered", f"form:{FIRST}", LAN.subject),
        ("form_entered", f"form:{FIRST}", MINH.subject),
    ]
    assert [each.changes[0].change for each in said] == ["form_entered", "form_counted"]
    assert not any(word in each.model_dump_json() for each in said for word in ("satisfied", "late"))


async def test_what_is_not_confirmed_counts_neither_here_nor_there(ledger: MemoryLedger) -> None:
    await paper(ledger).enter(LAN, FIRST, read())
    ledger.away = True
    with pytest.raises(NotKept):
        await paper(ledger).enter(MINH, FIRST, read())
    assert (standing(ledger), ledger.ratings) == (Standing.ENTERED, [])


def line(number: str, **cells: str) -> dict[str, str]:
    return {"number": number, "given_on": "20/11/2026", "answer": "satisfied", "reasons": "", **cells}


async def test_a_file_counts_once_however_often_it_comes_and_goes_on_where_it_broke_off(
    ledger: MemoryLedger,
) -> None:
    file = rows(*(line(form_numbers.written(each)) for each in range(1, 8)))
    told: list[tuple[int, int]] = []
    first = await paper(ledger).import_rows(LAN, file, most=3, advance=lambda *said: told.append(said))
    assert (first.counted, first.left, told) == (3, 4, [(3, 7)])
    rest = await paper(ledger).import_rows(MINH, file, most=100)
    assert (rest.counted, rest.left) == (4, 0)
    again = await paper(ledger).import_rows(LAN, file, most=100)
    assert (again.counted, again.left) == (0, 0)
    numbers = [each.form.number for each in ledger.ratings if each.form]
    assert (len(numbers), len(set(numbers))) == (7, 7)
    assert [each.action for each in ledger.actions] == ["forms_issued", "forms_imported", "forms_imported"]


async def test_a_row_is_wrong_by_itself_and_then_no_row_counts(ledger: MemoryLedger) -> None:
    await paper(ledger).enter(LAN, FIRST, read("not_satisfied", "late"))
    for by in (LAN, MINH):
        await paper(ledger).enter(by, SECOND, read())
    counted, third = len(ledger.ratings), form_numbers.written(3)
    file = rows(
        line(FIRST),
        line(SECOND, given_on="2026-11-21"),
        line("000000014"),
        line(form_numbers.written(900)),
        line(third, answer="Chưa hài lòng", reasons="late; other"),
        line(third),
        line(form_numbers.written(4), given_on=""),
        line(form_numbers.written(5), **{"five.access": "middling"}),
    )
    with pytest.raises(Impossible) as caught:
        await paper(ledger).import_rows(HOA, file, most=100)
    assert [(flaw.row, flaw.code) for flaw in caught.value.flaws] == [
        (2, "form_entered_otherwise"),
        (3, "form_counted_otherwise"),
        (4, "form_number_invalid"),
        (5, "form_unknown"),
        (7, "there_twice"),
        (8, "cell_missing"),
        (9, "form_scale_answer_unknown"),
    ]
    assert len(ledger.ratings) == counted


async def test_a_file_confirms_what_somebody_entered_and_takes_answers_as_they_are_printed(
    ledger: MemoryLedger,
) -> None:
    await paper(ledger).enter(LAN, FIRST, read("not_satisfied", "late", access="good"))
    content = "number;given_on;answer;reasons;five.access\n13;20/11/2026;chưa hài lòng;late;good\n".encode()
    done = await paper(ledger).import_rows(MINH, read_table(content, FORMS_TABLE), most=10)
    assert done.counted == 1
    [rating] = ledger.ratings
    assert rating.form is not None
    assert rating.form.entered_by == (LAN.subject, MINH.subject)
    with pytest.raises(Impossible) as caught:
        read_table(b"number,given_on,answer,phone\n", FORMS_TABLE)
    assert [flaw.code for flaw in caught.value.flaws] == ["column_unknown"]
