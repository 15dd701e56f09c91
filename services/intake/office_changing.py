"""The office over HTTP: what changes the directory and editions. The survey office alone may."""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from chassis.bearer import audit
from chassis.problems import Problem, ProblemType, language_of
from contracts.events import Text
from contracts.values import Identifier
from services.intake import faults, office_faults
from services.intake import office_documents as documents
from services.intake.access import Caller
from services.intake.adapters.retention import KeptTooLong
from services.intake.adapters.tables import read_table
from services.intake.domain import editions, importing, units
from services.intake.domain.changes import Change, Flaw, Impossible
from services.intake.domain.directory import Directory
from services.intake.domain.table import Row
from services.intake.office import API, Actor, Decide, Done, Moved, Office
from services.intake.office_api import OFFICE, RESPONSES, answer, signed_in
from services.intake.office_faults import PREVIEW_OUTDATED
from services.intake.office_reading import OfficeReading, etag_of
from services.intake.ports import DirectoryUnread, NotKept, Overtaken

RETRY_SECONDS = 5
FILE = {"requestBody": {"required": True, "content": {"text/csv": {}, "application/octet-stream": {}}}}
IfMatch = Annotated[str, Header()]
Complete = Annotated[bool, Query(description="The file is the whole directory: who is not in it is closed.")]


async def changing(who: Annotated[Caller, Depends(signed_in)]) -> Actor:
    """The caller, who may change things. Raises Problem."""
    if not who.may_change:
        audit.warning("office action refused", subject=who.subject, role=who.role)
        raise Problem(office_faults.NOT_YOURS_TO_CHANGE)
    return Actor(who.subject, who.role, API)


By = Annotated[Actor, Depends(changing)]


