from datetime import date
from pathlib import Path
from typing import Any

import pytest

from contracts.events import (
    EditionPublished,
    Instrument,
    Reason,
    Scale,
    ScaleAnswer,
    ScaleChoice,
    ScaleKind,
    ScaleQuestion,
    SealingKey,
)
from services.intake.adapters.files import FileInvalid, read_files
from services.intake.domain import editions, instruments
from services.intake.domain.changes import Impossible
from services.intake.domain.rating import Sound, judge
from services.intake.submitting import _canonical
from tests.support.intake import PUBLIC_KEY, TODAY, directory, edition, officer, rating, text, unit

SHIPPED = Path(__file__).parents[3] / "data" / "instruments"


def question(question_id: str, **changes: Any) -> ScaleQuestion:
    choices = tuple(
        ScaleChoice(id=each, text=text(each), points=points) for points, each in enumerate(("bad", "good"))
    )
    return ScaleQuestion(id=question_id, text=text(question_id), choices=choices).model_copy(update=changes)


def scale(scale_id: str = "nine", *questions: ScaleQuestion) -> Scale:
    asked = questions or (question("time"), question("staff"))
    return Scale(id=scale_id, title=text(scale_id), kind=ScaleKind.POINTS, questions=asked)


def with_praise(*scales: Scale) -> EditionPublished:
    """Both answers ask for reasons, the satisfied for praise, which may be left out."""
    plain = edition()
    satisfied, not_satisfied = plain.instrument.answers
    instrument = plain.instrument.model_copy(
        update={
            "answers": (
                satisfied.model_copy(update={"asks_reasons": True, "reasons_optional": True}),
                not_satisfied,
            ),
            "reasons": (
                Reason(id="late", text=text("Trễ"), answers=("not_satisfied",)),
                Reason(id="quick", text=text("Nhanh"), answers=("satisfied",)),
                Reason(id="other", text=text("Khác")),
            ),
            "scales": scales or (scale(),),
        }
    )
    return plain.model_copy(update={"instrument": instrument})


def said(*answers: str) -> list[ScaleAnswer]:
    parts = [each.split("/") for each in answers]
    return [ScaleAnswer.model_construct(scale=s, question=q, choice=c) for s, q, c in parts]


def judged(**changes: Any) -> object:
    found = judge(rating(**changes), directory(unit(), officer(), with_praise()), TODAY)
    return {(fault.pointer, fault.code) for fault in found} if isinstance(found, list) else found


@pytest.mark.parametrize(
    ("answers", "pointer", "code"),
    [
        (["ten/time/good"], "/scale_answers/0/scale", "scale_unknown"),
        (["nine/time/good", "nine/Thời gian/good"], "/scale_answers/1/question", "scale_question_unknown"),
        (["nine/time/best"], "/scale_answers/0/choice", "scale_choice_unknown"),
        (["nine/time/good", "nine/time/bad"], "/scale_answers/1", "scale_question_repeated"),
    ],
)
def test_an_answer_to_a_scale_has_to_be_one(answers: list[str], pointer: str, code: str) -> None:
    assert judged(scale_answers=said(*answers)) == {(pointer, code)}


def test_nobody_has_to_answer_a_scale_and_some_of_it_is_enough() -> None:
    assert isinstance(judged(), Sound)
    assert isinstance(judged(scale_answers=said("nine/staff/bad")), Sound)


@pytest.mark.parametrize(
    ("answer", "reasons", "wrong"),
    [
        ("satisfied", [], set()),
        ("satisfied", ["quick", "other"], set()),
        ("satisfied", ["late"], {("/reasons/0", "reason_of_another")}),
        ("not_satisfied", [], {("/reasons", "reasons_missing")}),
        ("not_satisfied", ["late", "other"], set()),
        ("not_satisfied", ["quick"], {("/reasons/0", "reason_of_another")}),
        ("not_satisfied", ["slow"], {("/reasons/0", "reason_unknown")}),
    ],
)
def test_reasons_are_for_the_answer_given(answer: str, reasons: list[str], wrong: set[Any]) -> None:
    found = judged(answer=answer, reasons=reasons)
    assert found == wrong if wrong else isinstance(found, Sound)


