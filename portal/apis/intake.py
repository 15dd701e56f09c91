"""Intake's public API: the directory, the edition, and taking ratings in."""

from typing import Any, Literal
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict

from portal.apis.http import FRESH_SECONDS, Api, Refused
from portal.apis.key import IntakeKey
from portal.visitor import Visitor

Localised = dict[str, str]
STALE_SECONDS = 3600.0  # names change rarely; rating officers found in an hour-old directory is fine


class Document(BaseModel):
    """What an API answered; fields it adds later are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Named(Document):
    id: str
    name: Localised


class Group(Named):
    unit_count: int


class UnitOfGroup(Named):
    officer_count: int


class GroupUnits(Named):
    units: list[UnitOfGroup]


class Officer(Document):
    id: str
    name: str
    title: Localised
    sample: bool


class UnitOfficers(Named):
    group: Named
    officers: list[Officer]
    merged_into: Named | None = None


class OfficerPlace(Officer):
    unit: Named
    group: Named
    active: bool


class Register(Document):
    """Every unit and officer, also those who take no ratings any more."""

    units: list[Named]
    officers: list[OfficerPlace]


class Client(Document):
    client_id: str
    name: str
    channels: list[str]
    vouches: bool = False


class FoundUnit(Named):
    group: Named
    predecessors: tuple[Named, ...] = ()


class FoundOfficer(Officer):
    unit: Named


class Found(Document):
    query: str
    units: list[FoundUnit]
    officers: list[FoundOfficer]


class Answer(Document):
    id: str
    text: Localised
    asks_reasons: bool
    reasons_optional: bool = False


class Reason(Document):
    """`answers`: what it explains; none: each answer that asks."""

    id: str
    text: Localised
    answers: tuple[str, ...] = ()


class ScaleChoice(Document):
    id: str
    text: Localised


class ScaleQuestion(Document):
    id: str
    text: Localised
    choices: list[ScaleChoice]


class Scale(Document):
    id: str
    title: Localised
    questions: list[ScaleQuestion]


class Instrument(Document):
    id: str
    version: int | str
    question: Localised
    answers: list[Answer]
    reasons: list[Reason]
    scales: list[Scale] = []


class Publication(Document):
    officer_batch: int = 1


class Policy(Document):
    verification: Literal["captcha", "phone", "captcha_and_phone"]
    duplicate_window_days: int
    phone_retention_days: int
    proof_of_work: Literal["none", "beside", "instead"] = "none"
    publication: Publication = Publication()
    vouching: tuple[str, ...] = ()
    file_numbers: Literal["none", "optional", "required"] = "none"
    asks_respondent: bool = False

    @property
    def devices_vouch(self) -> bool:
        """Whether a screen at a desk can stand for a rating in place of phone and code."""
        return "device" in self.vouching

    @property
    def asks_captcha(self) -> bool:
        return self.verification != "phone"

    @property
    def computes(self) -> bool:
        """Whether the citizen's device is asked for a proof of work."""
        return self.proof_of_work == "beside" or (self.proof_of_work == "instead" and self.asks_captcha)

    @property
    def asks_phone_code(self) -> bool:
        return self.verification != "captcha"


class Edition(Document):
    id: str
    title: Localised
    policy: Policy
    instrument: Instrument

    def asks_reasons(self, answer: str) -> bool:
        return any(a.asks_reasons for a in self.instrument.answers if a.id == answer)

    def reasons_optional(self, answer: str) -> bool:
        return any(a.reasons_optional for a in self.instrument.answers if a.id == answer)

    def reasons_of(self, answer: str) -> list[Reason]:
        """Those that can be given for an answer that asks."""
        return [r for r in self.instrument.reasons if not r.answers or answer in r.answers]

    def words_of(self, answer: str) -> Localised:
        return next((a.text for a in self.instrument.answers if a.id == answer), {})


class Taken(Document):
    """`receipt` withdraws the rating; whoever shows it to its citizen keeps it nowhere."""

    rating_id: str
    receipt: str = ""


class Intake:
    """Every method raises Refused or Unavailable (see Api)."""

    def __init__(self, api: Api, key: IntakeKey) -> None:
        self._api = api
        self._key = key
        self._register: tuple[Any, Register] = (None, Register(units=[], officers=[]))

    async def _document(self, path: str) -> Any:
        return (await self._api.get(path, fresh=FRESH_SECONDS, stale=STALE_SECONDS)).document

    async def groups(self) -> list[Group]:
        document = await self._document("/v1/directory")
        return [Group.model_validate(g) for g in document["groups"]]

    async def group(self, group_id: str) -> GroupUnits:
        return GroupUnits.model_validate(await self._document(f"/v1/directory/groups/{_part(group_id)}"))

    async def unit(self, unit_id: str) -> UnitOfficers:
        return UnitOfficers.model_validate(await self._document(f"/v1/directory/units/{_part(unit_id)}"))

    async def officer(self, officer_id: str) -> OfficerPlace:
        path = f"/v1/directory/officers/{_part(officer_id)}"
        return OfficerPlace.model_validate(await self._document(path))

    async def register(self) -> Register:
        """Long, so it is read again only when it has changed."""
        document = await self._document("/v1/directory/register")
        if document is not self._register[0]:
            self._register = document, Register.model_validate(document)
        return self._register[1]

    async def search(self, query: str) -> Found:
        copy = await self._api.get("/v1/directory/search", params={"q": query, "limit": "20"})
        return Found.model_validate(copy.document)

    async def client(self, key: str) -> Client:
        """Whose key that is. Raises SignedOut where it is nobody's, or not any more."""
        return Client.model_validate((await self._api.request("GET", "/v1/client", token=key)).json())

    async def edition(self) -> Edition | None:
        """The edition open now; None where none is."""
        try:
            return Edition.model_validate(await self._document("/v1/edition"))
        except Refused as error:
            if error.status == 404:
                return None
            raise

    async def rate(self, body: dict[str, Any], *, key: str, language: str, visitor: Visitor) -> Taken:
        """Hand in a rating. The same key and body may be handed in again.

        Raises SignedOut where the visitor is at a device whose key is not in force any more.
        """
        response = await self._post("/v1/ratings", body, language, visitor, key=key)
        return Taken.model_validate(response.json())

    async def withdraw(self, receipt: str, *, language: str, visitor: Visitor) -> str:
        """Ask for a rating's withdrawal; returns its rating_id. The same receipt may be handed in again."""
        response = await self._post("/v1/withdrawals", {"receipt": receipt}, language, visitor)
        return Taken.model_validate(response.json()).rating_id

    async def phone_code(
        self, rating_id: str, *, edition_id: str, code: str, key: str, language: str, visitor: Visitor
    ) -> None:
        """Hand in the code that came by SMS. The same key and code count as one try."""
        body = {"edition_id": edition_id, "code": code}
        await self._post(f"/v1/ratings/{_part(rating_id)}/phone-code", body, language, visitor, key=key)

    async def _post(
        self, path: str, body: dict[str, Any], language: str, visitor: Visitor, *, key: str | None = None
    ) -> httpx.Response:
        headers = {
            "Accept-Language": language,
            **visitor.headers,
            **({} if visitor.device_key else self._key.headers),
        }
        if key is not None:
            headers["Idempotency-Key"] = key
        return await self._api.request(
            "POST", path, json=body, headers=headers, token=visitor.device_key, timeout=8.0
        )


def _part(value: str) -> str:
    return quote(value, safe="")
