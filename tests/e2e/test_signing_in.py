"""A department signs in with a real OpenID Connect provider, and sees its officers in full."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from html import unescape

import httpx
import pytest
from playwright.async_api import expect
from starlette.responses import Response

from chassis import key_files
from portal.session import KEY, SESSION, Session, Sessions
from tests.e2e.browser import Visitor
from tests.e2e.city import Place, counted
from tests.e2e.looking import look_at
from tests.support.system import OFFICER, UNIT, System, new_phone

HEAD = "Lãnh đạo Sở Thông tin và Truyền thông"
OURS, OTHERS = f"/noi-bo/don-vi/{UNIT}", "/noi-bo/don-vi/so-xay-dung"


@pytest.fixture
async def http(system: System) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without a screen."""
    async with httpx.AsyncClient(base_url=system.url("portal"), follow_redirects=True, timeout=30) as client:
        yield client


async def asked(http: httpx.AsyncClient, person: str, path: str = "/noi-bo") -> httpx.Response:
    """What the provider answers to who says to be `person`: back to the portal, not followed yet."""
    page = await http.get("/dang-nhap", params={"next": path})
    assert page.url.path.startswith("/interaction/"), page.text
    chosen = await http.post(page.url, data={"person": person}, follow_redirects=False)
    return await http.get(chosen.headers["location"], follow_redirects=False)


async def sign_in(http: httpx.AsyncClient, person: str, path: str = "/noi-bo") -> httpx.Response:
    return await http.get((await asked(http, person, path)).headers["location"])


def sealed(system: System, session: Session) -> str:
    """A session's cookie, made with the portal's own key."""
    made = Response()
    Sessions(key_files.read(system.wiring.keys("portal") / KEY), secure=False).begin(made, session)
    return made.headers["set-cookie"].partition(";")[0].removeprefix(f"{SESSION}=")


async def test_a_head_of_department_signs_in_looks_and_signs_out(
    visitor: Visitor, system: System, place: Place
) -> None:
    sent = await system.submit(
        officer_id=place.officer_id, answer="not_satisfied", reasons=["late"], phone=new_phone()
    )
    assert (await system.outcome(sent.rating_id))["status"] == "accepted"
    await counted(system, place, not_satisfied=1)
    page = await visitor.open("/ket-qua")
    await page.get_by_role("link", name="Dành cho đơn vị").click()
    await page.get_by_role("button", name="Phòng khảo sát").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Số liệu của đơn vị")
    await look_at(page, "10-department-overview")
    await visitor.open(f"/noi-bo/don-vi/{place.unit_id}", page)
    await expect(page.get_by_text("Số liệu nội bộ, không công bố")).to_be_visible()
    await page.get_by_role("link", name=place.officer).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(place.officer)
    await expect(page.locator("[aria-labelledby=theo-ngay] tbody tr")).to_have_count(1)
    await look_at(page, "10-department-officer")
    await page.emulate_media(media="print")
    await expect(page.get_by_role("button", name="Đăng xuất")).to_be_hidden()
    await expect(page.get_by_text("Số liệu nội bộ, không công bố")).to_be_visible()
    await page.emulate_media(media="screen")
    await page.get_by_role("button", name="Đăng xuất").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Đã đăng xuất khỏi Hài Lòng")
    await look_at(page, "10-signed-out")
    await page.get_by_role("link", name="Đăng xuất khỏi tài khoản của thành phố").click()
    await page.get_by_role("button", name="Sign out").click()
    await visitor.open("/noi-bo", page)
    await expect(page.get_by_role("button", name="Phòng khảo sát")).to_be_visible()
    provider = system.url("identity-provider")
    visitor.strayed = [url for url in visitor.strayed if not url.startswith(provider)]


async def test_a_department_sees_what_is_its_own_and_nothing_else(
    http: httpx.AsyncClient, system: System
) -> None:
    page = await sign_in(http, "head-of-unit", OURS)
    assert (page.status_code, page.url.path) == (200, OURS)
    assert HEAD in unescape(page.text)
    assert page.headers["cache-control"] == "no-store"
    assert "etag" not in page.headers
    assert (await http.get(f"/noi-bo/cong-chuc/{OFFICER}")).status_code == 200
    for path in (OTHERS, "/noi-bo/nhom/so-ban-nganh", "/noi-bo/thanh-pho", "/noi-bo/don-vi/khong-co"):
        assert (await http.get(path)).status_code == 404
    assert UNIT in (await http.get("/noi-bo")).text


async def test_whoever_is_granted_nothing_is_told_so(http: httpx.AsyncClient) -> None:
    page = await sign_in(http, "nobody")
    assert (page.status_code, page.url.path) == (200, "/noi-bo")
    assert "chưa được xem số liệu đầy đủ của đơn vị nào" in unescape(page.text)
    assert (await http.get(OURS)).status_code == 404


