"""Intake's API of paper forms, for a person of the office who has signed in."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from portal.apis.http import Api
from portal.apis.intake import Document, Localised
from portal.apis.office import OFFICE, Officer, RowError, model_of, part

FORMS = f"{OFFICE}/forms"


class Choice(Document):
    id: str
    text: Localised


class Answer(Choice):
    asks_reasons: bool = False


class Reason(Choice):
    answers: tuple[str, ...] = ()

    def explains(self, answer: Answer) -> bool:
        return answer.asks_reasons and (not self.answers or answer.id in self.answers)


class Question(Choice):
    choices: tuple[Choice, ...]


class Scale(Document):
    id: str
    title: Localised
    questions: tuple[Question, ...]


class Instrument(Document):
    question: Localised
    answers: tuple[Answer, ...]
    reasons: tuple[Reason, ...]
    scales: tuple[Scale, ...] = ()


class FormEdition(Document):
    edition_id: str
    title: Localised
    opens_on: date
    closes_on: date
    instrument: Instrument


class Run(Document):
    first: str
    last: str
    count: int
    edition_id: str
    officer: Officer
    unit_name: Localised
    issued_at: datetime
    standings: dict[str, int]


class RunToPrint(Run):
    numbers: tuple[str, ...]
    edition: FormEdition


class Waiting(Document):
    number: str
    standing: str
    officer: Officer
    yours: bool


class Forms(Document):
    runs: list[Run]
    waiting: list[Waiting]
    waiting_count: int


class Said(Document):
    by: str
    value: str


class Difference(Document):
    field: str
    values: list[Said]


class Form(Waiting):
    unit_name: Localised
    edition: FormEdition
    entered_by: list[str]
    differences: list[Difference]


class FormsPreview(Document):
    rows: int
    new: int
    there: int
    errors: list[RowError]


class FormsImported(Document):
    counted: int
    left: int


class FormsApi:
    """Every method raises SignedOut, Refused or Unavailable (see Api.request)."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def forms(self, token: str) -> Forms:
        return model_of(await self._api.request("GET", FORMS, token=token), Forms)

    async def run(self, token: str, first: str) -> RunToPrint:
        path = f"{FORMS}/runs/{part(first)}"
        return model_of(await self._api.request("GET", path, token=token), RunToPrint)

    async def form(self, token: str, number: str) -> Form:
        return model_of(await self._api.request("GET", f"{FORMS}/{part(number)}", token=token), Form)

    async def issue(self, token: str, officer_id: str, count: object, language: str) -> RunToPrint:
        body = {"officer_id": officer_id, "count": count}
        return model_of(await self._post("", token, body, language), RunToPrint)

    async def enter(self, token: str, number: str, body: Mapping[str, Any], language: str) -> Form:
        return model_of(await self._post(f"/{part(number)}/entries", token, body, language), Form)

    async def preview(self, token: str, file: bytes, language: str) -> FormsPreview:
        return model_of(await self._post("/imports/preview", token, file, language), FormsPreview)

    async def apply(self, token: str, file: bytes, most: int, language: str) -> FormsImported:
        return model_of(await self._post(f"/imports?most={most}", token, file, language), FormsImported)

    async def _post(self, path: str, token: str, body: Mapping[str, Any] | bytes, language: str) -> Any:
        headers = {"Accept-Language": language}
        sent: dict[str, Any] = {"json": body}
        if isinstance(body, bytes):
            headers["Content-Type"], sent = "application/octet-stream", {"content": body}
        return await self._api.request(
            "POST", FORMS + path, headers=headers, token=token, timeout=60.0, **sent
        )