def routes(office: Office, reading: OfficeReading) -> APIRouter:
    router = APIRouter(prefix=OFFICE, tags=["office"], responses=RESPONSES, dependencies=[Depends(changing)])

    async def act(
        by: Actor, action: str, target: str, decide: Decide, outdated: ProblemType = PREVIEW_OUTDATED
    ) -> Response:
        return await finish(by, action, office.act(by, action, target, decide), outdated)

    async def finish(
        by: Actor, action: str, work: Awaitable[Done], outdated: ProblemType = PREVIEW_OUTDATED
    ) -> Response:
        with answering(outdated):
            done = await work
        audit.info("office action taken", subject=by.subject, action=action, id=str(done.action_id))
        await reading.seen(done)
        return answer(
            documents.Result(action_id=done.action_id, changes=[change.told for change in done.changes])
        )

    @router.post("/imports/preview", response_model=documents.Preview, openapi_extra=FILE)
    async def preview(request: Request, by: By, complete: Complete = False) -> Response:
        """What a CSV or XLSX file would change, or what is wrong with which row. Nothing is written."""
        del by
        language = language_of(request)
        try:
            rows = await _rows(request)
            with answering():
                plan = await asyncio.to_thread(
                    importing.plan, rows, reading.everything, reading.today, complete=complete
                )
        except Impossible as error:
            return answer(_preview(0, importing.Plan(flaws=error.flaws), language))
        return answer(_preview(len(rows), plan, language))

    @router.post("/imports", response_model=documents.Result, openapi_extra=FILE)
    async def apply(request: Request, by: By, if_match: IfMatch, complete: Complete = False) -> Response:
        """Apply the file whose preview had this digest (If-Match). 412 where anything is other than then."""
        with answering():
            rows = await _rows(request)
        digest = if_match.strip().strip('"')
        work = office.import_table(by, rows, complete=complete, digest=digest)
        return await finish(by, "directory_imported", work)

    @router.post("/units", response_model=documents.Result)
    async def open_unit(by: By, body: documents.NewUnit) -> Response:
        """Open a unit, at the end of its group."""
        fields = {name: getattr(body, name) for name in documents.NewUnit.model_fields}
        return await act(by, "unit_opened", f"unit:{body.unit_id}", lambda d, _: units.opened(d, **fields))

    @router.post("/units/{unit_id}/rename", response_model=documents.Result)
    async def rename(by: By, unit_id: str, body: documents.Renaming) -> Response:
        """Give a unit another name; its id is for ever."""
        return await act(
            by, "unit_renamed", f"unit:{unit_id}", lambda d, _: units.renamed(d, unit_id, body.name)
        )

    @router.post("/units/{unit_id}/close", response_model=documents.Result)
    async def close(by: By, unit_id: str, body: documents.Closing) -> Response:
        """Close a unit from a day on."""
        return await act(
            by, "unit_closed", f"unit:{unit_id}", lambda d, _: units.closed(d, unit_id, body.day)
        )

    @router.post("/units/{unit_id}/reopen", response_model=documents.Result)
    async def reopen(by: By, unit_id: str) -> Response:
        """Let a unit that closed or merged, or was to, take ratings again. Who moved away stays away."""
        return await act(by, "unit_reopened", f"unit:{unit_id}", lambda d, _: units.reopened(d, unit_id))

    @router.post("/units/{unit_id}/merge", response_model=documents.Result)
    async def merge(by: By, unit_id: str, body: documents.Merging) -> Response:
        """Close a unit and let another take over, with its officers unless told otherwise."""

        def decide(directory: Directory, _day: object) -> list[Change]:
            return units.merged(directory, unit_id, body.into, body.day, with_officers=body.with_officers)

        return await act(by, "unit_merged", f"unit:{unit_id}", decide)

    @router.post("/officers/{officer_id}/move", response_model=documents.Result)
    async def move(by: By, officer_id: str, body: documents.Moving) -> Response:
        """Let an officer go on at another unit. Their figures so far stay where they were earned."""
        return await act(
            by,
            "officer_moved",
            f"officer:{officer_id}",
            lambda d, _: units.moved(d, officer_id, body.unit_id, body.day),
        )

    @router.put("/editions/{edition_id}", response_model=documents.Result)
    async def publish(
        by: By, edition_id: Identifier, body: documents.EditionBody, if_match: IfMatch = ""
    ) -> Response:
        """Publish an edition, or another state of one; If-Match asks that it be as it was read."""

        def decide(directory: Directory, day: date) -> list[Change]:
            present = directory.editions.get(edition_id)
            if if_match and (present is None or etag_of(present) != if_match.strip()):
                raise Moved
            key = body.sealing_key or (present.sealing_key if present else None)
            if key is None:
                raise Impossible(Flaw("sealing_key_invalid", "sealing_key"))
            return editions.published(directory, body.event(edition_id, key), day)

        target = f"edition:{edition_id}"
        return await act(by, "edition_published", target, decide, office_faults.EDITION_MOVED)

    @router.post("/editions/{edition_id}/close", response_model=documents.Result)
    async def close_edition(by: By, edition_id: str, body: documents.LastDay) -> Response:
        """Say when an edition ends."""
        return await act(
            by,
            "edition_closed",
            f"edition:{edition_id}",
            lambda d, _: editions.closed(d, edition_id, body.closes_on),
        )

    return router


async def _rows(request: Request) -> list[Row]:
    return await asyncio.to_thread(read_table, await request.body())


def _preview(rows: int, plan: importing.Plan, language: str) -> documents.Preview:
    errors = [
        documents.RowError(
            row=flaw.row, column=flaw.field, code=flaw.code, detail=office_faults.say(flaw, language)
        )
        for flaw in plan.flaws
    ]
    return documents.Preview(
        digest=None if errors else plan.digest,
        rows=rows,
        changes=[_previewed(change) for change in plan.changes],
        unchanged=plan.unchanged,
        absent=list(plan.absent),
        errors=errors,
    )


def _previewed(change: Change) -> documents.Previewed:
    named = getattr(change.after or change.before, "name", change.key)
    name = named if isinstance(named, Text) else Text(vi=named, en=named)
    return documents.Previewed(**change.told.model_dump(), name=name)


@contextmanager
def answering(outdated: ProblemType = PREVIEW_OUTDATED) -> Iterator[None]:
    """What fails in it is a problem for the caller."""
    try:
        yield
    except Impossible as error:
        raise office_faults.problem(error.flaws) from error
    except Moved:
        raise Problem(outdated) from None
    except KeptTooLong as error:
        raise Problem(office_faults.KEPT_TOO_LONG, days=error.days) from error
    except Overtaken as error:
        raise Problem(office_faults.OVERTAKEN) from error
    except DirectoryUnread:
        raise Problem(faults.DIRECTORY_UNREAD, retry_after=RETRY_SECONDS) from None
    except NotKept as error:
        raise Problem(office_faults.NOT_WRITTEN, retry_after=RETRY_SECONDS) from error
