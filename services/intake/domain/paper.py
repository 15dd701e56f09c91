"""Paper forms: which were issued, what was read on each, and when a form counts. Pure."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from contracts.events import (
    EditionPublished,
    Event,
    PaperFormEntered,
    PaperFormsIssued,
    ScaleAnswer,
    Vouching,
)
from services.intake.domain import form_numbers, instruments
from services.intake.domain.changes import Flaw, Impossible
from services.intake.domain.directory import Directory

MOST_ISSUED = 1_000
"""Of one run: more are asked for in several."""


class Standing(StrEnum):
    ISSUED = "issued"
    ENTERED = "entered"  # once, or alike by one person
    DIFFERS = "differs"
    COUNTED = "counted"


@dataclass(frozen=True, slots=True)
class Content:
    """What stands on a form. The order of reasons and of further answers says nothing."""

    answer: str
    reasons: frozenset[str]
    scale_answers: frozenset[tuple[str, str, str]]
    given_on: date

    @classmethod
    def of(cls, event: PaperFormEntered) -> "Content":
        scales = frozenset((each.scale, each.question, each.choice) for each in event.scale_answers)
        return cls(event.answer, frozenset(event.reasons), scales, event.given_on)

    @property
    def fields(self) -> dict[str, str]:
        """By name, for comparing. A further question is `<scale>.<question>`."""
        return {
            "answer": self.answer,
            "reasons": ", ".join(sorted(self.reasons)),
            "given_on": self.given_on.isoformat(),
            **{f"{scale}.{question}": choice for scale, question, choice in sorted(self.scale_answers)},
        }

    @property
    def reasons_told(self) -> tuple[str, ...]:
        return tuple(sorted(self.reasons))

    @property
    def scale_answers_told(self) -> tuple[ScaleAnswer, ...]:
        return tuple(ScaleAnswer(scale=s, question=q, choice=c) for s, q, c in sorted(self.scale_answers))


@dataclass(frozen=True, slots=True)
class Form:
    """`entries`: what each person entered last, by the digest of who they are, the first to enter first."""

    run: PaperFormsIssued
    entries: Mapping[str, Content] = field(default_factory=dict)
    counted: Content | None = None

    @property
    def standing(self) -> Standing:
        if self.counted is not None:
            return Standing.COUNTED
        if not self.entries:
            return Standing.ISSUED
        return Standing.DIFFERS if len(set(self.entries.values())) > 1 else Standing.ENTERED

    def agreeing(self, actor: str, content: Content) -> list[str]:
        """The others who entered the same."""
        return [who for who, said in self.entries.items() if who != actor and said == content]

    def with_(self, actor: str, content: Content, *, counted: bool) -> "Form":
        return Form(self.run, {**self.entries, actor: content}, content if counted else None)

    @property
    def differences(self) -> Mapping[str, Mapping[str, str]]:
        """What was entered by whom, of the fields that were not entered alike by all."""
        said = {who: content.fields for who, content in self.entries.items()}
        names = dict.fromkeys(name for fields in said.values() for name in fields)
        found = {name: {who: fields.get(name, "") for who, fields in said.items()} for name in names}
        return {name: by for name, by in found.items() if len(set(by.values())) > 1}


class Forms:
    """All that were issued, folded from the office's log. Only forms with an entry take memory."""

    def __init__(self) -> None:
        self.runs: list[PaperFormsIssued] = []
        self._first: list[int] = []
        self._touched: dict[int, Form] = {}

    def take(self, event: Event) -> None:
        if isinstance(event, PaperFormsIssued):
            self.runs.append(event)
            self._first.append(event.first)
        elif isinstance(event, PaperFormEntered):
            form = self.form(event.number)
            if form is None or form.counted is not None:
                return
            after = form.with_(event.actor, Content.of(event), counted=event.counted)
            self._touched[form_numbers.count_of(event.number)] = after

    @property
    def next(self) -> int:
        """The first count that no form has."""
        return self.runs[-1].first + self.runs[-1].count if self.runs else 1

    def run(self, first: int) -> PaperFormsIssued | None:
        at = bisect_right(self._first, first) - 1
        return self.runs[at] if at >= 0 and self._first[at] == first else None

    def form(self, number: str) -> Form | None:
        """None for a number that was never issued."""
        count = form_numbers.count_of(number)
        at = bisect_right(self._first, count) - 1
        if at < 0 or count >= self.runs[at].first + self.runs[at].count:
            return None
        return self._touched.get(count) or Form(self.runs[at])

    def standings(self, run: PaperFormsIssued) -> Mapping[Standing, int]:
        """How many of a run stand how."""
        counts = dict.fromkeys(Standing, 0)
        for number in range(run.first, run.first + run.count):
            form = self._touched.get(number)
            counts[form.standing if form else Standing.ISSUED] += 1
        return counts

    def waiting(self) -> Iterator[tuple[str, Form]]:
        """Those entered and not counted yet, with their numbers."""
        for count, form in self._touched.items():
            if form.counted is None:
                yield form_numbers.written(count), form


