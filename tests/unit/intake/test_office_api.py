"""The office over HTTP, on a ledger in memory and a fake provider: who may do what, and what they see."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from attacks.routes import routes
from chassis import problems
from contracts.events import SealingKey
from services.intake.bootstrap import install_office, install_paper
from services.intake.domain.table import COLUMNS
from services.intake.office_api import OFFICE, Admission
from services.intake.office_reading import OfficeReading
from services.intake.ports import KeysMissing
from tests.support.intake import NOW, OFFICER, PUBLIC_KEY, UNIT, directory, edition, officer, unit
from tests.support.office import LedgerForms, LedgerTrail, LedgerView, MemoryLedger, office, paper
from tests.support.tokens import AUDIENCE, Clock, FakeProvider, token, unsigned

OTHER = "so-noi-vu"
ROLES, DEPARTMENTS = "hailong_roles", "hailong_departments"
PARTS = {"unit_id": UNIT, "officer_id": OFFICER, "edition_id": "2026", "first": "13", "number": "13"}
RENAMED = {"name": {"vi": "Sở Y tế mới", "en": "Health"}}
TABLE = f"type,id,name_vi,name_en\nunit,{UNIT},Sở Y tế mới,Health\n".encode()


class NoKeys:
    @property
    def secret(self) -> bytes:
        raise KeysMissing

    def pseudonym_key(self, edition_id: str) -> bytes:
        raise KeysMissing(edition_id)


@dataclass
class Room:
    ledger: MemoryLedger
    trail: LedgerTrail
    http: httpx.AsyncClient
    app: FastAPI

    async def as_(
        self, role: str, method: str, path: str, *, sub: str = "", **options: Any
    ) -> httpx.Response:
        claims: dict[str, Any] = {ROLES: [role], DEPARTMENTS: [UNIT] if role == "department" else []}
        claims |= {"sub": sub} if sub else {}
        headers = {"Authorization": f"Bearer {token(**claims)}", **options.pop("headers", {})}
        return await self.http.request(method, OFFICE + path, headers=headers, **options)

    async def office(self, method: str, path: str, **options: Any) -> httpx.Response:
        return await self.as_("survey-office", method, path, **options)


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    there = directory(unit(), unit(OTHER, "Sở Nội vụ", position=1), officer(), edition()).by_key()
    ledger = MemoryLedger(there)
    trail = LedgerTrail(ledger)
    app = FastAPI()
    problems.install(app)
    provider = FakeProvider().seen_by(Clock())
    app.state.office_admission = Admission(provider, AUDIENCE, ROLES, DEPARTMENTS)
    reading = OfficeReading(LedgerView(ledger), trail, NoKeys(), lambda: NOW)
    install_office(app, office(ledger), reading)
    install_paper(app, paper(ledger), reading, LedgerForms(ledger))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://intake") as http:
        yield Room(ledger, trail, http, app)


async def test_without_a_token_in_force_or_a_role_nobody_comes_in(room: Room) -> None:
    every = [
        (method, path.format(**PARTS))
        for path, methods in routes(room.app).items()
        if path.startswith(OFFICE)
        for method in methods - {"HEAD"}
    ]
    assert len(every) == 26
    claims: dict[str, Any] = {ROLES: ["survey_office", 7, "*"], DEPARTMENTS: ["*"]}
    strange = token(**claims)
    for method, path in every:
        nobody = await room.http.request(method, path, json={})
        assert nobody.status_code == 401, (method, path)
        for bearer, status in (("x", 401), (unsigned(**{ROLES: ["survey-office"]}), 401), (strange, 403)):
            answer = await room.http.request(
                method, path, json={}, headers={"Authorization": f"Bearer {bearer}"}
            )
            assert answer.status_code == status, (method, path)
    assert room.ledger.written == []


@pytest.mark.parametrize("role", ["auditor", "department"])
async def test_who_only_reads_changes_nothing(room: Room, role: str) -> None:
    assert (await room.as_(role, "GET", "/me")).json()["may_change"] is False
    changing = [
        (method, path.removeprefix(OFFICE).format(**PARTS))
        for path, methods in routes(room.app).items()
        if path.startswith(OFFICE)
        for method in methods & {"POST", "PUT"}
    ]
    assert len(changing) == 14
    for method, path in changing:
        answer = await room.as_(role, method, path, json={**RENAMED, "day": "2026-12-01"})
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:hailong:problem:office_read_only")
    assert room.ledger.written == []


async def test_a_department_sees_its_own_and_an_auditor_all(room: Room) -> None:
    await room.office("POST", f"/units/{UNIT}/rename", json=RENAMED)
    await room.office("POST", f"/units/{OTHER}/rename", json=RENAMED)
    await room.office("POST", "/editions/2026/close", json={"closes_on": "2026-12-01"})
    own = await room.as_("department", "GET", "/units")
    assert [each["id"] for each in own.json()["units"]] == [UNIT]
    assert (await room.as_("department", "GET", f"/units/{OTHER}")).status_code == 404
    assert (await room.as_("department", "GET", f"/officers/{OFFICER}")).status_code == 200
    assert OTHER not in (await room.as_("department", "GET", "/directory.csv")).text
    trail = (await room.as_("department", "GET", "/actions")).json()["actions"]
    assert [each["target"] for each in trail] == ["edition:2026", f"unit:{UNIT}"]
    assert OTHER not in (await room.as_("department", "GET", "/actions.csv")).text
    assert len((await room.as_("auditor", "GET", "/actions")).json()["actions"]) == 3
    assert len((await room.as_("auditor", "GET", "/units")).json()["units"]) == 2


async def test_the_trail_is_found_by_what_who_and_when_and_comes_in_pages(room: Room) -> None:
    for name in ("Một", "Hai", "Ba"):
        await room.office("POST", f"/units/{UNIT}/rename", json={"name": {"vi": name, "en": name}})
    await room.office("POST", f"/officers/{OFFICER}/move", json={"unit_id": OTHER, "day": "2026-11-30"})

    async def found(**wanted: str) -> list[str]:
        answer = await room.office("GET", "/actions", params=wanted)
        return [each["action"] for each in answer.json()["actions"]]

    assert await found(action="officer_moved") == ["officer_moved"]
    assert await found(about=OFFICER) == ["officer_moved"]
    assert len(await found(about=UNIT)) == 3
    assert await found(**{"from": "2026-11-24"}) == []
    assert len(await found(**{"from": "2026-11-23", "to": "2026-11-23"})) == 4
    assert await found(actor="0" * 32) == []
    first = (await room.office("GET", "/actions", params={"limit": "3"})).json()
    rest = (await room.office("GET", "/actions", params={"before": str(first["before"])})).json()
    assert [len(first["actions"]), len(rest["actions"]), rest["before"]] == [3, 1, None]
    [renamed] = rest["actions"]
    assert renamed["changes"][0]["fields"][0] == {"name": "name.vi", "before": "Sở Y tế", "after": "Một"}
    table = await room.office("GET", "/actions.csv", params={"about": UNIT})
    assert len(table.text.splitlines()) == 1 + 2 * 3
    room.trail.unreadable = 1
    newest = (await room.office("GET", "/actions")).json()["actions"][0]
    assert (newest["number"], newest["action"]) == (4, None)


async def test_an_import_is_previewed_mended_and_applied_as_it_was_shown(room: Room) -> None:
    wrong = TABLE + b"unit,so-moi,,New\n"
    for language, begins in (("vi", "Chưa có nhóm này."), ("en", "There is no such group.")):
        said = {"Accept-Language": language}
        answer = await room.office("POST", "/imports/preview", content=wrong, headers=said)
        [error] = answer.json()["errors"]
        assert (answer.json()["digest"], error["row"], error["column"]) == (None, 3, "group_id")
        assert error["detail"].startswith(begins)
    shown = (await room.office("POST", "/imports/preview", content=TABLE)).json()
    assert [(each["key"], each["change"]) for each in shown["changes"]] == [(f"unit:{UNIT}", "changed")]
    assert room.ledger.written == []
    match = {"If-Match": f'"{shown["digest"]}"'}
    other = await room.office("POST", "/imports", content=TABLE + b"\nunit,x,y,z", headers=match)
    assert (other.status_code, other.json()["type"]) == (412, "urn:hailong:problem:preview_outdated")
    await room.office("POST", f"/units/{OTHER}/close", json={"day": "2027-01-01"})
    moved = await room.office("POST", "/imports", content=TABLE, headers=match)
    assert moved.status_code == 412
    assert len(room.ledger.actions) == 1
    again = (await room.office("POST", "/imports/preview", content=TABLE)).json()
    match = {"If-Match": f'"{again["digest"]}"'}
    done = await room.office("POST", "/imports", content=TABLE, headers=match)
    assert done.status_code == 200
    assert room.ledger.actions[-1].action == "directory_imported"


async def test_a_file_that_is_no_table_is_explained(room: Room) -> None:
    shown = (await room.office("POST", "/imports/preview", content=b"\xff")).json()
    assert [(each["row"], each["code"]) for each in shown["errors"]] == [(None, "not_utf8")]
    applied = await room.office("POST", "/imports", content=b"\xff", headers={"If-Match": "x"})
    assert (applied.status_code, applied.json()["errors"][0]["code"]) == (422, "not_utf8")


async def test_an_edition_is_published_as_it_was_read_or_not_at_all(room: Room) -> None:
    body = edition("2027").model_dump(mode="json")
    body = {name: body[name] for name in ("title", "opens_on", "closes_on", "policy", "instrument")}
    del body["instrument"]["version"]
    keyless = await room.office("PUT", "/editions/2027", json=body)
    assert (keyless.status_code, keyless.json()["errors"][0]["pointer"]) == (422, "/sealing_key")
    body["sealing_key"] = SealingKey(key_id="2027-1", public_key=PUBLIC_KEY).model_dump()
    assert (await room.office("PUT", "/editions/2027", json=body)).status_code == 200
    read = (await room.office("GET", "/editions/2027")).json()
    assert (read["ready"], read["edition"]["instrument"]["version"]) == (False, 1)
    match = {"If-Match": read["etag"]}
    body["title"] = {"vi": "Đợt 2027", "en": "Edition 2027"}
    assert (await room.office("PUT", "/editions/2027", json=body, headers=match)).status_code == 200
    body["title"] = {"vi": "Đợt khác", "en": "Another"}
    late = await room.office("PUT", "/editions/2027", json=body, headers=match)
    assert (late.status_code, late.json()["type"]) == (412, "urn:hailong:problem:edition_changed_meanwhile")
    closed = await room.office("POST", "/editions/2027/close", json={"closes_on": "2026-11-30"})
    assert closed.json()["changes"][0]["change"] == "closed"


async def test_what_cannot_be_done_is_said_by_field_and_nothing_is_written(room: Room) -> None:
    body = {"into": UNIT, "day": "2026-12-01"}
    answer = await room.office("POST", f"/units/{UNIT}/merge", json=body, headers={"Accept-Language": "en"})
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["pointer"]) == (422, "/merged_into")
    assert "cannot merge so" in error["detail"]
    room.ledger.away = True
    answer = await room.office("POST", f"/units/{UNIT}/rename", json=RENAMED)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:hailong:problem:not_confirmed")
    assert room.ledger.written == []


async def test_answers_are_kept_nowhere_and_the_table_has_every_column(room: Room) -> None:
    for path in ("/me", "/units", "/actions", "/directory.csv", "/actions.csv", "/editions"):
        answer = await room.as_("auditor", "GET", path)
        assert answer.headers["cache-control"] == "private, no-store"
        assert "etag" not in answer.headers
    table = await room.as_("auditor", "GET", "/directory.csv")
    assert table.text.lstrip("\ufeff").splitlines()[0] == ",".join(COLUMNS)
