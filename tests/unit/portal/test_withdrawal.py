"""The receipt on the page of thanks, and what can be done with it."""

import re

import pytest

from tests.unit.portal.conftest import FORM, Citizen, OpenPortal


async def rated(citizen: Citizen, answer: str = "satisfied") -> str:
    """The receipt that the page of thanks shows."""
    await citizen.fill_form(answer)
    if answer == "not_satisfied":
        await citizen.post(f"{FORM}/ly-do", reasons=["khac"])
    await citizen.send_code()
    found = re.search(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){5}", citizen.page)
    assert found is not None
    return found[0]


async def test_the_page_of_thanks_shows_the_receipt_and_nothing_of_the_answer(citizen: Citizen) -> None:
    receipt = await rated(citizen, "not_satisfied")
    assert "Mã biên nhận" in citizen.page
    assert 'href="/rut-lai"' in citizen.page
    assert "Chưa hài lòng" not in citizen.page
    again = await citizen.get(f"{FORM}/cam-on")
    assert receipt in again.text
    assert again.headers["cache-control"] == "no-store"
    assert not any(receipt in url for url in citizen.urls)
    assert receipt not in str(citizen.client.cookies)


async def test_a_withdrawal_is_confirmed_first_and_then_done(citizen: Citizen) -> None:
    receipt = await rated(citizen)
    await citizen.get("/rut-lai")
    await citizen.post("/rut-lai", receipt=receipt.lower())
    assert "Rút lại đánh giá này?" in citizen.page
    assert citizen.city.withdrawn == set()
    done = await citizen.post("/rut-lai", receipt=receipt, confirmed="yes")
    assert "Đánh giá đã được rút lại" in citizen.page
    assert len(citizen.city.withdrawn) == 1
    assert done.headers["cache-control"] == "no-store"
    again = await citizen.post("/rut-lai", receipt=receipt, confirmed="yes")
    assert again.text == done.text
    assert not any(receipt in url for url in citizen.urls)


async def test_it_speaks_english(citizen: Citizen) -> None:
    await citizen.get("/rut-lai?lang=en")
    receipt = await rated(citizen)
    assert "Receipt code" in citizen.page
    await citizen.post("/rut-lai", receipt=receipt)
    assert "Withdraw this rating?" in citizen.page
    await citizen.post("/rut-lai", receipt=receipt, confirmed="yes")
    assert "The rating is withdrawn" in citizen.page


@pytest.mark.parametrize("receipt", ["", "hello", "A" * 23])
async def test_what_cannot_be_a_receipt_is_asked_for_again_without_a_call(
    citizen: Citizen, receipt: str
) -> None:
    answer = await citizen.post("/rut-lai", receipt=receipt, confirmed="yes")
    assert answer.status_code == 422
    assert "Nhập đủ 24 chữ và số" in citizen.page
    assert citizen.city.withdrawn == set()


async def test_one_that_intake_does_not_know_is_told_in_its_words(citizen: Citizen) -> None:
    answer = await citizen.post("/rut-lai", receipt="A" * 24, confirmed="yes")
    assert (answer.status_code, "Mã biên nhận chưa đúng." in citizen.page) == (422, True)
    assert f'value="{"A" * 24}"' in citizen.page


async def test_too_late_and_nothing_are_said_apart(citizen: Citizen) -> None:
    receipt = await rated(citizen)
    citizen.city.withdrawable_days = -1
    await citizen.post("/rut-lai", receipt=receipt, confirmed="yes")
    assert "Đã quá thời hạn rút lại" in citizen.page
    citizen.city.forced_reason = "challenge_wrong"
    await citizen.post("/rut-lai", receipt=receipt, confirmed="yes")
    assert "Không có gì để rút lại" in citizen.page


async def test_what_is_not_decided_yet_is_under_way(citizen: Citizen) -> None:
    receipt = await rated(citizen)
    citizen.city.slow_to_withdraw = True
    await citizen.post("/rut-lai", receipt=receipt, confirmed="yes")
    assert "Yêu cầu rút lại đã được nhận" in citizen.page


async def test_what_is_away_or_busy_says_so_and_the_receipt_stays_good(citizen: Citizen) -> None:
    receipt = await rated(citizen)
    citizen.city.takes_but_answers_503 = 1
    away = await citizen.post("/rut-lai", receipt=receipt, confirmed="yes")
    assert (away.status_code, away.headers["retry-after"]) == (503, "5")
    assert receipt in citizen.page
    citizen.city.limited_seconds = 90
    busy = await citizen.post("/rut-lai", receipt=receipt, confirmed="yes")
    assert (busy.status_code, busy.headers["retry-after"]) == (429, "90")
    assert "2 phút nữa" in citizen.page


async def test_nobody_withdraws_in_the_visit_of_a_rating(citizen: Citizen) -> None:
    receipt = await rated(citizen)
    await citizen.post("/rut-lai", receipt=receipt, confirmed="yes")
    assert "hailong-session" not in citizen.city.headers[-1]


async def test_at_a_kiosk_the_next_citizen_sees_no_receipt(open_portal: OpenPortal) -> None:
    async with open_portal() as citizen:
        citizen.city.clients["hailong_screen"] = ["kiosk"]
        await citizen.post("/kiosk", key="hailong_screen", unit=FORM.rpartition("/")[2].partition(".")[0])
        await citizen.get(FORM)
        await citizen.post(FORM, phone="0905 123 456", answer="satisfied", consent="yes")
        await citizen.send_code()
        assert "Cảm ơn" in citizen.page
        assert "Mã biên nhận" not in citizen.page