def issued(forms: Forms, directory: Directory, officer_id: str, count: int, day: date) -> tuple[str, int]:
    """The edition that another run is for, the newest that takes paper today, and the run's first number.
    Raises Impossible."""
    officer = directory.officers.get(officer_id)
    if officer is None:
        raise Impossible(Flaw("officer_unknown", "officer_id"))
    if not directory.is_active(officer, day):
        raise Impossible(Flaw("officer_ended", "officer_id"))
    if not 1 <= count <= MOST_ISSUED or forms.next + count - 1 > form_numbers.MOST:
        raise Impossible(Flaw("form_count_invalid", "count", values={"most": str(MOST_ISSUED)}))
    editions = directory.open_editions(day)
    if not editions:
        raise Impossible(Flaw("no_edition_open", "edition_id"))
    edition = next((each for each in editions if Vouching.PAPER in each.policy.vouching), None)
    if edition is None:
        raise Impossible(_not_allowed(editions[0]))
    return edition.edition_id, forms.next


def flaws(content: Content, form: Form, directory: Directory, today: date) -> list[Flaw]:
    """Why this cannot stand on that form; none where it can."""
    edition = directory.editions.get(form.run.edition_id)
    officer = directory.officers.get(form.run.officer_id)
    if edition is None:
        return [Flaw("edition_unknown", "number")]
    if officer is None or officer.unit_id not in directory.units:
        return [Flaw("officer_unknown", "number")]
    if Vouching.PAPER not in edition.policy.vouching:
        return [_not_allowed(edition)]
    found = [*_answer_flaws(content, edition), *_scale_flaws(content, edition)]
    first, last = edition.opens_on, min(edition.closes_on, today)
    if not first <= content.given_on <= last:
        days = {"first": f"{first:%d/%m/%Y}", "last": f"{last:%d/%m/%Y}"}
        found.append(Flaw("form_day_outside", "given_on", values=days))
    elif not directory.is_active(officer, content.given_on):
        found.append(Flaw("form_officer_not_active", "given_on"))
    return found


def _not_allowed(edition: EditionPublished) -> Flaw:
    return Flaw("paper_not_allowed", "number", values={"edition": edition.edition_id})


def _answer_flaws(content: Content, edition: EditionPublished) -> Iterator[Flaw]:
    choice = edition.instrument.answer(content.answer)
    if choice is None:
        yield Flaw("form_answer_unknown", "answer", values={"ids": _ids(edition.instrument.answers)})
        return
    explains = instruments.reasons_of(edition.instrument, choice)
    others = content.reasons - {reason.id for reason in explains}
    if others:
        values = {"id": ", ".join(sorted(others)), "answer": choice.id}
        yield Flaw("form_reasons_unknown", "reasons", values=values)
    if choice.asks_reasons and not content.reasons and not choice.reasons_optional:
        yield Flaw("form_reasons_missing", "reasons", values={"ids": _ids(explains)})


def _scale_flaws(content: Content, edition: EditionPublished) -> Iterator[Flaw]:
    asked = {(scale.id, each.id): each for scale in edition.instrument.scales for each in scale.questions}
    answered: set[tuple[str, str]] = set()
    for scale, question, choice in sorted(content.scale_answers):
        known = asked.get((scale, question))
        if known is None or known.choice(choice) is None or (scale, question) in answered:
            yield Flaw("form_scale_answer_unknown", "scale_answers", values={"id": f"{scale}.{question}"})
        answered.add((scale, question))


def _ids(choices: Sequence[object]) -> str:
    return ", ".join(str(getattr(each, "id", each)) for each in choices)
