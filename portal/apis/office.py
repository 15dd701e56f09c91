"""Intake's API of the office, for a person who has signed in. Nothing of it is remembered here."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from portal.apis.http import Api, Unavailable
from portal.apis.intake import Document, Localised, Reason

D = TypeVar("D", bound=Document)
OFFICE = "/v1/office"


class Me(Document):
    subject: str
    role: str
    may_change: bool


class Unit(Document):
    id: str
    name: Localised
    group_id: str
    group_name: Localised
    opened_on: date | None
    closed_on: date | None
    merged_into: str | None
    open: bool
    officer_count: int


class Officer(Document):
    id: str
    unit_id: str
    name: str
    title: Localised
    sample: bool
    active_from: date | None
    active_until: date | None
    active: bool


class UnitWithOfficers(Unit):
    officers: list[Officer]


class Units(Document):
    units: list[Unit]


class AnswerChoice(Document):
    id: str
    text: Localised
    asks_reasons: bool = False
    reasons_optional: bool = False


class ScaleChoice(Document):
    id: str
    text: Localised
    points: int


class ScaleQuestion(Document):
    id: str
    text: Localised
    choices: list[ScaleChoice]


class Scale(Document):
    id: str
    title: Localised
    kind: str
    questions: list[ScaleQuestion]


class Instrument(Document):
    id: str
    version: int
    question: Localised
    answers: list[AnswerChoice]
    reasons: list[Reason]
    scales: tuple[Scale, ...] = ()


class Publication(Document):
    officer_batch: int
    officer_hour: int
    suppress_below: int


class Policy(Document):
    verification: str
    proof_of_work: str
    duplicate_window_days: int
    phone_retention_days: int
    publication: Publication
    vouching: tuple[str, ...] = ()
    file_numbers: str = "none"
    asks_respondent: bool = False


class PublishedEdition(Document):
    edition_id: str
    title: Localised
    opens_on: date
    closes_on: date
    policy: Policy
    instrument: Instrument


class Edition(Document):
    edition: PublishedEdition
    open: bool
    ready: bool
    etag: str


class Editions(Document):
    editions: list[Edition]


class FieldChange(Document):
    name: str
    before: str | None = None
    after: str | None = None


class Change(Document):
    key: str
    change: str
    fields: tuple[FieldChange, ...] = ()


class Action(Document):
    number: int
    action: str | None = None
    target: str | None = None
    actor: str | None = None
    role: str | None = None
    via: str | None = None
    taken_at: datetime | None = None
    changes: tuple[Change, ...] = ()


class Actions(Document):
    actions: list[Action]
    before: int | None = None


class RowError(Document):
    row: int | None
    column: str
    detail: str


class Previewed(Change):
    name: Localised


class Preview(Document):
    digest: str | None
    rows: int
    changes: list[Previewed]
    unchanged: int
    absent: list[str]
    errors: list[RowError]


class Result(Document):
    action_id: str | None
    changes: list[Change]


class OfficeApi:
    """Every method raises SignedOut, Refused or Unavailable (see Api.request)."""

    def __init__(self, api: Api) -> None:
        self.api = api

    async def me(self, token: str) -> Me:
        return await self._read("/me", token, Me)

    async def units(self, token: str) -> list[Unit]:
        return (await self._read("/units", token, Units)).units

    async def unit(self, token: str, unit_id: str) -> UnitWithOfficers:
        return await self._read(f"/units/{part(unit_id)}", token, UnitWithOfficers)

    async def officer(self, token: str, officer_id: str) -> Officer:
        return await self._read(f"/officers/{part(officer_id)}", token, Officer)

    async def editions(self, token: str) -> list[Edition]:
        return (await self._read("/editions", token, Editions)).editions

    async def edition(self, token: str, edition_id: str) -> Edition:
        return await self._read(f"/editions/{part(edition_id)}", token, Edition)

    async def actions(self, token: str, wanted: Mapping[str, str]) -> Actions:
        return await self._read("/actions", token, Actions, wanted)

    async def file(self, token: str, name: str, wanted: Mapping[str, str] | None = None) -> bytes:
        """`directory.csv` or `actions.csv`."""
        return (await self.api.request("GET", f"{OFFICE}/{name}", params=wanted, token=token)).content

    async def preview(self, token: str, file: bytes, *, complete: bool, language: str) -> Preview:
        headers = {"Accept-Language": language}
        return model_of(await self._send_file("/imports/preview", token, file, complete, headers), Preview)

    async def apply(self, token: str, file: bytes, digest: str, *, complete: bool, language: str) -> Result:
        """Raises Refused with `preview_outdated` where the preview is not what it was."""
        headers = {"Accept-Language": language, "If-Match": f'"{digest}"'}
        return model_of(await self._send_file("/imports", token, file, complete, headers), Result)

    async def send(
        self,
        method: str,
        path: Sequence[str],
        token: str,
        body: Any,
        *,
        language: str,
        headers: Mapping[str, str] | None = None,
    ) -> Result:
        """An action, by the parts of its path below the office's: units, ID, rename …"""
        said = {"Accept-Language": language, **(headers or {})}
        response = await self.api.request(
            method, "/".join((OFFICE, *map(part, path))), headers=said, json=body, token=token, timeout=30.0
        )
        return model_of(response, Result)

    async def _send_file(
        self, path: str, token: str, file: bytes, complete: bool, headers: Mapping[str, str]
    ) -> httpx.Response:
        return await self.api.request(
            "POST",
            OFFICE + path,
            params={"complete": "true"} if complete else None,
            headers={"Content-Type": "application/octet-stream", **headers},
            content=file,
            token=token,
            timeout=60.0,
        )

    async def _read(
        self, path: str, token: str, model: type[D], params: Mapping[str, str] | None = None
    ) -> D:
        return model_of(await self.api.request("GET", OFFICE + path, params=params, token=token), model)


def model_of(response: httpx.Response, model: type[D]) -> D:
    try:
        return model.model_validate_json(response.content)
    except ValueError as error:
        raise Unavailable("not the document") from error


def part(value: str) -> str:
    """As one part of a path, and never as a way up."""
    return quote(value, safe="") if value.strip(".") else "-"
