"""Cookies, headers, origins; and a phone number that shows nowhere but in the citizen's own form."""

import json
import logging
import re
import stat
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import cast

import pytest
import structlog
from cryptography.fernet import Fernet

from chassis.logs import configure
from portal.draft import load_key
from tests.unit.portal.conftest import FORM, PHONE, Citizen, OpenPortal
from tests.unit.portal.fake_data import SMS_CODE


@pytest.fixture
def production_log() -> Iterator[StringIO]:
    """What would be on standard output, with the levels of production."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    configure("portal", level="DEBUG")
    written = StringIO()
    cast("logging.StreamHandler[StringIO]", root.handlers[0]).setStream(written)
    yield written
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


DIGITS = ("905123456", "905 123 456", "905%20123%20456", "905+123+456")


async def test_no_phone_and_no_rating_id_in_any_url_log_or_page_but_the_form(
    citizen: Citizen, production_log: StringIO
) -> None:
    citizen.city.policy = "captcha_and_phone"
    await citizen.fill_form("not_satisfied")
    pages = []
    await citizen.post(f"{FORM}/ly-do", reasons=["khac"])
    pages.append(citizen.page)
    await citizen.send_code("000000")
    pages.append(citizen.page)
    await citizen.send_code()
    pages.append(citizen.page)
    await citizen.post(f"{FORM}/ma-dien-thoai", code=SMS_CODE)
    pages.append(citizen.page)
    logged = production_log.getvalue()
    assert '"route":"/danh-gia/cong-chuc/{officer_id}/ma-dien-thoai"' in logged
    seen = [*citizen.urls, *citizen.city.requests, *pages, logged]
    assert "Cảm ơn" in pages[-1]
    assert not [text for text in seen for digits in DIGITS if digits in text]
    held = list(citizen.city.ratings)
    assert held
    assert not [text for text in (*citizen.urls, *pages, logged) for rating_id in held if rating_id in text]


async def test_the_draft_cookie_is_sealed_bound_to_the_officer_and_out_of_reach_of_scripts(
    open_portal: OpenPortal,
) -> None:
    async with open_portal(secure_cookies=True) as citizen:
        cookie = (await citizen.get(FORM)).headers["set-cookie"]
        assert cookie.startswith("__Secure-hl_draft=")
        for flag in ("HttpOnly", "Secure", "SameSite=lax", f"Path={FORM}", "Max-Age=1800"):
            assert flag in cookie
        assert PHONE not in cookie
        language = (await citizen.get("/?lang=en")).headers["set-cookie"]
        assert language.startswith("__Host-hl_lang=")
        for flag in ("HttpOnly", "Secure", "SameSite=lax", "Path=/;"):
            assert flag in language
        await citizen.get("/", Cookie="__Host-hl_lang=en")
        assert '<html lang="en"' in citizen.page, "it is read by that name"
        answer = await citizen.get(f"{FORM}/ma-xac-thuc", Cookie=cookie.partition(";")[0])
        assert (answer.url.path, answer.url.query) == (FORM, b""), "and so is the draft"


async def test_a_decided_rating_leaves_nothing_personal_in_the_cookie(
    citizen: Citizen, tmp_path: Path
) -> None:
    key = Fernet(load_key(tmp_path / "keys"))
    await citizen.fill_form("not_satisfied")
    assert PHONE in key.decrypt(citizen.client.cookies["hl_draft"]).decode()
    await citizen.post(f"{FORM}/ly-do", reasons=["khac"])
    await citizen.send_code()
    left = json.loads(key.decrypt(citizen.client.cookies["hl_draft"]))
    assert left["end"] == "thanks"
    for field in ("phone", "answer", "reasons", "code", "challenge", "rating_id"):
        assert not left[field]


async def test_a_tampered_cookie_is_no_draft(citizen: Citizen) -> None:
    await citizen.fill_form()
    citizen.client.cookies.set("hl_draft", "gAAAAAB" + "x" * 60, domain="portal.test", path=FORM)
    citizen.client.cookies.delete("hl_draft", domain="portal.test", path=FORM)
    answer = await citizen.get(f"{FORM}/ma-xac-thuc", Cookie="hl_draft=gAAAAABxxxx")
    assert answer.url.path == FORM
    assert "Phiên làm việc đã hết hạn" in citizen.page


async def test_a_post_from_another_site_is_refused(citizen: Citizen) -> None:
    await citizen.get(FORM)
    for headers in (
        {"Origin": "https://elsewhere.test"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "null"},
    ):
        answer = await citizen.client.post(FORM, data={"phone": PHONE}, headers=headers)
        assert answer.status_code == 403
    answer = await citizen.client.post(FORM, data={}, headers={"Origin": "http://portal.test"})
    assert answer.status_code == 303


async def test_a_post_without_the_form_s_token_sends_nothing_but_keeps_what_was_typed(
    citizen: Citizen,
) -> None:
    await citizen.get(FORM)
    citizen.page = ""
    await citizen.post(FORM, phone=PHONE, answer="satisfied", consent="yes")
    assert "Phiên làm việc đã hết hạn" in citizen.page
    assert f'value="{PHONE}"' in citizen.page
    await citizen.fill_form()
    citizen.page = ""
    answer = await citizen.send_code()
    assert answer.url.path == f"{FORM}/ma-xac-thuc"
    assert citizen.city.posts == []


async def test_every_answer_carries_the_policy_and_personal_pages_are_kept_nowhere(citizen: Citizen) -> None:
    for path, personal in (
        ("/", False),
        (FORM, True),
        ("/nothing-here", True),
        ("/static/made-site.css", False),
    ):
        answer = await citizen.get(path, **{"Accept-Encoding": "identity"})
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "connect-src 'self' http://127.0.0.1:8003;" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert (answer.headers["cache-control"] == "no-store") is personal


@pytest.mark.parametrize("path", ["/", "/danh-gia", FORM, "/ket-qua", "/gioi-thieu", "/nothing-here"])
async def test_pages_hold_nothing_inline_and_nothing_from_elsewhere(citizen: Citizen, path: str) -> None:
    citizen.city.count(1000, 100)
    await citizen.get(path)
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", citizen.page)
    reports = 'href="http://127.0.0.1:8003/v1/satisfaction/'  # are the API's
    assert not re.search(r'(?:src|href)="(?:https?:)?//', citizen.page.replace(reports, ""))


async def test_a_browser_neither_chooses_nor_learns_the_id_of_a_request(
    citizen: Citizen, production_log: StringIO
) -> None:
    chosen = "6f1f0c0e-aaaa-4bbb-8ccc-01234abcdeab"
    answer = await citizen.get("/", **{"X-Request-Id": chosen})
    assert "x-request-id" not in answer.headers
    assert '"request_id"' in production_log.getvalue()
    assert chosen not in production_log.getvalue()


async def test_the_picture_and_the_sound_come_through_this_origin_and_are_kept_nowhere(
    citizen: Citizen,
) -> None:
    await citizen.fill_form()
    for name, kind in (
        ("hinh.png", "image/png"),
        ("am-thanh-vi.wav", "audio/wav"),
        ("am-thanh-en.wav", "audio/wav"),
    ):
        answer = await citizen.get(f"{FORM}/ma-xac-thuc/{name}")
        assert answer.headers["content-type"] == kind
        assert answer.headers["cache-control"] == "no-store"
    assert (await citizen.get(f"{FORM}/ma-xac-thuc/other.png")).status_code == 404


async def test_the_key_is_made_once_and_readable_by_its_owner_alone(
    open_portal: OpenPortal, tmp_path: Path
) -> None:
    async with open_portal():
        path = tmp_path / "keys" / "session.key"
        first = path.read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    async with open_portal():
        assert path.read_bytes() == first


async def test_an_error_page_tells_nothing_of_the_inside(
    citizen: Citizen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.pages.browse.matches", lambda *_: 1 / 0)
    answer = await citizen.get("/danh-gia/don-vi/so-thong-tin-va-truyen-thong")
    assert answer.status_code == 500
    assert "Hệ thống gặp lỗi" in citizen.page
    assert "(0236) 1022" in citizen.page
    assert "ZeroDivision" not in citizen.page
    assert "content-security-policy" in answer.headers
