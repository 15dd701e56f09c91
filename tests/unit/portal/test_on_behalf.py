"""The portal posts on citizens' behalf: with its key, for each visit and address, and within limits."""

from pathlib import Path

import httpx
import pytest

from portal.draft import path_of
from tests.unit.portal.conftest import FORM, PHONE, Citizen, OpenPortal
from tests.unit.portal.fake_data import SMS_CODE, UNITS, officers_of

HEADERS = ("authorization", "hailong-session", "x-forwarded-for")


async def rated(citizen: Citizen) -> dict[str, str | None]:
    """What intake was told beside a rating."""
    await citizen.fill_form()
    await citizen.send_code()
    return {name: citizen.city.headers[-1].get(name) for name in HEADERS}


async def test_a_rating_is_posted_with_the_key_as_the_file_has_it_now(
    open_portal: OpenPortal, tmp_path: Path
) -> None:
    file = tmp_path / "intake.key"
    async with open_portal(intake_key_file=file) as citizen:
        for key in ("key-one", "key-two"):
            file.write_text(f"{key}\n")
            assert (await rated(citizen))["authorization"] == f"Bearer {key}"
            assert key not in citizen.page


async def test_a_visit_is_the_same_for_all_officers_and_another_browser_s_is_another(
    open_portal: OpenPortal, citizen: Citizen
) -> None:
    visits = [(await rated(citizen))["hailong-session"]]
    other = next(o["id"] for unit in UNITS for o in officers_of(unit) if path_of(o["id"]) != FORM)
    await citizen.get(path_of(other))
    await citizen.post(path_of(other), phone=PHONE, answer="satisfied", consent="yes")
    await citizen.post(f"{path_of(other)}/ma-xac-thuc", code="234567")
    visits.append(citizen.city.headers[-1]["hailong-session"])
    assert len(set(visits)) == 1
    assert len(visits[0] or "") >= 16
    async with open_portal() as another:
        assert (await rated(another))["hailong-session"] not in visits


@pytest.mark.parametrize(
    ("trusted", "expected"), [("", "127.0.0.1"), ("127.0.0.0/8", "203.0.113.7"), ("10.0.0.0/8", "127.0.0.1")]
)
async def test_the_visitor_s_address_is_the_peer_s_or_what_a_trusted_proxy_says(
    open_portal: OpenPortal, monkeypatch: pytest.MonkeyPatch, trusted: str, expected: str
) -> None:
    monkeypatch.setenv("PORTAL_TRUSTED_PROXIES", trusted)
    async with open_portal() as citizen:
        citizen.client.headers["X-Forwarded-For"] = "198.51.100.9, 203.0.113.7"
        assert (await rated(citizen))["x-forwarded-for"] == expected


async def test_over_a_limit_everything_is_kept_and_the_page_says_when_to_send_again(citizen: Citizen) -> None:
    citizen.city.limited_seconds = 130
    await citizen.fill_form()
    answer = await citizen.send_code()
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "130")
    assert "Khoảng 3 phút nữa, hãy bấm Gửi lại." in citizen.page
    assert citizen.city.posts == []
    citizen.city.limited_seconds = 0
    answer = await citizen.post(f"{FORM}/xu-ly")
    assert answer.url.path == f"{FORM}/cam-on"
    assert citizen.city.posts[0]["body"]["phone"] == PHONE


async def test_too_many_phone_codes_are_told_where_the_code_is_entered(citizen: Citizen) -> None:
    citizen.city.policy = "phone"
    await citizen.fill_form()
    citizen.city.limited_seconds = 130
    answer = await citizen.post(f"{FORM}/ma-dien-thoai", code=SMS_CODE)
    assert answer.url.path == f"{FORM}/ma-dien-thoai"
    assert "Vừa có quá nhiều mã được nhập." in citizen.page


async def test_a_limit_does_not_pass_for_an_outage(citizen: Citizen) -> None:
    citizen.city.limited_seconds = 130
    await citizen.fill_form()
    await citizen.send_code()
    checks = (await citizen.operations.get("/readyz")).json()["checks"]
    assert checks["intake"]["ok"]


@pytest.mark.parametrize("how", ["intake does not take it", "there is no file"])
async def test_a_key_that_does_not_do_is_no_fault_of_the_citizen_s(
    open_portal: OpenPortal, tmp_path: Path, how: str
) -> None:
    options = {"intake_key_file": tmp_path / "none"} if how == "there is no file" else {}
    async with open_portal(**options) as citizen:
        citizen.city.takes_no_key = how == "intake does not take it"
        await citizen.fill_form()
        answer: httpx.Response = await citizen.send_code()
        assert answer.status_code == 503
        assert "Mọi mục ông/bà đã nhập vẫn được giữ" in citizen.page
