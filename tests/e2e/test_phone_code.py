"""An edition that verifies by a code sent to the phone."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from tests.e2e.browser import Visitor
from tests.e2e.city import Place, counted
from tests.e2e.looking import look_at
from tests.e2e.walking import NOT_SATISFIED, SATISFIED, THANKS, fill_form, on, press, wrong
from tests.support.system import System, new_phone

PAGE = "Nhập mã trong tin nhắn"
SMS_SECONDS = 60.0


@pytest.fixture(scope="module", autouse=True)
async def by_phone(system: System) -> AsyncIterator[None]:
    await system.publish("2018", verification="phone")
    await system.restart("portal", kill=False)  # it remembers an edition for some seconds
    yield
    await system.publish("2017")
    await system.restart("portal", kill=False)


async def code_from_the_outbox(system: System, known: int) -> str:
    async with asyncio.timeout(SMS_SECONDS):
        while len(system.text_messages()) == known:
            await asyncio.sleep(0.02)
    found = re.search(r"\b\d{6}\b", system.text_messages()[-1])
    assert found is not None
    return found[0]


async def enter(page: Page, code: str) -> None:
    await page.get_by_label("Mã trong tin nhắn").fill(code)
    await press(page, "Gửi đánh giá")


async def test_the_code_from_the_message_ends_the_walk_after_a_wrong_one(
    visitor: Visitor, system: System, place: Place
) -> None:
    known = len(system.text_messages())
    page = await visitor.open(place.form)
    await fill_form(page, NOT_SATISFIED)
    await page.get_by_label("Lý do khác").check()
    await press(page, "Gửi đánh giá")

    await on(page, PAGE)
    await expect(page.get_by_text("Còn 5 lần thử.")).to_be_visible()
    await look_at(page, "06-phone-code")
    code = await code_from_the_outbox(system, known)
    await enter(page, wrong(code))
    await expect(page.get_by_role("alert")).to_contain_text("Mã vừa nhập chưa đúng.")
    await expect(page.get_by_text("Còn 4 lần thử.")).to_be_visible()
    await look_at(page, "06-phone-code-wrong")
    await enter(page, code)
    await on(page, THANKS)
    await counted(system, place, not_satisfied=1)


async def test_who_has_proved_a_number_is_told_that_it_has_rated(
    visitor: Visitor, system: System, place: Place
) -> None:
    phone = new_phone()
    for heading in (THANKS, "Số điện thoại này đã đánh giá"):
        known = len(system.text_messages())
        page = await visitor.open(place.form)
        await fill_form(page, SATISFIED, phone=phone)
        await on(page, PAGE)
        await enter(page, await code_from_the_outbox(system, known))
        await on(page, heading)
    await look_at(page, "07-rated-before")
    await counted(system, place, satisfied=1, duplicate=1)
