"""The office's pages over intake's own API, on a ledger in memory."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from attacks.routes import routes
from chassis import problems
from contracts.events import EditionPublished
from portal.bootstrap import build
from portal.session import SESSION, Session, Sessions, load_key
from portal.settings import Settings
from services.intake.bootstrap import install_office, install_paper
from services.intake.office_api import Admission
from services.intake.office_reading import OfficeReading
from tests.support.intake import NOW, OFFICER, UNIT, directory, edition, officer, unit
from tests.support.office import LedgerForms, LedgerTrail, LedgerView, MemoryLedger, office, paper
from tests.support.tokens import AUDIENCE, Clock, FakeProvider, token
from tests.unit.intake.test_office_api import DEPARTMENTS, ROLES, NoKeys
from tests.unit.portal.conftest import OpenPortal
from tests.unit.portal.test_languages import VIETNAMESE, without_names
from tests.unit.portal.test_signing_in import OIDC, begun

OTHER = "so-noi-vu"
FILE = f"type,id,name_vi,name_en\nunit,{UNIT},Sở Y tế mới,Health\n".encode()
NAMES = ("Sở Y tế", "Sở Nội vụ", "Nguyễn Thị Lan", "Khảo sát", "Sở, Ban, Ngành", "Công chức một cửa")


@dataclass
class Person:
    """A browser that has signed in."""

    client: httpx.AsyncClient
    ledger: MemoryLedger
    sessions: Sessions

    def sign_in(self, role: str, name: str = "Jane") -> None:
        claims: dict[str, Any] = {ROLES: role, DEPARTMENTS: [UNIT], "sub": name}
        soon = datetime.now(UTC) + timedelta(minutes=10)
        self.client.cookies.set(
            *begun(self.sessions, Session(token=token(**claims), ends_at=soon, name=name))
        )

    async def page(self, path: str, **headers: str) -> str:
        answer = await self.client.get(path, headers=headers)
        assert answer.status_code == 200, path
        return unescape(answer.text)

    async def token(self) -> str:
        found = re.search(r'name="token" value="([0-9a-f]+)"', await self.page("/office"))
        assert found is not None
        return found[1]


@pytest.fixture
def ledger() -> MemoryLedger:
    there = directory(unit(), unit(OTHER, "Sở Nội vụ", position=1), officer(), edition()).by_key()
    return MemoryLedger(there)


@pytest.fixture(params=["survey-office"])
async def person(
    open_portal: OpenPortal, ledger: MemoryLedger, request: pytest.FixtureRequest
) -> AsyncIterator[Person]:
    intake = FastAPI()
    problems.install(intake)
    intake.state.office_admission = Admission(FakeProvider().seen_by(Clock()), AUDIENCE, ROLES, DEPARTMENTS)
    view, trail = LedgerView(ledger), LedgerTrail(ledger)
    reading = OfficeReading(view, trail, NoKeys(), lambda: NOW)
    install_office(intake, office(ledger), reading)
    install_paper(intake, paper(ledger), reading, LedgerForms(ledger))
    async with open_portal(network=httpx.ASGITransport(app=intake), **OIDC) as citizen:
        somebody = Person(citizen.client, ledger, Sessions(load_key(citizen.keys), secure=False))
        somebody.sign_in(request.param)
        yield somebody


def with_method(method: str) -> list[str]:
    found = routes(build(Settings(**OIDC)))  # type: ignore[arg-type]
    paths = [path for path, methods in found.items() if path.startswith("/office") and method in methods]
    paths = [path for path in paths if "{first}" not in path]  # test_office_forms has forms that were issued
    return [path.format(unit_id=UNIT, officer_id=OFFICER, edition_id="2026") for path in paths]


GETS, POSTS = with_method("GET"), with_method("POST")


def test_each_route_is_known_here() -> None:
    assert (len(GETS), len(POSTS)) == (15, 14)


async def test_who_has_not_signed_in_is_asked_to_whatever_they_send(person: Person) -> None:
    person.client.cookies.clear()
    for method, paths in (("GET", GETS), ("POST", POSTS)):
        for path in paths:
            answer = await person.client.request(method, path)
            assert (answer.status_code, answer.headers["location"][:17]) == (303, "/dang-nhap?next=/")
    assert person.ledger.written == []


@pytest.mark.parametrize("path", POSTS)
async def test_a_post_needs_the_form_s_own_token_and_no_other_site_s_page(person: Person, path: str) -> None:
    for given in ("", "0" * 64, "é"):
        answer = await person.client.post(
            path, data={"token": given, "vi": "X", "en": "X", "day": "2026-12-01"}
        )
        assert answer.status_code == 403
    own = {"token": await person.token(), "vi": "X", "en": "X", "day": "2026-12-01"}
    elsewhere = {"Origin": "https://elsewhere.test"}
    assert (await person.client.post(path, data=own, headers=elsewhere)).status_code == 403
    assert person.ledger.written == []


@pytest.mark.parametrize("person", ["auditor", "department"], indirect=True)
async def test_who_only_reads_is_shown_no_form_and_gets_no_further_with_one(person: Person) -> None:
    for path in ("/office", f"/office/units/{UNIT}", f"/office/officers/{OFFICER}", "/office/editions/2026"):
        page = await person.page(path)
        assert "Vai trò này chỉ được xem" in page
        assert re.findall(r'action="/office/[^"]+" method="post"[^>]*>.*?type="submit"', page, re.S) == []
    own = await person.token()
    for path in POSTS:
        files = {"file": FILE} if path == "/office/import" else None
        data = {"token": own, "vi": "X", "en": "X", "day": "2026-12-01", "edition_id": "2026"}
        answer = await person.client.post(path, data=data, files=files)
        assert answer.status_code in (403, 422), path
    assert person.ledger.written == []


@pytest.mark.parametrize("person", ["department"], indirect=True)
async def test_a_department_finds_its_own_and_no_other(person: Person) -> None:
    assert OTHER not in await person.page("/office/units")
    assert (await person.client.get(f"/office/units/{OTHER}")).status_code == 404


@pytest.mark.parametrize("person", ["nobody"], indirect=True)
async def test_who_has_no_role_is_told_so(person: Person) -> None:
    answer = await person.client.get("/office")
    assert answer.status_code == 403
    assert "Tài khoản chưa được phân vai trò" in unescape(answer.text)


async def test_pages_are_kept_nowhere_and_an_english_one_holds_no_vietnamese(person: Person) -> None:
    cookies = f"hl_lang=en; {SESSION}={person.client.cookies[SESSION]}"
    for path in GETS:
        answer = await person.client.get(path, headers={"Cookie": cookies})
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store"), path
        if not path.endswith(".csv"):
            words = unescape(answer.text)
            for name in NAMES:
                words = words.replace(name, "")
            found = set(without_names(re.sub(r'(value|label)="[^"]*"', "", words)).lower()) & VIETNAMESE
            assert not found, path


async def test_a_file_is_previewed_and_applied_unless_somebody_was_quicker(person: Person) -> None:
    own = await person.token()
    nothing = await person.client.post("/office/import", data={"token": own})
    assert (nothing.status_code, "Hãy chọn một tệp." in unescape(nothing.text)) == (422, True)
    shown = await person.client.post("/office/import", data={"token": own}, files={"file": FILE})
    fields = dict(re.findall(r'name="(packed|digest)" value="([^"]+)"', shown.text))
    fields = {"token": own, **{name: unescape(value) for name, value in fields.items()}}
    person.ledger.there[f"unit:{OTHER}"] = unit(OTHER, "Đã đổi", position=1)
    late = await person.client.post("/office/import/apply", data=fields)
    assert (late.status_code, person.ledger.written) == (412, [])
    assert "Áp dụng đúng như trên" in unescape(late.text)
    fields["digest"] = re.findall(r'name="digest" value="([^"]+)"', late.text)[0]
    done = await person.client.post("/office/import/apply", data=fields)
    assert (done.status_code, done.headers["location"]) == (303, "/office/import?done=directory_imported")
    assert "Đã ghi: Nhập danh mục." in await person.page(done.headers["location"])
    for packed in ("!", "AAAA"):
        refused = await person.client.post("/office/import/apply", data={**fields, "packed": packed})
        assert refused.status_code in (404, 422)


async def test_a_mistake_is_said_at_its_field_and_what_was_typed_stays(person: Person) -> None:
    own = await person.token()
    body = {"token": own, "vi": "Tên đã gõ", "en": ""}
    answer = await person.client.post(f"/office/units/{UNIT}/rename", data=body)
    assert answer.status_code == 422
    assert 'value="Tên đã gõ"' in unescape(answer.text)
    body = {"token": own, "unit_id": "Sở", "vi": "X", "en": "X", "group_id": "so-ban-nganh"}
    answer = await person.client.post("/office/units", data=body)
    assert (answer.status_code, 'aria-invalid="true"' in answer.text) == (422, True)
    assert person.ledger.written == []


@pytest.mark.parametrize("path", [f"/office/units/{UNIT}/merge", f"/office/officers/{OFFICER}/move"])
async def test_who_chooses_no_unit_acts_on_none(person: Person, path: str) -> None:
    form = await person.page(path.rpartition("/")[0])
    name = re.search(
        r'<select class="ds-input" id="[^"]+" name="(into|unit_id)">\s*<option value=""></option>', form
    )
    assert name is not None, "none is chosen beforehand"
    own = {"token": await person.token(), "day": "2026-12-01", "with_officers": "yes", name[1]: ""}
    answer = await person.client.post(path, data=own)
    assert answer.status_code == 422
    assert "Hãy chọn đơn vị." in unescape(answer.text)
    assert person.ledger.written == []


async def test_a_closed_unit_reopens_on_its_page_as_an_action_like_any_other(person: Person) -> None:
    own = {"token": await person.token()}
    await person.client.post(f"/office/units/{UNIT}/close", data={**own, "day": "2026-12-01"})
    assert "Mở lại đơn vị" in await person.page(f"/office/units/{UNIT}")
    done = await person.client.post(f"/office/units/{UNIT}/reopen", data=own)
    assert (done.status_code, done.headers["location"]) == (303, f"/office/units/{UNIT}?done=unit_reopened")
    page = await person.page(done.headers["location"])
    assert "Đã ghi: Mở lại đơn vị." in page
    assert "Đóng đơn vị" in page
    assert "closed_on: 2026-12-01 →" in page
    again = await person.client.post(f"/office/units/{UNIT}/reopen", data=own)
    assert again.headers["location"].endswith("done=unchanged")


async def test_an_edition_s_rules_for_screens_files_and_respondents_are_published_and_shown(
    person: Person,
) -> None:
    rules = {"verification": "captcha", "proof_of_work": "none", "file_numbers": "optional"}
    numbers = {"duplicate_window_days": "1", "phone_retention_days": "90"}
    numbers |= {"officer_batch": "5", "officer_hour": "7", "suppress_below": "5"}
    texts = {"title_vi": "A", "title_en": "A", "question_vi": "B", "question_en": "B"}
    answers = {name: ["satisfied", "not_satisfied"] for name in ("answer_id", "answer_vi", "answer_en")}
    form = {
        **{"token": await person.token(), "edition_id": "2026", "instrument_id": "two-answer"},
        **{"opens_on": "2026-01-01", "closes_on": "2026-12-31", "asks_respondent": "yes"},
        **{f"reason_{part}": ["late", "other"] for part in ("id", "vi", "en")},
        **{**rules, **numbers, **texts, **answers, "vouching": ["device"], "asks_reasons": "not_satisfied"},
    }
    done = await person.client.post("/office/editions", data=form)
    assert done.status_code == 303, unescape(done.text)
    edition_now = person.ledger.there["edition:2026"]
    assert isinstance(edition_now, EditionPublished)
    policy = edition_now.policy
    assert (policy.vouching, policy.file_numbers, policy.asks_respondent) == (("device",), "optional", True)
    page = await person.page("/office/editions/2026")
    assert re.search(r'value="device" checked', page)
    assert not re.search(r'value="paper" checked', page)
    assert re.search(r'value="optional" selected', page)
    assert re.search(r'name="asks_respondent" value="yes" checked', page)
