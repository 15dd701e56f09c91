"""Full figures over a fake store and a fake provider: who gets which, and what is written down of it."""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import ValidationError
from structlog.testing import capture_logs

from attacks.routes import routes
from chassis.sign_in import SignIn
from services.aggregation import bootstrap, department_api
from services.aggregation.access import EVERYWHERE, MOST_GRANTS, caller_of
from services.aggregation.answers import Answers
from services.aggregation.department import Department
from services.aggregation.documents import Figures, Period, Snapshot
from services.aggregation.domain import CITY, Level, Measure, Scope
from services.aggregation.edition import Published
from services.aggregation.scales import Answered
from services.aggregation.settings import Settings
from tests.support.figures_app import figures_app
from tests.support.tokens import AUDIENCE, CLAIM, ISSUER, Clock, FakeProvider, token, unsigned

GROUP, OTHER_GROUP = Scope(Level.GROUP, "g"), Scope(Level.GROUP, "g2")
UNIT, OTHER_UNIT = Scope(Level.UNIT, "u"), Scope(Level.UNIT, "u2")
OFFICER, OTHERS_OFFICER = Scope(Level.OFFICER, "u.a"), Scope(Level.OFFICER, "u2.a")
ABOVE = {OFFICER: UNIT, OTHERS_OFFICER: OTHER_UNIT, UNIT: GROUP, OTHER_UNIT: OTHER_GROUP}
KINDS = {Level.GROUP: "groups", Level.UNIT: "units", Level.OFFICER: "officers"}
EVERY = (CITY, GROUP, OTHER_GROUP, UNIT, OTHER_UNIT, OFFICER, OTHERS_OFFICER)


class Store:
    """Full figures: two ratings of everybody, and where everybody belongs."""

    away = False

    async def figures(self, scopes: Sequence[Scope], period: Period) -> Snapshot:
        assert period.edition is None
        if self.away:
            raise ConnectionError
        two = Published({(Measure.ANSWER, "satisfied"): 2})
        return Snapshot(1, [Figures(s, known=s in EVERY, published=two, full=True) for s in scopes])

    async def days(
        self, scope: Scope, edition: str | None, *, predecessors: bool = False, as_of: date | None = None
    ) -> dict[date, Published]:
        assert as_of is None
        assert (scope in EVERY, edition, predecessors) == (True, None, False)
        return {date(2017, 11, 23): Published({(Measure.ANSWER, "satisfied"): 2})}

    async def scales(self, unit: str, edition: str | None) -> list[Answered]:
        raise AssertionError(f"{unit} {edition}: they are the same for all who ask")

    async def children(self, scope: Scope) -> list[Scope]:
        return [each for each, above in ABOVE.items() if above == scope]

    def outage(self, error: BaseException) -> bool:
        return isinstance(error, ConnectionError)

    async def path(self, scope: Scope) -> list[Scope]:
        if scope not in EVERY:
            return []
        found = [scope]
        while found[-1] in ABOVE:
            found.append(ABOVE[found[-1]])
        return found


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
def app(store: Store, provider: FakeProvider) -> FastAPI:
    app = figures_app(store)
    department_api.install(app)
    admission = department_api.Admission(provider.seen_by(Clock()), AUDIENCE, CLAIM)
    answers = Answers(store, lambda: datetime.now(UTC))
    department_api.attach(app, Department(answers, store), admission, store)
    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    url = "http://t/v1/department"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=url) as client:
        yield client


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with capture_logs() as found:
        yield found


def bearer(*grants: str, **changes: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(**{CLAIM: list(grants)} | changes)}", "Accept-Language": "en"}


def for_all(**changes: Any) -> str:
    return token(hailong_departments=EVERYWHERE, **changes)


def address(scope: Scope) -> str:
    return "/satisfaction/city" if scope == CITY else f"/satisfaction/{KINDS[scope.level]}/{scope.id}"


def addresses(scope: Scope) -> list[str]:
    return [address(scope) + what for what in ("", "/history", "/children")]


async def test_a_department_sees_itself_and_its_officers_in_full(client: httpx.AsyncClient) -> None:
    for scope in (UNIT, OFFICER):
        answer = await client.get(address(scope), headers=bearer("u"))
        assert (answer.status_code, answer.json()["total"], answer.json()["suppressed"]) == (200, 2, False)
    history = await client.get(
        f"{address(OFFICER)}/history?from=2017-11-22&to=2017-11-23", headers=bearer("u")
    )
    assert [day["total"] for day in history.json()["days"]] == [0, 2]
    children = await client.get(f"{address(UNIT)}/children", headers=bearer("u"))
    assert [child["scope"]["id"] for child in children.json()["children"]] == ["u.a"]


