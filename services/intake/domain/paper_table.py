"""A table of filled-in forms: a row for each. Which of them count, and what is wrong with which row. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from contracts.events import EditionPublished
from services.intake.domain import form_numbers, paper, table
from services.intake.domain.changes import Flaw, Impossible
from services.intake.domain.directory import Directory
from services.intake.domain.paper import Content, Form, Forms
from services.intake.domain.table import Row

NEEDED = ("number", "given_on", "answer")
COLUMNS = (*NEEDED, "reasons")
FURTHER = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
"""A column of the answers to a further question: its scale and its id."""


@dataclass(frozen=True, slots=True)
class Reading:
    number: str
    form: Form
    content: Content


@dataclass(frozen=True, slots=True)
class Plan:
    """`there`: how many count already, as in the file."""

    new: Sequence[Reading] = ()
    there: int = 0
    flaws: Sequence[Flaw] = ()


def plan(rows: Sequence[Row], forms: Forms, directory: Directory, today: date) -> Plan:
    new: list[Reading] = []
    flaws: list[Flaw] = []
    there, seen = 0, set[str]()
    for row in rows:
        number = form_numbers.read(row.cells.get("number", ""))
        form = None if number is None else forms.form(number)
        if number is None or form is None:
            flaws.append(
                Flaw("form_number_invalid" if number is None else "form_unknown", "number", row.number)
            )
            continue
        if number in seen:
            flaws.append(Flaw("there_twice", "number", row.number, {"id": number}))
            continue
        seen.add(number)
        try:
            content = _content(row, directory.editions.get(form.run.edition_id))
        except Impossible as error:
            flaws += [replace(flaw, row=row.number) for flaw in error.flaws]
            continue
        if form.counted == content:
            there += 1
            continue
        against = _contradiction(form, content)
        wrong = [against] if against else paper.flaws(content, form, directory, today)
        flaws += [replace(flaw, row=row.number) for flaw in wrong]
        if not wrong:
            new.append(Reading(number, form, content))
    return Plan(new, there, flaws)


def _contradiction(form: Form, content: Content) -> Flaw | None:
    """What was entered by hand and not settled is not settled by a file."""
    if form.counted is not None:
        return Flaw("form_counted_otherwise", "number")
    if any(entered != content for entered in form.entries.values()):
        return Flaw("form_entered_otherwise", "number")
    return None


def _content(row: Row, edition: EditionPublished | None) -> Content:
    """Raises Impossible."""
    given_on = table.day(row, "given_on", None)
    if given_on is None:
        raise Impossible(Flaw("cell_missing", "given_on"))
    reasons = re.split(r"[\s,;|]+", row.cells.get("reasons", "").strip())
    further = [(name.partition("."), cell) for name, cell in row.cells.items() if "." in name and cell]
    return Content(
        answer=_answer(row.cells.get("answer", ""), edition),
        reasons=frozenset(each for each in reasons if each),
        scale_answers=frozenset((scale, question, choice) for (scale, _, question), choice in further),
        given_on=given_on,
    )


def _answer(said: str, edition: EditionPublished | None) -> str:
    """The answer's id, where it is written as the form has it."""
    for choice in edition.instrument.answers if edition else ():
        if said.casefold() in (choice.text.vi.casefold(), choice.text.en.casefold()):
            return choice.id
    return said
