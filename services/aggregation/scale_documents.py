"""What the query API says of scales. No I/O."""

from collections.abc import Sequence

from pydantic import BaseModel, Field

from contracts.events import Scale, ScaleKind, ScaleQuestion, Text
from services.aggregation.documents import Figures, NamedScope, Period, named
from services.aggregation.scales import Answered, Choices


class ChoiceFigures(BaseModel):
    id: str
    text: Text
    points: int
    count: int
    share: float | None = Field(description="Of those who answered the question; null where nobody did.")


class QuestionFigures(BaseModel):
    """Shown whole or not at all: `suppressed`, where a choice, or giving no answer, is that of too few."""

    id: str
    text: Text
    suppressed: bool
    answered: int | None
    mean: float | None = Field(description="Mean points, of the kind `points`; null where nobody answered.")
    most: int = Field(description="The points of the best choice.")
    choices: list[ChoiceFigures] = Field(description="In the order in which they are asked.")


class Points(BaseModel):
    """Of a scale of the kind `points`, all of whose questions have a mean."""

    sum: float = Field(description="Of the means of all questions.")
    most: int = Field(description="What the sum would be if all had chosen the best.")


class ScaleFigures(BaseModel):
    edition: str
    id: str
    title: Text
    kind: ScaleKind
    questions: list[QuestionFigures]
    points: Points | None


class Scales(BaseModel):
    """Answers to what editions ask further, of one unit. Nothing is shown of a unit that is itself not shown,
    nor of one of which one officer alone was rated."""

    scope: NamedScope
    edition: str | None
    scales: list[ScaleFigures] = Field(
        description="Of the edition, or of each in which the unit was rated, in the order in which they ask."
    )


def scales(figures: Figures, period: Period, found: Sequence[Answered]) -> Scales:
    return Scales(scope=named(figures), edition=period.edition, scales=[_scale(each) for each in found])


def _scale(found: Answered) -> ScaleFigures:
    scale = found.scale
    questions = [_question(scale, each, found.questions.get(each.id)) for each in scale.questions]
    return ScaleFigures(
        edition=found.edition,
        id=scale.id,
        title=scale.title,
        kind=scale.kind,
        questions=questions,
        points=_points(questions),
    )


def _question(scale: Scale, question: ScaleQuestion, choices: Choices | None) -> QuestionFigures:
    counts = choices or {}
    answered = sum(counts.values())
    points = sum(counts.get(choice.id, 0) * choice.points for choice in question.choices)
    return QuestionFigures(
        id=question.id,
        text=question.text,
        suppressed=choices is None,
        answered=None if choices is None else answered,
        mean=points / answered if answered and scale.kind is ScaleKind.POINTS else None,
        most=max(choice.points for choice in question.choices),
        choices=[]
        if choices is None
        else [
            ChoiceFigures(
                id=choice.id,
                text=choice.text,
                points=choice.points,
                count=counts.get(choice.id, 0),
                share=counts.get(choice.id, 0) / answered if answered else None,
            )
            for choice in question.choices
        ],
    )


def _points(questions: Sequence[QuestionFigures]) -> Points | None:
    """A sum of some of them would look like one of all."""
    means = [question.mean for question in questions if question.mean is not None]
    if len(means) < len(questions):
        return None
    return Points(sum=sum(means), most=sum(question.most for question in questions))
