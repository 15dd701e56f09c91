"""Sessions in cookies, and the pages around them, over a fake city."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import httpx
import pytest
from fastapi import Request, Response
from pydantic import ValidationError

from attacks.routes import routes
from portal.bootstrap import build
from portal.oidc import Attempt
from portal.pages.signing_in import INSIDE
from portal.session import ATTEMPT, ATTEMPT_SECONDS, SESSION, Session, Sessions, TooLarge, load_key
from portal.settings import Settings
from tests.support.tokens import ISSUER, FakeProvider, token
from tests.unit.portal.conftest import Citizen, OpenPortal
from tests.unit.portal.fake_aggregation import TOKEN
from tests.unit.portal.fake_data import OFFICER, UNITS
from tests.unit.portal.test_languages import VIETNAMESE, without_names

KEY = b"k" * 32
SOON = datetime.now(UTC) + timedelta(minutes=10)
OIDC = {"oidc_issuer": ISSUER, "oidc_client_id": "portal", "public_url": "https://portal.example"}
UNIT = next(iter(UNITS))
ROUTES = {
    "/dang-nhap",
    "/dang-nhap/xong",
    "/dang-xuat",
    "/noi-bo",
    "/noi-bo/thanh-pho",
    "/noi-bo/{kind}/{place}/qr-{paper}.{format}",
    "/noi-bo/nhom/{place}",
    "/noi-bo/don-vi/{place}",
    "/noi-bo/cong-chuc/{place}",
}


def a_session(**changes: Any) -> Session:
    return Session(**{"token": TOKEN, "ends_at": SOON, "name": "Nguyễn Văn A"} | changes)


def bringing(**cookies: str) -> Request:
    said = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return Request({"type": "http", "headers": [(b"cookie", said.encode())]})


def cookie(response: Response | httpx.Response) -> tuple[str, str]:
    """The name and value of the first one that the response sets."""
    name, _, rest = response.headers["set-cookie"].partition("=")
    return name, rest.partition(";")[0]


def begun(sessions: Sessions, session: Session) -> tuple[str, str]:
    response = Response()
    sessions.begin(response, session)
    return cookie(response)


def test_a_session_is_read_by_who_sealed_it_until_it_ends() -> None:
    sessions, session = Sessions(KEY, secure=False), a_session()
    name, value = begun(sessions, session)
    assert TOKEN not in base64.urlsafe_b64decode(value).decode("latin-1")
    assert sessions.read(bringing(**{name: value})) == session
    assert sessions.read(bringing(**{name: value}), SOON - timedelta(seconds=1)) == session
    assert sessions.read(bringing(**{name: value}), SOON) is None
    assert Sessions(b"j" * 32, secure=False).read(bringing(**{name: value})) is None
    assert sessions.read(bringing()) is None


def test_what_was_sealed_for_one_purpose_serves_no_other() -> None:
    sessions, response = Sessions(KEY, secure=False), Response()
    sessions.remember(response, Attempt(next="/noi-bo"))
    _, attempt = cookie(response)
    _, session = begun(sessions, a_session())
    assert sessions.attempt(bringing(**{ATTEMPT: attempt})) is not None
    assert sessions.attempt(bringing(**{ATTEMPT: session})) is None
    assert sessions.read(bringing(**{SESSION: attempt})) is None


def test_every_byte_of_a_cookie_counts() -> None:
    sessions = Sessions(KEY, secure=False)
    _, value = begun(sessions, a_session())
    for place in range(0, len(value) - 4, 7):
        altered = value[:place] + ("A" if value[place] != "A" else "B") + value[place + 1 :]
        assert sessions.read(bringing(**{SESSION: altered})) is None


def test_an_attempt_lasts_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions, response = Sessions(KEY, secure=False), Response()
    now = 1_000_000.0
    monkeypatch.setattr("time.time", lambda: now)
    sessions.remember(response, Attempt(next="/noi-bo"))
    name, value = cookie(response)
    now += ATTEMPT_SECONDS
    assert sessions.attempt(bringing(**{name: value})) is not None
    now += 1
    assert sessions.attempt(bringing(**{name: value})) is None


def test_cookies_are_for_this_host_alone_and_for_no_script() -> None:
    sessions = Sessions(KEY, secure=True)
    responses = [Response() for _ in range(4)]
    sessions.begin(responses[0], a_session())
    sessions.remember(responses[1], Attempt(next="/noi-bo"))
    sessions.end(responses[2])
    sessions.forget_attempt(responses[3])
    said = [each for response in responses for each in response.headers.getlist("set-cookie")]
    assert len(said) == 5  # who has signed in needs the attempt no more
    for each in said:
        name, *attributes = each.split("; ")
        assert name.startswith(("__Host-hl_department=", "__Host-hl_signin="))
        assert {"HttpOnly", "Path=/", "SameSite=lax", "Secure"} <= set(attributes)
        assert not [attribute for attribute in attributes if attribute.startswith("Domain")]


def test_a_token_that_fits_into_no_cookie_is_said_to_be_too_large() -> None:
    begun(Sessions(KEY, secure=True), a_session(token=token_urlsafe(2_000)))
    with pytest.raises(TooLarge):
        begun(Sessions(KEY, secure=True), a_session(token=token_urlsafe(4_000)))


def test_a_form_s_token_is_of_one_session() -> None:
    sessions, one, other = Sessions(KEY, secure=False), a_session(), a_session()
    assert sessions.owns(one, sessions.token(one))
    assert not sessions.owns(other, sessions.token(one))
    assert not sessions.owns(one, "")


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    key = load_key(tmp_path / "keys")
    assert load_key(tmp_path / "keys") == key
    assert (tmp_path / "keys" / "department.key").stat().st_mode & 0o777 == 0o600


# --- off everywhere but where settings say so ------------------------------------------------------------


def test_without_an_issuer_there_is_no_way_in(tmp_path: Path) -> None:
    without = routes(build(Settings(keys_dir=tmp_path)))
    with_one = routes(build(Settings(keys_dir=tmp_path, **OIDC)))  # type: ignore[arg-type]
    further = {path for path in set(with_one) - set(without) if not path.startswith("/office")}
    assert further == ROUTES  # of the office: test_office.py


async def test_only_where_one_can_sign_in_a_page_leads_there(
    citizen: Citizen, open_portal: OpenPortal
) -> None:
    for path in ("/", "/ket-qua", "/gioi-thieu"):
        assert INSIDE not in (await citizen.get(path)).text
    async with open_portal(**OIDC) as with_one:
        assert f'href="{INSIDE}"' in (await with_one.get("/")).text


@pytest.mark.parametrize(
    "changes",
    [
        {"oidc_issuer": "http://provider.example"},
        {"oidc_issuer": "http://127.0.0.1:8004"},
        {"oidc_issuer": "http://10.0.0.1:8004", "oidc_local": True},
        {"oidc_client_id": ""},
        {"public_url": None},
    ],
)
def test_settings_by_which_anybody_could_sign_in_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(**OIDC | changes)
    assert Settings(**OIDC | {"oidc_issuer": "http://127.0.0.1:8004", "oidc_local": True})  # type: ignore[arg-type]


# --- a department's pages ----------------------------------------------------------------------------------


@pytest.fixture
async def signed_in(open_portal: OpenPortal) -> AsyncIterator[Citizen]:
    async with open_portal(**OIDC) as citizen:
        citizen.city.count(1130, 109)
        _bring(citizen, a_session())
        yield citizen


def _bring(citizen: Citizen, session: Session) -> None:
    name, value = begun(Sessions(load_key(citizen.keys), secure=False), session)
    citizen.client.cookies.set(name, value)


PAGES = ("/noi-bo", f"/noi-bo/don-vi/{UNIT}", f"/noi-bo/cong-chuc/{OFFICER}")


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_marked_as_not_public_and_kept_nowhere(signed_in: Citizen, path: str) -> None:
    answer = await signed_in.client.get(path, headers={"If-None-Match": "*"})
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert "etag" not in answer.headers
    assert "content-encoding" not in answer.headers
    assert "Số liệu nội bộ, không công bố" in answer.text


@pytest.mark.parametrize("path", [*PAGES, "/dang-xuat"])
async def test_an_english_page_holds_no_vietnamese(signed_in: Citizen, path: str) -> None:
    await signed_in.get(path, Cookie=f"hl_lang=en; {SESSION}={signed_in.client.cookies[SESSION]}")
    words = without_names(signed_in.page.replace("Nguyễn Văn A", ""))
    assert 'lang="en"' in words
    assert not VIETNAMESE & set(words.casefold())


async def test_full_figures_never_come_out_of_what_is_remembered_of_the_public_ones(
    signed_in: Citizen,
) -> None:
    signed_in.city.suppress_below = 5
    signed_in.city.figures["*"] = (2, 1)
    public = f"/ket-qua/don-vi/{UNIT}"
    signed_in.city.requests.clear()
    for _ in range(2):
        await signed_in.get(f"/noi-bo/don-vi/{UNIT}")
        await signed_in.get(public)
    asked = [each for each in signed_in.city.requests if "/v1/department/satisfaction" in each]
    assert len(asked) == 2 * 3
    signed_in.client.cookies.clear()
    anonymous = await signed_in.client.get(public)
    assert "không công bố" not in anonymous.text
    signed_in.city.aggregation_down = True
    _bring(signed_in, a_session())
    assert (await signed_in.client.get(f"/noi-bo/don-vi/{UNIT}")).status_code == 503
    assert (await signed_in.client.get(public)).status_code == 200


async def test_a_place_that_is_not_the_person_s_is_not_found(signed_in: Citizen) -> None:
    for path in ("/noi-bo/thanh-pho", "/noi-bo/don-vi/nobody"):
        assert (await signed_in.client.get(path)).status_code == 404


async def test_a_token_that_is_not_taken_ends_the_session_and_not_the_api(signed_in: Citizen) -> None:
    _bring(signed_in, a_session(token="another"))
    for path in PAGES:
        answer = await signed_in.client.get(path, headers={"Cookie": f"{SESSION}={_value(signed_in)}"})
        assert answer.status_code == 401
        assert answer.headers["set-cookie"].startswith(f'{SESSION}="";')
    checks = (await signed_in.operations.get("/readyz")).json()["checks"]
    assert checks["aggregation"]["ok"]


def _value(citizen: Citizen) -> str:
    name, value = begun(Sessions(load_key(citizen.keys), secure=False), a_session(token="another"))
    assert name == SESSION
    return value


@pytest.mark.parametrize("path", PAGES)
async def test_who_has_not_signed_in_is_asked_to(open_portal: OpenPortal, path: str) -> None:
    async with open_portal(**OIDC) as citizen:
        answer = await citizen.client.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/dang-nhap?next={path}")
        assert not [each for each in citizen.city.requests if "department" in each]


async def test_while_the_provider_is_away_a_page_says_so(open_portal: OpenPortal) -> None:
    async with open_portal(provider=FakeProvider(away=True), **OIDC) as citizen:
        answer = await citizen.client.get("/dang-nhap")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "15")
    assert "Tạm thời chưa đăng nhập được" in answer.text


NEXT = {
    "/noi-bo": "/noi-bo",
    "/noi-bo/thanh-pho": "/noi-bo/thanh-pho",
    f"/noi-bo/cong-chuc/{OFFICER}": f"/noi-bo/cong-chuc/{OFFICER}",
    "https://elsewhere.example": "/noi-bo",
    "//elsewhere.example/noi-bo": "/noi-bo",
    "/noi-bo//elsewhere.example": "/noi-bo",
    "/noi-bo/don-vi/../../dang-xuat": "/noi-bo",
    "/noi-bo\\elsewhere.example": "/noi-bo",
    "/noi-bo/don-vi/x?lang=en": "/noi-bo",
    "/noi-bo/don-vi/x\r\nSet-Cookie: a=b": "/noi-bo",
    "/noi-bo\n": "/noi-bo",
    "/ket-qua": "/noi-bo",
    "": "/noi-bo",
}


@pytest.mark.parametrize("asked", NEXT)
async def test_signing_in_leads_to_a_department_s_page_and_nowhere_else(
    open_portal: OpenPortal, asked: str
) -> None:
    async with open_portal(provider=FakeProvider(), **OIDC) as citizen:
        answer = await citizen.client.get("/dang-nhap", params={"next": asked})
        assert answer.headers["location"].startswith(f"{ISSUER}/auth?")
        sessions = Sessions(load_key(citizen.keys), secure=False)
        attempt = sessions.attempt(bringing(**dict([cookie(answer)])))
        assert attempt is not None
        assert attempt.next == NEXT[asked]


async def test_one_signs_in_once_and_for_as_long_as_the_token_lasts(open_portal: OpenPortal) -> None:
    provider = FakeProvider()
    async with open_portal(provider=provider, oidc_session=600.0, **OIDC) as citizen:
        for seconds, most in ((300, 300), (9_000, 600)):
            begun = await citizen.client.get("/dang-nhap")
            asked = httpx.URL(begun.headers["location"]).params
            provider.told = httpx.Response(
                200,
                json={
                    "access_token": TOKEN,
                    "token_type": "Bearer",
                    "expires_in": seconds,
                    "id_token": token(aud="portal", nonce=asked["nonce"], header={"typ": "JWT"}),
                },
            )
            back = {"code": "x", "state": asked["state"], "iss": ISSUER}
            done = await citizen.client.get("/dang-nhap/xong", params=back)
            assert (done.status_code, done.headers["location"]) == (303, "/noi-bo")
            said = [each for each in done.headers.get_list("set-cookie") if each.startswith(SESSION)]
            lasts = int(said[0].partition("Max-Age=")[2].partition(";")[0])
            assert most - 60 < lasts <= most
            again = await citizen.client.get("/dang-nhap/xong", params=back)
            assert (again.status_code, len(provider.redeemed)) == (400, 1)
            provider.redeemed.clear()
        assert (await citizen.client.get("/noi-bo")).status_code == 200


async def test_signing_out_takes_the_form_of_this_session_s_own_page(signed_in: Citizen) -> None:
    await signed_in.get("/noi-bo")
    page = signed_in.page
    for wrong in ("", "0" * 64, "é"):
        refused = await signed_in.client.post("/dang-xuat", data={"token": wrong})
        assert (refused.status_code, "set-cookie" in refused.headers) == (403, False)
    given = page.split('name="token" value="')[1].split('"')[0]
    for headers in ({"Origin": "https://elsewhere.test"}, {"Sec-Fetch-Site": "cross-site"}):
        refused = await signed_in.client.post("/dang-xuat", data={"token": given}, headers=headers)
        assert (refused.status_code, "set-cookie" in refused.headers) == (403, False)
    done = await signed_in.client.post("/dang-xuat", data={"token": given})
    assert (done.status_code, done.headers["location"]) == (303, "/dang-xuat")
    assert cookie(done) == (SESSION, '""')
