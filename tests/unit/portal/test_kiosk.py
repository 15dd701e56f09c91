"""A screen at a desk, over a fake city: enrolled, forgetful, shut out when its key is revoked."""

import pytest

from portal.device import COOKIE, Devices
from portal.draft import load_key, path_of
from tests.unit.portal.conftest import FORM, PHONE, Citizen, OpenPortal
from tests.unit.portal.fake_data import OFFICER, officers_of
from tests.unit.portal.test_signing_in import bringing

KEY = "hailong_kiosk-key"
UNIT = OFFICER.partition(".")[0]


@pytest.fixture
async def kiosk(citizen: Citizen) -> Citizen:
    citizen.city.clients[KEY] = ["kiosk"]
    answer = await citizen.post("/kiosk", key=KEY, unit=UNIT)
    assert (answer.status_code, answer.url.path) == (200, "/kiosk")
    return citizen


def kept(citizen: Citizen) -> set[str]:
    """What the browser keeps beside its own enrolment."""
    return {cookie.name for cookie in citizen.client.cookies.jar} - {COOKIE}


async def test_ratings_from_it_are_posted_with_its_own_key_as_kiosk_s(kiosk: Citizen) -> None:
    visits = set()
    for _ in range(3):
        await kiosk.get("/kiosk")
        await kiosk.fill_form()
        await kiosk.send_code()
        assert kiosk.city.posts[-1]["body"]["channel"] == "kiosk"
        assert kiosk.city.headers[-1]["authorization"] == f"Bearer {KEY}"
        visits.add(kiosk.city.headers[-1]["hailong-session"])
    assert len(visits) == 3  # each citizen is one


async def test_its_first_page_shows_the_unit_s_officers_and_nothing_that_leads_out(kiosk: Citizen) -> None:
    page = (await kiosk.get("/kiosk")).text
    for officer in officers_of(UNIT):
        assert f'href="{path_of(officer["id"])}"' in page
    for path in ("/kiosk", FORM):
        page = (await kiosk.get(path)).text
        for out in ('href="tel:', 'href="mailto:', 'href="/ket-qua', 'href="/gioi-thieu', 'href="/"'):
            assert out not in page


@pytest.mark.parametrize(
    "path", ["/", "/ket-qua", "/gioi-thieu", "/danh-gia", "/danh-gia/tim-kiem", "/nowhere", "/r/x"]
)
async def test_whatever_else_is_asked_for_leads_back_to_it(kiosk: Citizen, path: str) -> None:
    answer = await kiosk.client.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/kiosk")


async def test_another_unit_s_officer_is_not_rated_there(kiosk: Citizen) -> None:
    kiosk.city.moved[OFFICER] = "hai-chau"
    assert (await kiosk.get(FORM)).url.path == "/kiosk"


@pytest.mark.parametrize("how_far", ["the form", "the reasons", "the code", "the thanks", "another language"])
async def test_nothing_is_left_of_whoever_stood_there_before(kiosk: Citizen, how_far: str) -> None:
    await kiosk.get(FORM)
    if how_far != "the form":
        answer = "not_satisfied" if how_far == "the reasons" else "satisfied"
        await kiosk.post(FORM, phone=PHONE, answer=answer, consent="yes")
    if how_far == "the thanks":
        await kiosk.send_code()
    if how_far == "another language":
        await kiosk.get(f"{FORM}?lang=en")
    assert "hl_draft" in kept(kiosk)
    page = (await kiosk.get("/kiosk")).text
    assert 'lang="vi"' in page
    assert kept(kiosk) == set()
    assert PHONE not in (await kiosk.get(FORM)).text


async def test_nothing_is_left_of_a_poster_that_was_opened_before_it_was_enrolled(citizen: Citizen) -> None:
    citizen.city.clients[KEY] = ["kiosk"]
    citizen.client.cookies.set("hl_poster", "x", domain="portal.test", path="/danh-gia")
    await citizen.post("/kiosk", key=KEY, unit=UNIT)
    assert kept(citizen) == set()


async def test_on_its_first_page_the_other_language_can_be_chosen(kiosk: Citizen) -> None:
    assert 'lang="en"' in (await kiosk.get("/kiosk?lang=en")).text
    assert 'lang="en"' in (await kiosk.get(FORM)).text


async def test_a_form_there_asks_the_browser_to_fill_nothing_in(kiosk: Citizen) -> None:
    page = (await kiosk.get(FORM)).text
    assert 'autocomplete="tel"' not in page
    assert 'autocomplete="on"' not in page


