"""Paper forms over HTTP: issued, entered by two people, imported. The survey office alone may."""

import asyncio
from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Query, Request, Response

from chassis.bearer import audit
from chassis.problems import NOT_FOUND, Problem, language_of
from services.intake import faults, office_faults
from services.intake import paper_documents as documents
from services.intake.adapters.tables import FORMS_TABLE, read_table
from services.intake.domain import form_numbers
from services.intake.domain.changes import Flaw, Impossible
from services.intake.domain.paper import Content
from services.intake.domain.paper_table import Plan
from services.intake.domain.table import Row
from services.intake.office_api import OFFICE, RESPONSES, UNREAD_SECONDS, Who, answer, signed_in
from services.intake.office_changing import FILE, By, answering
from services.intake.office_documents import RowError
from services.intake.paper import Paper
from services.intake.paper_reading import PaperReading
from services.intake.ports import DirectoryUnread

T = TypeVar("T")
MOST = 1_000
Most = Annotated[int, Query(ge=1, le=5_000, description="Forms of the file that this call counts.")]


def routes(paper: Paper, reading: PaperReading) -> APIRouter:
    router = APIRouter(
        prefix=f"{OFFICE}/forms", tags=["office"], responses=RESPONSES, dependencies=[Depends(signed_in)]
    )

    @router.get("", response_model=documents.Forms)
    async def forms(who: Who) -> Response:
        """Which forms were issued and how they stand, and which wait for a second person."""
        return answer(_read(lambda: reading.forms(who)))

    @router.get("/runs/{first}", response_model=documents.RunToPrint)
    async def run(who: Who, first: str) -> Response:
        """Forms that were issued together, by the first number, with all that a printed form says."""
        return answer(_read(lambda: reading.run(who, first)))

    @router.get("/{number}", response_model=documents.Form)
    async def form(who: Who, number: str) -> Response:
        """How a form stands. What was entered is told only where two people have entered it differently."""
        return answer(_read(lambda: reading.form(who, number)))

    @router.post("", response_model=documents.RunToPrint)
    async def issue(who: Who, by: By, body: documents.Issuing) -> Response:
        """Numbers for so many forms of an officer, in the edition that is open."""
        with answering():
            issued = await paper.issue(by, body.officer_id, body.count)
            await reading.caught_up()
        audit.info("forms issued", subject=by.subject, count=issued.count)
        return answer(_read(lambda: reading.run(who, form_numbers.written(issued.first))))

    @router.post("/{number}/entries", response_model=documents.Form)
    async def enter(who: Who, by: By, number: str, body: documents.Entry) -> Response:
        """What the caller reads on a form. It counts once two people have entered the same."""
        with answering():
            known = form_numbers.read(number)
            if known is None:
                raise Impossible(Flaw("form_number_invalid", "number"))
            scales = frozenset((each.scale, each.question, each.choice) for each in body.scale_answers)
            content = Content(body.answer, frozenset(body.reasons), scales, body.given_on)
            standing = await paper.enter(by, known, content)
            await reading.caught_up()
        audit.info("form entered", subject=by.subject, standing=standing)
        return answer(_read(lambda: reading.form(who, known)))

    @router.post("/imports/preview", response_model=documents.FormsPreview, openapi_extra=FILE)
    async def preview(request: Request, by: By) -> Response:
        """What would come of a CSV or XLSX file of filled-in forms. Nothing is written."""
        del by
        language = language_of(request)
        try:
            rows = await _rows(request)
        except Impossible as error:
            return answer(_preview(0, Plan(flaws=error.flaws), language))
        with answering():
            await reading.caught_up()
            plan = await asyncio.to_thread(reading.plan, rows)
        return answer(_preview(len(rows), plan, language))

    @router.post("/imports", response_model=documents.FormsImported, openapi_extra=FILE)
    async def apply(request: Request, by: By, most: Most = MOST) -> Response:
        """Count the forms of a file, or the first of them that do not count yet: the same file, sent again,
        goes on where it broke off."""
        with answering():
            rows = await _rows(request)
            imported = await paper.import_rows(by, rows, most=most)
            await reading.caught_up()
        audit.info("forms imported", subject=by.subject, counted=imported.counted, left=imported.left)
        return answer(documents.FormsImported(counted=imported.counted, left=imported.left))

    return router


async def _rows(request: Request) -> list[Row]:
    return await asyncio.to_thread(read_table, await request.body(), FORMS_TABLE)


def _preview(rows: int, plan: Plan, language: str) -> documents.FormsPreview:
    errors = [
        RowError(row=flaw.row, column=flaw.field, code=flaw.code, detail=office_faults.say(flaw, language))
        for flaw in plan.flaws
    ]
    return documents.FormsPreview(
        rows=rows, new=0 if errors else len(plan.new), there=plan.there, errors=errors
    )


def _read(read: Callable[[], T | None]) -> T:
    try:
        found = read()
    except DirectoryUnread:
        raise Problem(faults.DIRECTORY_UNREAD, retry_after=UNREAD_SECONDS) from None
    if found is None:
        raise Problem(NOT_FOUND)
    return found
