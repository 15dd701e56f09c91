"""Rules that hold for every route of the portal: a new one has to be thought about here."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from cryptography.fernet import Fernet

from attacks.routes import routes
from portal import embedding
from portal.bootstrap import build
from portal.draft import load_key
from portal.settings import Settings
from tests.unit.portal.conftest import FORM, PHONE, Citizen

WALK = "/danh-gia/cong-chuc/{officer_id}"
UNIT = "so-thong-tin-va-truyen-thong"
OFFICER = FORM.rpartition("/")[2]
PROBES = {"/healthz", "/readyz"}
ASKED_AGAIN, NOWHERE = "no-cache", "no-store"
KEPT = {
    "/": ("/", ASKED_AGAIN),
    "/gioi-thieu": ("/gioi-thieu", ASKED_AGAIN),
    "/rut-lai": ("/rut-lai", ASKED_AGAIN),
    "/danh-gia": ("/danh-gia", ASKED_AGAIN),
    "/r/{code}": ("/r/made-up", NOWHERE),
    "/kiosk": ("/kiosk", NOWHERE),
    "/kiosk/khi-mat-mang": ("/kiosk/khi-mat-mang", NOWHERE),
    "/kiosk/worker.js": ("/kiosk/worker.js", NOWHERE),
    "/kiosk/thiet-bi": ("/kiosk/thiet-bi", NOWHERE),
    "/danh-gia/tim-kiem": ("/danh-gia/tim-kiem?q=phuong", ASKED_AGAIN),
    "/danh-gia/nhom/{group_id}": ("/danh-gia/nhom/so-ban-nganh", ASKED_AGAIN),
    "/danh-gia/don-vi/{unit_id}": (f"/danh-gia/don-vi/{UNIT}", ASKED_AGAIN),
    "/static/{name}": ("/static/made-site.css", "public, max-age=31536000, immutable"),
    "/embed/{version}/hai-long-rating.js": (
        f"/embed/{embedding.VERSION}/hai-long-rating.js",
        "public, max-age=31536000, immutable",
    ),
    "/favicon.ico": ("/favicon.ico", "public, max-age=86400"),
    "/ket-qua": ("/ket-qua", ASKED_AGAIN),
    "/ket-qua/{table}.csv": ("/ket-qua/history.csv", NOWHERE),
    "/ket-qua/{kind}/{place}/{table}.csv": ("/ket-qua/nhom/so-ban-nganh/children.csv", NOWHERE),
    "/ket-qua/nhom/{place}": ("/ket-qua/nhom/so-ban-nganh", ASKED_AGAIN),
    "/ket-qua/don-vi/{place}": (f"/ket-qua/don-vi/{UNIT}", ASKED_AGAIN),
    "/ket-qua/cong-chuc/{place}": (f"/ket-qua/cong-chuc/{OFFICER}", ASKED_AGAIN),
    WALK: (FORM, NOWHERE),
    f"{WALK}/ly-do": (f"{FORM}/ly-do", NOWHERE),
    f"{WALK}/cau-hoi-them": (f"{FORM}/cau-hoi-them", NOWHERE),
    f"{WALK}/ma-xac-thuc": (f"{FORM}/ma-xac-thuc", NOWHERE),
    f"{WALK}/ma-xac-thuc/tinh-toan": (f"{FORM}/ma-xac-thuc/tinh-toan", NOWHERE),
    f"{WALK}/ma-xac-thuc/{{name}}": (f"{FORM}/ma-xac-thuc/hinh.png", NOWHERE),
    f"{WALK}/xu-ly": (f"{FORM}/xu-ly", NOWHERE),
    f"{WALK}/ma-dien-thoai": (f"{FORM}/ma-dien-thoai", NOWHERE),
    f"{WALK}/cam-on": (f"{FORM}/cam-on", NOWHERE),
    f"{WALK}/da-dong": (f"{FORM}/da-dong", ASKED_AGAIN),
}


def with_method(method: str) -> set[str]:
    found = routes(build(Settings()))
    return {path for path, methods in found.items() if method in methods} - PROBES


def test_each_page_has_a_rule_for_who_may_keep_it() -> None:
    assert with_method("GET") == set(KEPT)


@pytest.mark.parametrize("path", KEPT)
async def test_a_page_is_kept_as_its_rule_says(citizen: Citizen, path: str) -> None:
    address, rule = KEPT[path]
    if rule == NOWHERE:
        await citizen.fill_form()  # so that there is something to keep
    answer = await citizen.client.get(address, headers={"Accept-Encoding": "identity"})
    assert answer.headers["cache-control"] == rule
    assert ("etag" in answer.headers) is (rule == ASKED_AGAIN)
    if rule == ASKED_AGAIN:
        again = await citizen.client.get(address, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        other = await citizen.client.get(
            address, headers={"If-None-Match": answer.headers["etag"], "Cookie": "hl_lang=en"}
        )
        assert (other.status_code, other.headers["content-language"]) == (200, "en")


async def test_an_answer_that_sets_a_cookie_or_went_wrong_is_kept_nowhere(citizen: Citizen) -> None:
    for address in ("/?lang=en", "/nothing-here", "/ket-qua/don-vi/nobody"):
        assert (await citizen.client.get(address)).headers["cache-control"] == NOWHERE


async def _nothing(citizen: Citizen) -> None:
    await citizen.get(FORM)


async def _at_reasons(citizen: Citizen) -> None:
    await citizen.fill_form("not_satisfied")


async def _at_code(citizen: Citizen) -> None:
    await citizen.fill_form()


async def _at_phone_code(citizen: Citizen) -> None:
    citizen.city.policy = "captcha_and_phone"
    await citizen.fill_form()
    await citizen.send_code()


async def _at_scales(citizen: Citizen) -> None:
    citizen.city.asks_further = True
    await citizen.fill_form()
    await citizen.post(f"{FORM}/ly-do")


POSTS: dict[str, tuple[Callable[[Citizen], Awaitable[None]], dict[str, Any]]] = {
    WALK: (_nothing, {"phone": PHONE, "answer": "satisfied", "consent": "yes"}),
    f"{WALK}/ly-do": (_at_reasons, {"reasons": ["khac"]}),
    f"{WALK}/cau-hoi-them": (_at_scales, {"nine/time": "good"}),
    f"{WALK}/ma-xac-thuc": (_at_code, {"code": "000000"}),
    f"{WALK}/ma-xac-thuc/doi-ma": (_at_code, {}),
    f"{WALK}/xu-ly": (_at_phone_code, {}),
    f"{WALK}/ma-dien-thoai": (_at_phone_code, {"code": "123456"}),
    "/rut-lai": (_at_code, {"receipt": "A" * 24}),
}
WITH_A_TOKEN = sorted(POSTS.keys() - {"/rut-lai"})  # what a receipt may do, it may do from any page of ours

OF_SCREENS = {"/kiosk", "/kiosk/gui", "/kiosk/thiet-bi"}  # hold no draft: see test_kiosk and test_kept


def test_each_post_is_known_here() -> None:
    assert with_method("POST") == set(POSTS) | OF_SCREENS
    assert not any(with_method(method) for method in ("PUT", "PATCH", "DELETE"))


@pytest.mark.parametrize("path", POSTS)
async def test_a_post_that_another_site_s_page_started_is_refused(citizen: Citizen, path: str) -> None:
    reach, fields = POSTS[path]
    await reach(citizen)
    before, sent = draft(citizen), list(citizen.city.posts)
    for headers in (
        {"Origin": "https://elsewhere.test"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        data = {**fields, "token": token(citizen)}
        answer = await citizen.client.post(address(path), data=data, headers=headers)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
    assert (draft(citizen), citizen.city.posts) == (before, sent)


@pytest.mark.parametrize("given", ["", "0" * 64, "é", "another"])
@pytest.mark.parametrize("path", WITH_A_TOKEN)
async def test_a_post_without_the_form_s_own_token_changes_nothing(
    citizen: Citizen, path: str, given: str
) -> None:
    reach, fields = POSTS[path]
    await reach(citizen)
    before, sent = draft(citizen), list(citizen.city.posts)
    answer = await citizen.client.post(address(path), data={**fields, "token": given})
    if path in (WALK, f"{WALK}/xu-ly"):  # what was typed is kept, and has to be sent again
        assert answer.headers["location"] == f"{FORM}?phien=het-han"
    else:
        assert draft(citizen) == before
    assert (draft(citizen)["frozen"], citizen.city.posts) == (before["frozen"], sent)


@pytest.mark.parametrize("path", WITH_A_TOKEN)
async def test_with_the_token_the_same_post_does_its_work(citizen: Citizen, path: str) -> None:
    reach, fields = POSTS[path]
    await reach(citizen)
    before = draft(citizen)
    answer = await citizen.client.post(address(path), data={**fields, "token": token(citizen)})
    assert "phien" not in answer.headers["location"]
    assert path == f"{WALK}/xu-ly" or draft(citizen) != before


def address(path: str) -> str:
    return path.replace(WALK, FORM)


def token(citizen: Citizen) -> str:
    return citizen.page.split('name="token" value="')[1].split('"')[0]


def draft(citizen: Citizen) -> dict[str, Any]:
    sealed = citizen.client.cookies["hl_draft"].strip('"')
    opened: dict[str, Any] = json.loads(Fernet(load_key(citizen.keys)).decrypt(sealed))
    return opened