@pytest.mark.parametrize("key", ["", "hailong_other", "not for kiosks", "ễ", "a\r\nb", "x" * 200])
async def test_it_is_enrolled_with_a_key_in_force_for_kiosks_alone(citizen: Citizen, key: str) -> None:
    citizen.city.clients = {KEY: ["kiosk"], "not%20for%20kiosks": ["portal"], "hailong_portal": ["portal"]}
    for given in (key, "hailong_portal"):
        answer = await citizen.post("/kiosk", key=given, unit=UNIT)
        assert (answer.status_code, COOKIE in citizen.client.cookies) == (422, False)
        assert "Nhập khóa đang có hiệu lực" in citizen.page
        assert not given or given not in citizen.page


@pytest.mark.parametrize("unit", ["", "nowhere"])
async def test_it_is_enrolled_for_a_unit_of_the_directory(citizen: Citizen, unit: str) -> None:
    citizen.city.clients[KEY] = ["kiosk"]
    assert (await citizen.post("/kiosk", key=KEY, unit=unit)).status_code == 422
    assert KEY not in citizen.page


async def test_another_site_s_page_enrols_and_removes_none(kiosk: Citizen) -> None:
    for path in ("/kiosk", "/kiosk/thiet-bi"):
        for headers in ({"Origin": "https://elsewhere.test"}, {"Sec-Fetch-Site": "cross-site"}):
            answer = await kiosk.client.post(path, data={"key": KEY, "unit": UNIT}, headers=headers)
            assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


async def test_the_key_is_in_the_cookie_sealed_and_on_no_page(kiosk: Citizen) -> None:
    sealed = kiosk.client.cookies[COOKIE]
    assert KEY not in sealed
    for path in ("/kiosk", FORM, "/kiosk/thiet-bi"):
        assert KEY not in (await kiosk.get(path)).text
    own = Devices(load_key(kiosk.keys), secure=False).read(bringing(**{COOKIE: sealed}))
    assert own is not None
    assert own.key == KEY
    assert Devices(b"another", secure=False).read(bringing(**{COOKIE: sealed})) is None


async def test_a_revoked_key_shuts_it_out_before_anybody_enters_anything(kiosk: Citizen) -> None:
    kiosk.city.clients.clear()
    assert (await kiosk.get("/kiosk")).status_code == 401
    assert "Màn hình này đã ngừng nhận đánh giá" in kiosk.page
    assert kept(kiosk) == set()
    assert COOKIE not in kiosk.client.cookies
    assert "Đăng ký màn hình tại quầy" in (await kiosk.get("/kiosk")).text


async def test_a_key_revoked_meanwhile_shuts_it_out_and_forgets_what_was_entered(kiosk: Citizen) -> None:
    await kiosk.fill_form()
    kiosk.city.clients.clear()
    kiosk.city.takes_no_key = True
    answer = await kiosk.send_code()
    assert answer.status_code == 401
    assert "Đánh giá chưa được gửi" in kiosk.page
    assert kept(kiosk) == set()
    assert COOKIE not in kiosk.client.cookies
    checks = (await kiosk.operations.get("/readyz")).json()["checks"]
    assert checks["intake"]["ok"]  # nobody else notices


async def test_while_intake_is_away_its_first_page_says_so_and_it_stays_enrolled(kiosk: Citizen) -> None:
    kiosk.city.intake_down = True
    await kiosk.get("/kiosk")
    assert COOKIE in kiosk.client.cookies


async def test_its_staff_makes_it_an_ordinary_browser_again(kiosk: Citizen) -> None:
    assert "Màn hình thử" in (await kiosk.get("/kiosk/thiet-bi")).text
    await kiosk.post("/kiosk/thiet-bi")
    assert COOKIE not in kiosk.client.cookies
    assert (await kiosk.get("/")).url.path == "/"


async def test_nobody_is_at_a_kiosk_by_saying_so(open_portal: OpenPortal) -> None:
    async with open_portal() as citizen:
        citizen.client.cookies.set(COOKIE, "forged")
        await citizen.get(f"{FORM}?kenh=kiosk")
        await citizen.post(FORM, phone=PHONE, answer="satisfied", consent="yes")
        await citizen.send_code()
        assert citizen.city.posts[0]["body"]["channel"] == "portal"
        assert "authorization" not in citizen.city.headers[0]
