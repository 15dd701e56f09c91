"""What the office sees of paper forms: how they stand, and how one was answered only in a dispute."""

from itertools import islice

from contracts.events import PaperFormsIssued
from services.intake import paper_documents as documents
from services.intake.access import Caller
from services.intake.domain import form_numbers, paper_table
from services.intake.domain.paper import Form, Forms, Standing
from services.intake.domain.table import Row
from services.intake.office_reading import OfficeReading
from services.intake.paper import last_of
from services.intake.ports import FormsView

MOST_RUNS, MOST_WAITING = 200, 200


class PaperReading:
    """Raises DirectoryUnread before there is a directory."""

    def __init__(self, reading: OfficeReading, view: FormsView) -> None:
        self._reading = reading
        self._view = view

    async def caught_up(self) -> None:
        """So that the next page shows what was written. Raises NotKept."""
        await self._view.forms_now()

    def forms(self, caller: Caller) -> documents.Forms:
        forms = self._view.forms
        runs = (self._run(caller, forms, each) for each in reversed(forms.runs))
        waiting = (self._waiting(caller, number, form) for number, form in forms.waiting())
        theirs = [each for each in waiting if each is not None]
        return documents.Forms(
            runs=list(islice((each for each in runs if each is not None), MOST_RUNS)),
            waiting=theirs[:MOST_WAITING],
            waiting_count=len(theirs),
        )

    def run(self, caller: Caller, first: str) -> documents.RunToPrint | None:
        number, forms = form_numbers.read(first), self._view.forms
        found = None if number is None else forms.run(form_numbers.count_of(number))
        edition = None if found is None else self._reading.everything.editions.get(found.edition_id)
        shown = None if found is None else self._run(caller, forms, found)
        if found is None or edition is None or shown is None:
            return None
        numbers = [form_numbers.written(each) for each in range(found.first, found.first + found.count)]
        return documents.RunToPrint(**dict(shown), numbers=numbers, edition=edition)

    def form(self, caller: Caller, typed: str) -> documents.Form | None:
        number = form_numbers.read(typed)
        form = None if number is None else self._view.forms.form(number)
        if number is None or form is None:
            return None
        waiting = self._waiting(caller, number, form)
        edition = self._reading.everything.editions.get(form.run.edition_id)
        if waiting is None or edition is None:
            return None
        disputed = caller.may_change and form.standing is Standing.DIFFERS
        return documents.Form(
            **dict(waiting),
            unit_name=self._reading.everything.units[waiting.officer.unit_id].name,
            edition=edition,
            entered_by=list(form.entries),
            differences=[
                documents.Difference(
                    field=name, values=[documents.Said(by=who, value=said) for who, said in by.items()]
                )
                for name, by in (form.differences.items() if disputed else ())
            ],
        )

    def plan(self, rows: list[Row]) -> paper_table.Plan:
        return paper_table.plan(rows, self._view.forms, self._reading.everything, self._reading.today)

    def _run(self, caller: Caller, forms: Forms, run: PaperFormsIssued) -> documents.Run | None:
        """None where it is not the caller's to see, or whose it is has gone from the directory."""
        officer = self._reading.officer(caller, run.officer_id)
        if officer is None:
            return None
        return documents.Run(
            first=form_numbers.written(run.first),
            last=last_of(run),
            count=run.count,
            edition_id=run.edition_id,
            officer=officer,
            unit_name=self._reading.everything.units[officer.unit_id].name,
            issued_at=run.issued_at,
            standings={str(standing): count for standing, count in forms.standings(run).items()},
        )

    def _waiting(self, caller: Caller, number: str, form: Form) -> documents.Waiting | None:
        officer = self._reading.officer(caller, form.run.officer_id)
        if officer is None:
            return None
        return documents.Waiting(
            number=number,
            standing=form.standing,
            officer=officer,
            yours=caller.subject in form.entries,
        )