async def test_signing_in_leads_to_a_page_of_ours_only(http: httpx.AsyncClient) -> None:
    for path in ("https://elsewhere.example", "//elsewhere.example", "/ket-qua", "/noi-bo/../\\elsewhere"):
        page = await sign_in(http, "head-of-unit", path)
        assert page.url.path == "/noi-bo"
        assert page.url.host == "127.0.0.1"
        http.cookies.clear()


async def test_what_the_provider_sent_back_is_of_use_once_and_to_this_browser_alone(
    http: httpx.AsyncClient, system: System
) -> None:
    back = (await asked(http, "head-of-unit")).headers["location"]
    attempt = dict(http.cookies)
    async with httpx.AsyncClient(base_url=system.url("portal")) as another:
        stolen = await another.get(back)
    assert (stolen.status_code, SESSION in stolen.cookies) == (400, False)
    for changed in (back.replace("state=", "state=x"), back.replace("iss=http", "iss=https")):
        async with httpx.AsyncClient(base_url=system.url("portal"), cookies=attempt) as mixed_up:
            refused = await mixed_up.get(changed)
        assert (refused.status_code, SESSION in refused.cookies) == (400, False)
    assert (await http.get(back)).status_code == 200
    async with httpx.AsyncClient(base_url=system.url("portal"), cookies=attempt) as again:
        replayed = await again.get(back)
    assert (replayed.status_code, SESSION in replayed.cookies) == (400, False)


async def test_a_cookie_that_was_altered_or_is_of_another_kind_is_none(http: httpx.AsyncClient) -> None:
    await sign_in(http, "head-of-unit")
    good = http.cookies[SESSION]
    for bad in (good[:-5] + "AAAA=", "A" + good[1:], "", "gAAAAABforged"):
        answer = await http.get(OURS, headers={"Cookie": f"{SESSION}={bad}"}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/dang-nhap?next={OURS}")


async def test_a_session_ends_and_a_token_that_is_not_taken_ends_it(
    http: httpx.AsyncClient, system: System
) -> None:
    soon, long_ago = (datetime.now(UTC) + timedelta(minutes=each) for each in (5, -5))
    over = sealed(system, Session(token="x", ends_at=long_ago, name=""))
    answer = await http.get(OURS, headers={"Cookie": f"{SESSION}={over}"}, follow_redirects=False)
    assert answer.status_code == 303
    http.cookies.set(SESSION, sealed(system, Session(token="x", ends_at=soon, name="")))
    answer = await http.get(OURS)
    assert answer.status_code == 401
    assert "Phiên đăng nhập đã kết thúc" in unescape(answer.text)
    assert (await http.get("/ket-qua")).status_code == 200


async def test_signing_out_takes_the_form_of_this_session_s_own_page(http: httpx.AsyncClient) -> None:
    page = await sign_in(http, "head-of-unit")
    token = page.text.split('name="token" value="')[1].split('"')[0]
    for wrong in ({}, {"token": "0" * 64}):
        assert (await http.post("/dang-xuat", data=wrong)).status_code == 403
    elsewhere = {"Origin": "https://elsewhere.example"}
    assert (await http.post("/dang-xuat", data={"token": token}, headers=elsewhere)).status_code == 403
    assert (await http.get("/noi-bo", follow_redirects=False)).status_code == 200
    assert (await http.post("/dang-xuat", data={"token": token})).status_code == 200
    assert (await http.get("/noi-bo", follow_redirects=False)).status_code == 303


async def test_each_time_one_signs_in_the_session_is_another(http: httpx.AsyncClient) -> None:
    seen = set()
    for _ in range(2):
        await sign_in(http, "head-of-unit")
        seen.add(http.cookies[SESSION])
        http.cookies.clear()
    assert len(seen) == 2


async def test_without_the_provider_nobody_signs_in_and_everything_public_goes_on(
    http: httpx.AsyncClient, system: System
) -> None:
    assert system.identity_provider is not None
    page = await sign_in(http, "head-of-unit", OURS)
    await system.identity_provider.process.kill()
    try:
        for path in ("/", "/ket-qua", OURS):  # who is signed in goes on, while keys are remembered
            assert (await http.get(path)).status_code == 200
        async with httpx.AsyncClient(base_url=system.url("portal")) as another:
            begun = await another.get("/dang-nhap", follow_redirects=False)
            assert begun.status_code == 303  # what the provider says of itself is remembered too
            cookies, state = dict(begun.cookies), httpx.URL(begun.headers["location"]).params["state"]
            back = {"state": state, "code": "x", "iss": system.url("identity-provider")}
            another.cookies = httpx.Cookies(cookies)
            failed = await another.get("/dang-nhap/xong", params=back)
        assert (failed.status_code, failed.headers["retry-after"]) == (503, "15")
    finally:
        await system.identity_provider.start()
    assert page.status_code == 200