SEEN = {
    ("u",): {UNIT, OFFICER},
    ("g",): {GROUP, UNIT, OFFICER},
    ("u", "u2"): {UNIT, OFFICER, OTHER_UNIT, OTHERS_OFFICER},
    (EVERYWHERE,): set(EVERY),
    (): set(),
    ("u.a",): set(),  # officers are granted to nobody by themselves
    ("city",): set(),
    ("U", "u ", "u*", "unit:u"): set(),
}


@pytest.mark.parametrize("grants", SEEN)
async def test_exactly_what_is_granted_is_shown(client: httpx.AsyncClient, grants: tuple[str, ...]) -> None:
    headers = bearer(*grants)
    for scope in EVERY:
        statuses = {(await client.get(each, headers=headers)).status_code for each in addresses(scope)}
        assert statuses == ({200} if scope in SEEN[grants] else {404}), scope


async def test_what_is_another_s_and_what_is_not_there_look_the_same(
    client: httpx.AsyncClient,
) -> None:
    others, nobodys = [
        await client.get(f"/satisfaction/officers/{each}", headers=bearer("u")) for each in ("u2.a", "u.zzz")
    ]
    assert (others.status_code, others.content) == (nobodys.status_code, nobodys.content)


async def test_the_overview_lists_what_is_the_caller_s_and_is_there(client: httpx.AsyncClient) -> None:
    async def listed(*grants: str) -> list[tuple[str, str, int]]:
        scopes = (await client.get("/overview", headers=bearer(*grants))).json()["scopes"]
        return [(each["scope"]["level"], each["scope"]["id"], each["total"]) for each in scopes]

    assert await listed("u", "g2", "gone") == [("group", "g2", 2), ("unit", "u", 2)]
    assert await listed(EVERYWHERE, "u") == [("city", "city", 2)]
    assert await listed() == []


@pytest.mark.parametrize("claim", [None, {}, 1, [1, {"u": "u"}, None, [["u"]]], {"u": True}, "", [""]])
async def test_a_claim_of_another_form_grants_nothing(client: httpx.AsyncClient, claim: object) -> None:
    headers = bearer(**{CLAIM: claim})
    assert (await client.get("/overview", headers=headers)).json() == {"scopes": []}
    assert (await client.get(address(UNIT), headers=headers)).status_code == 404


def test_one_id_may_stand_without_a_list_and_a_list_has_an_end() -> None:
    who = {"iss": ISSUER, "sub": "x"}
    assert caller_of({**who, CLAIM: "u"}, CLAIM).grants == {"u"}
    assert len(caller_of({**who, CLAIM: [str(n) for n in range(9_999)]}, CLAIM).grants) == MOST_GRANTS


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer wrong",
        f"Basic {for_all()}",
        f"Bearer {for_all(exp=1)}",
        f"Bearer {for_all(aud='another')}",
        f"Bearer {for_all(iss='https://elsewhere.example')}",
        f"Bearer {unsigned(hailong_departments=EVERYWHERE)}",
    ],
)
async def test_without_a_token_in_force_there_is_one_answer_whatever_is_asked(
    client: httpx.AsyncClient, authorization: str | None
) -> None:
    headers = {"Accept-Language": "en"} | ({"Authorization": authorization} if authorization else {})
    for path in (
        "/overview",
        address(UNIT),
        address(CITY),
        "/satisfaction/units/zzz",
        "/satisfaction/streets/x?to=x",
    ):
        answer = await client.get(path, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (401, "urn:hailong:problem:not_signed_in")
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_token_in_the_address_is_no_token(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"{address(UNIT)}?access_token={for_all()}")).status_code == 401


async def test_answers_are_kept_nowhere_and_read_by_no_other_site_s_page(client: httpx.AsyncClient) -> None:
    elsewhere = {"Origin": "https://elsewhere.example"}
    preflight = {**elsewhere, "Access-Control-Request-Method": "GET"}
    for path in ("/overview", *addresses(UNIT)):
        answer = await client.get(path, headers={**bearer("u"), **elsewhere, "If-None-Match": "*"})
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "private, no-store"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "etag" not in answer.headers
        asked = await client.options(path, headers=preflight)
        for each in (answer, asked, await client.get(path, headers=elsewhere)):
            assert "access-control-allow-origin" not in each.headers


