"""What an instrument asks: what it has to be, and what is wrong with answers to it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from contracts.events import AnswerChoice, Instrument, Reason, Scale, ScaleAnswer
from services.intake.domain.changes import Flaw

MOST_QUESTIONS = 20
"""Of all scales: nobody answers more at a desk, and a citizen's cookie holds no more."""
MOST_CHOICES = 11


def reasons_of(instrument: Instrument, choice: AnswerChoice) -> list[Reason]:
    """The reasons that can be given for an answer; none for one that does not ask."""
    if not choice.asks_reasons:
        return []
    return [reason for reason in instrument.reasons if not reason.answers or choice.id in reason.answers]


def flaws(instrument: Instrument) -> Iterator[Flaw]:
    answers, reasons = instrument.answers, instrument.reasons
    for each in twice(answer.id for answer in answers):
        yield Flaw("there_twice", "answers", values={"id": each})
    for each in twice(reason.id for reason in reasons):
        yield Flaw("there_twice", "reasons", values={"id": each})
    if any(answer.asks_reasons and not reasons_of(instrument, answer) for answer in answers):
        yield Flaw("reasons_missing", "reasons")
    asking = {answer.id for answer in answers if answer.asks_reasons}
    for reason in reasons:
        if not asking.issuperset(reason.answers):
            yield Flaw("reason_of_no_answer", "reasons", values={"id": reason.id})
    yield from _scale_flaws(instrument.scales)


def _scale_flaws(scales: Sequence[Scale]) -> Iterator[Flaw]:
    for each in twice(scale.id for scale in scales):
        yield Flaw("there_twice", "scales", values={"id": each})
    questions = [question for scale in scales for question in scale.questions]
    if len(questions) > MOST_QUESTIONS:
        yield Flaw("too_many_questions", "scales", values={"most": str(MOST_QUESTIONS)})
    for scale in scales:
        for each in twice(question.id for question in scale.questions):
            yield Flaw("there_twice", "scales", values={"id": f"{scale.id}/{each}"})
    for question in questions:
        for each in twice(choice.id for choice in question.choices):
            yield Flaw("there_twice", "scales", values={"id": f"{question.id}/{each}"})
        if len(question.choices) > MOST_CHOICES:
            yield Flaw("too_many_choices", "scales", values={"id": question.id, "most": str(MOST_CHOICES)})


def changed_scales(present: Instrument, instrument: Instrument) -> list[str]:
    """Scales that ask something else than they did, or are gone: their texts alone may be mended."""
    after = {scale.id: _asked(scale) for scale in instrument.scales}
    return [scale.id for scale in present.scales if after.get(scale.id) != _asked(scale)]


def _asked(scale: Scale) -> object:
    return scale.kind, [
        (question.id, [(choice.id, choice.points) for choice in question.choices])
        for question in scale.questions
    ]


def answer_faults(answers: Sequence[ScaleAnswer], instrument: Instrument) -> Iterator[tuple[str, str]]:
    """Pointers and codes of what is wrong with answers to its scales. Nobody has to answer any."""
    scales = {scale.id: scale for scale in instrument.scales}
    seen: set[tuple[str, str]] = set()
    for place, answer in enumerate(answers):
        at, scale = f"/scale_answers/{place}", scales.get(answer.scale)
        if scale is None:
            yield f"{at}/scale", "scale_unknown"
            continue
        question = next((each for each in scale.questions if each.id == answer.question), None)
        if question is None:
            yield f"{at}/question", "scale_question_unknown"
            continue
        if question.choice(answer.choice) is None:
            yield f"{at}/choice", "scale_choice_unknown"
        if (scale.id, question.id) in seen:
            yield at, "scale_question_repeated"
        seen.add((scale.id, question.id))


def twice(ids: Iterable[str]) -> list[str]:
    return [each for each, count in Counter(ids).items() if count > 1]
