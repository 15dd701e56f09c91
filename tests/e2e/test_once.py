"""However a citizen presses, a rating is sent once."""

import asyncio

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.browser import Visitor, a_visitor
from tests.e2e.city import Place, counted, submissions
from tests.e2e.walking import THANKS, enter_code, on, press, rate, to_code
from tests.support.system import System


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_a_double_click_sends_once(
    browser: Browser, system: System, place: Place, scripts: bool
) -> None:
    async with a_visitor(browser, system, java_script_enabled=scripts) as visitor:
        page = await to_code(visitor, place.form)
        await page.get_by_label("Mã xác thực", exact=True).fill(await visitor.digits(page))
        await page.get_by_role("button", name="Gửi đánh giá").dblclick()
        await on(page, THANKS)
        await counted(system, place, satisfied=1)
        assert await submissions(system, place) == 1


async def test_refreshing_and_going_back_send_nothing_again(
    visitor: Visitor, system: System, place: Place
) -> None:
    page = await rate(visitor, place.form)
    for _ in range(3):
        await page.reload()
        await on(page, THANKS)
    await visitor.open(f"{place.form}/xu-ly", page)
    await on(page, THANKS)
    await page.go_back()
    await page.go_back()
    send = page.get_by_role("button", name="Gửi đánh giá")
    if await send.is_visible():  # out of the browser's cache
        await page.get_by_label("Mã xác thực", exact=True).fill("234567")
        await send.click()
    await on(page, THANKS)
    await counted(system, place, satisfied=1)
    assert await submissions(system, place) == 1


async def test_a_rating_sent_from_two_windows_at_once_is_one(
    visitor: Visitor, system: System, place: Place
) -> None:
    first = await to_code(visitor, place.form)
    second = await visitor.open(f"{place.form}/ma-xac-thuc")
    digits = await visitor.digits(first)
    await asyncio.gather(enter_code(first, digits), enter_code(second, digits))
    await on(first, THANKS)
    await on(second, THANKS)
    await counted(system, place, satisfied=1)
    assert await submissions(system, place) == 1


async def test_after_the_thanks_another_number_may_rate_the_same_officer(
    visitor: Visitor, system: System, place: Place
) -> None:
    """A shared screen: the next citizen finds an empty form."""
    await rate(visitor, place.form)
    page = await visitor.open(place.form)
    await expect(page.get_by_label("Số điện thoại di động")).to_have_value("")
    await expect(page.get_by_role("radio", checked=True)).to_have_count(0)
    await rate(visitor, place.form)
    await counted(system, place, satisfied=2)


async def test_a_number_that_rates_twice_a_day_counts_once_and_is_thanked_alike(
    visitor: Visitor, system: System, place: Place
) -> None:
    for _ in range(2):
        page = await visitor.open(place.form)
        await page.get_by_label("Số điện thoại di động").fill("0935 111 222")
        await page.get_by_role("radio", name="Hài lòng", exact=True).check()
        await page.get_by_label("Tôi đồng ý").check()
        await press(page, "Tiếp tục")
        await on(page, "Nhập mã xác thực")
        await enter_code(page, await visitor.digits(page))
        await on(page, THANKS)
    await counted(system, place, satisfied=1, duplicate=1)