def test_a_body_is_another_where_the_answers_to_scales_are_others_in_whatever_order() -> None:
    sound = judged()
    assert isinstance(sound, Sound)
    bodies = [
        _canonical(rating(scale_answers=said(*answers)), sound)
        for answers in (
            ["nine/time/good", "nine/staff/bad"],
            ["nine/staff/bad", "nine/time/good"],
            ["nine/time/bad", "nine/staff/bad"],
        )
    ]
    assert bodies[0] == bodies[1] != bodies[2]
    assert "scale_answers" not in _canonical(rating(), sound), (
        "keys of bodies without scales are as they were"
    )


def refused(instrument: Instrument) -> set[tuple[str, str]]:
    return {(flaw.field, flaw.code) for flaw in instruments.flaws(instrument)}


@pytest.mark.parametrize(
    ("scales", "code"),
    [
        ([scale(), scale()], "there_twice"),
        ([scale("a", question("q"), question("q"))], "there_twice"),
        ([scale("a", question("q", choices=question("q").choices * 2))], "there_twice"),
        ([scale("a", *(question(f"q{n}") for n in range(21)))], "too_many_questions"),
    ],
)
def test_scales_that_cannot_be_asked_are_named(scales: list[Scale], code: str) -> None:
    assert refused(with_praise(*scales).instrument) == {("scales", code)}


def test_a_reason_has_to_be_for_an_answer_that_asks() -> None:
    instrument = with_praise().instrument
    stray = (*instrument.reasons, Reason(id="stray", text=text("?"), answers=("perhaps",)))
    assert refused(instrument.model_copy(update={"reasons": stray})) == {("reasons", "reason_of_no_answer")}
    praise_alone = tuple(reason for reason in instrument.reasons if reason.id == "quick")
    assert refused(instrument.model_copy(update={"reasons": praise_alone})) == {
        ("reasons", "reasons_missing")
    }


def test_once_an_edition_is_open_its_scales_ask_what_they_asked() -> None:
    present = with_praise()
    known = directory(unit(), officer(), present)

    def publish(*scales: Scale) -> None:
        instrument = present.instrument.model_copy(update={"scales": scales})
        editions.published(known, present.model_copy(update={"instrument": instrument}), TODAY)

    mended = question("time", text=text("Thời gian giải quyết"))
    publish(scale("nine", mended, question("staff")))
    publish(scale(), scale("more"))
    for changed in ((), (scale("nine", question("time")),)):
        with pytest.raises(Impossible) as error:
            publish(*changed)
        assert [flaw.code for flaw in error.value.flaws] == ["scales_fixed"]


@pytest.mark.parametrize(
    ("name", "asked"),
    [("two-answer", []), ("nine-indicators", [9]), ("five-levels", [5])],
)
def test_the_instruments_that_are_shipped_can_be_published(name: str, asked: list[int]) -> None:
    key = SealingKey(key_id=f"2027-{name}-1", public_key=PUBLIC_KEY)
    [published] = read_files([SHIPPED / f"{name}.yaml"], key).values()
    assert isinstance(published, EditionPublished)
    assert [len(each.questions) for each in published.instrument.scales] == asked
    assert editions.published(directory(), published, date(2027, 1, 1))
    for each in published.instrument.scales:
        points = {tuple(choice.points for choice in question.choices) for question in each.questions}
        assert points == {(2, 1, 0) if name == "nine-indicators" else (5, 4, 3, 2, 1)}


def test_a_file_says_what_is_wrong_with_its_scales(tmp_path: Path) -> None:
    file = tmp_path / "edition.yaml"
    content = (SHIPPED / "five-levels.yaml").read_text()
    key = SealingKey(key_id="2027-five-levels-1", public_key=PUBLIC_KEY)
    file.write_text(content.replace("- id: procedures", "- id: access"))
    with pytest.raises(FileInvalid, match="five_levels/access"):
        read_files([file], key)
    file.write_text(content.replace(', en: "Satisfaction with five parts of the service"', ""))
    with pytest.raises(FileInvalid, match=r"scales\[0\]\.title\.en"):
        read_files([file], key)
