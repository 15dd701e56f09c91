"""Answers to the questions that editions ask further: what is counted of them, and what is shown. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from contracts.events import Outcome, RatingAccepted, RatingWithdrawn, Scale, ScaleQuestion


class ScaleTally(NamedTuple):
    """What one counter counts: of a unit, in an edition as a whole."""

    unit_id: str
    edition_id: str
    scale: str
    question: str
    choice: str


def scale_tallies(outcomes: Iterable[Outcome]) -> Counter[ScaleTally]:
    """The increments of a batch. A withdrawal takes away what its acceptance added; of a question that one
    rating answers twice the last answer counts."""
    found: Counter[ScaleTally] = Counter()
    for outcome in outcomes:
        match outcome:
            case RatingAccepted(scale_answers=answers):
                by = 1
            case RatingWithdrawn(scale_answers=answers):
                by = -1
            case _:
                continue
        chosen = {(answer.scale, answer.question): answer.choice for answer in answers}
        for (scale, question), choice in chosen.items():
            found[ScaleTally(outcome.unit_id, outcome.edition_id, scale, question, choice)] += by
    return found


Choices = Mapping[str, int]
"""Of a question: how often each choice was made."""


def shown(question: ScaleQuestion, choices: Choices, total: int, below: int) -> bool:
    """Whether a question that `total` ratings could have answered is shown: whole, or not at all.

    Each choice, and the number of those who did not answer, is nobody's or that of enough. So no difference
    of what is public is that of fewer; and what was not counted from the beginning, and so is less than
    nothing, is not shown before the figures are made again.
    """
    known = {choice.id for choice in question.choices}
    cells = [*choices.values(), total - sum(choices.values())]
    return known >= choices.keys() and all(cell == 0 or cell >= below for cell in cells)


class Answered(NamedTuple):
    """What is public of a scale: how its questions were answered; those that are not shown are not in it."""

    edition: str
    scale: Scale
    questions: Mapping[str, Choices]


class Counted(NamedTuple):
    """All that is stored of a unit: what editions ask, and by edition, scale and question what was chosen."""

    asked: Mapping[str, Sequence[Scale]]
    choices: Mapping[tuple[str, str, str], Choices]