async def test_public_figures_are_the_same_for_who_has_signed_in(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://t/v1") as client:
        answers = [await client.get("satisfaction/units/u", headers=each) for each in ({}, bearer("u"))]
    assert answers[0].headers["etag"] == answers[1].headers["etag"]
    assert answers[0].content == answers[1].content


async def test_every_read_is_recorded_with_who_and_what_and_nothing_personal(
    client: httpx.AsyncClient, lines: list[Any]
) -> None:
    person = {"sub": "0905123456", "name": "Nguyễn Văn A", "email": "a@example.org"}
    await client.get(f"{address(UNIT)}?from=2017-11-01&to=2017-11-30", headers=bearer("u", **person))
    for path in addresses(OFFICER):
        await client.get(path, headers=bearer("u", **person))
    await client.get("/overview", headers=bearer("u", **person))
    read = [line for line in lines if line["event"] == "full figures read"]
    assert [(line["what"], line["scopes"]) for line in read] == [
        ("satisfaction", ["unit:u"]),
        ("satisfaction", ["officer:u.a"]),
        ("history", ["officer:u.a"]),
        ("children", ["officer:u.a"]),
        ("overview", ["unit:u"]),
    ]
    assert read[0]["days"] == ["2017-11-01", "2017-11-30"]
    whose = caller_of({"iss": ISSUER, "sub": person["sub"]}, CLAIM).subject
    assert {line["subject"] for line in read} == {whose}
    assert not [word for word in (*person.values(), token()[:20]) if word in repr(lines)]


async def test_what_is_refused_is_recorded_without_what_the_caller_wrote(
    client: httpx.AsyncClient, lines: list[Any]
) -> None:
    await client.get(address(OTHER_UNIT), headers=bearer("u"))
    await client.get("/satisfaction/units/0905123456", headers=bearer("u"))
    await client.get(address(UNIT), headers=bearer("u", exp=1))
    said = [
        (line["event"], line.get("scope"), line.get("reason"))
        for line in lines
        if line["log_level"] == "warning"
    ]
    assert said == [
        ("full figures refused", "unit:u2", None),
        ("full figures refused", "unknown", None),
        ("token refused", None, "expired_token: exp"),
    ]
    assert "0905123456" not in repr(lines)


async def test_while_the_provider_is_away_nobody_is_let_in_and_is_asked_to_come_back(
    client: httpx.AsyncClient, provider: FakeProvider
) -> None:
    provider.away = True
    answer = await client.get(address(UNIT), headers=bearer("u"))
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:hailong:problem:identity_provider_unavailable"
    assert int(answer.headers["retry-after"]) > 0


async def test_an_outage_of_the_figures_asks_to_come_back(client: httpx.AsyncClient, store: Store) -> None:
    store.away = True
    answer = await client.get(address(UNIT), headers=bearer("u"))
    assert (answer.status_code, answer.json()["retry_after"]) == (503, 2)


def test_without_an_issuer_there_are_no_such_routes() -> None:
    assert not [path for path in routes(bootstrap.api_app(Settings())) if "department" in path]
    oidc = SignIn(issuer=ISSUER, audience=AUDIENCE)
    assert [path for path in routes(bootstrap.api_app(Settings(oidc=oidc))) if "department" in path]


@pytest.mark.parametrize(
    "wrong",
    [
        {"AGGREGATION_OIDC_ISSUER": ISSUER},
        {"AGGREGATION_OIDC_ISSUER": "http://id.example", "AGGREGATION_OIDC_AUDIENCE": "x"},
        {"AGGREGATION_OIDC_ISSUER": "http://127.0.0.1:1", "AGGREGATION_OIDC_AUDIENCE": "x"},
        {
            "AGGREGATION_OIDC_ISSUER": "http://10.0.0.1:1",
            "AGGREGATION_OIDC_AUDIENCE": "x",
            "AGGREGATION_OIDC_LOCAL": "true",
        },
    ],
)
def test_settings_that_would_let_in_the_wrong_people_are_refused(
    monkeypatch: pytest.MonkeyPatch, wrong: dict[str, str]
) -> None:
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError):
        Settings()


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGGREGATION_OIDC_ISSUER", ISSUER)
    monkeypatch.setenv("AGGREGATION_OIDC_AUDIENCE", AUDIENCE)
    monkeypatch.setenv("AGGREGATION_OIDC_DEPARTMENTS_CLAIM", "roles")
    assert Settings().oidc == SignIn(issuer=ISSUER, audience=AUDIENCE, departments_claim="roles")
