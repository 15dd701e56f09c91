"""An edition whose citizens' devices compute, unseen: instead of the image code, and beside it."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.e2e.browser import Visitor, a_visitor
from tests.e2e.city import Place, counted
from tests.e2e.looking import look_at
from tests.e2e.walking import SATISFIED, THANKS, enter_code, fill_form, on, press
from tests.support.system import System

PUZZLE = "**/ma-xac-thuc/tinh-toan"
NO_CODE_NEEDED = "Thiết bị đã xác thực xong; ông/bà không cần nhập mã."
WORKING = "Thiết bị đang tự xác thực; việc này mất vài giây."


@pytest.fixture(scope="module", params=["instead", "beside"])
async def asked(request: pytest.FixtureRequest, system: System) -> AsyncIterator[str]:
    await system.publish(f"2018-{request.param}", proof_of_work=request.param)
    await system.restart("portal", kill=False)  # it remembers an edition for some seconds
    yield request.param
    await system.publish("2017")
    await system.restart("portal", kill=False)


async def computed(page: Page) -> None:
    """The device has found the number; the field was sent empty."""
    await expect(page.locator("[name=proof]")).not_to_have_value("")


async def holding_puzzles(visitor: Visitor) -> list[Route]:
    """Puzzles are held back, one a page that asks; the last is answered by `continue_`."""
    held: list[Route] = []

    async def hold(route: Route) -> None:
        held.append(route)

    await visitor.context.route(PUZZLE, hold)
    return held


async def test_a_citizen_whose_device_is_quick_enters_what_the_edition_asks_for_and_no_more(
    visitor: Visitor, system: System, place: Place, asked: str
) -> None:
    page = await visitor.open(place.form)
    await computed(page)
    await fill_form(page, SATISFIED)
    if asked == "beside":
        await on(page, "Nhập mã xác thực")
        await look_at(page, "06-code-beside-proof")
        await enter_code(page, await visitor.digits(page))
    await on(page, THANKS)
    await counted(system, place, satisfied=1)


async def test_a_citizen_whose_device_is_slow_sees_that_it_computes_and_is_not_stopped(
    visitor: Visitor, system: System, place: Place, asked: str
) -> None:
    held = await holding_puzzles(visitor)
    page = await visitor.open(place.form)
    await fill_form(page, SATISFIED)
    await on(page, "Nhập mã xác thực")
    await expect(page.get_by_role("status")).to_have_text(WORKING)
    await look_at(page, f"06-code-computing-{asked}")
    if asked == "instead":
        await held[-1].continue_()
        await expect(page.get_by_role("status")).to_have_text(NO_CODE_NEEDED)
        await expect(page.get_by_label("Mã xác thực", exact=True)).to_be_hidden()
        await on(page, "Gửi đánh giá")
        await look_at(page, "06-code-computed")
        await press(page, "Gửi đánh giá")
    else:
        await enter_code(page, await visitor.digits(page))
        await expect(page.get_by_role("status")).to_contain_text("Đang chờ thiết bị xác thực xong")
        await held[-1].continue_()  # and it is sent by itself
    await on(page, THANKS)
    await counted(system, place, satisfied=1)


async def test_who_has_begun_to_enter_the_code_may_finish(
    visitor: Visitor, system: System, place: Place, asked: str
) -> None:
    held = await holding_puzzles(visitor)
    page = await visitor.open(place.form)
    await fill_form(page, SATISFIED)
    await page.get_by_label("Mã xác thực", exact=True).fill(await visitor.digits(page))
    await held[-1].continue_()
    await computed(page)
    await expect(page.get_by_label("Mã xác thực", exact=True)).to_be_visible()
    await press(page, "Gửi đánh giá")
    await on(page, THANKS)
    await counted(system, place, satisfied=1)


async def test_without_scripts_the_code_stands_alone_where_the_edition_takes_either(
    browser: Browser, system: System, place: Place, asked: str
) -> None:
    async with a_visitor(browser, system, java_script_enabled=False) as plain:
        page = await plain.open(place.form)
        await fill_form(page, SATISFIED)
        await enter_code(page, await plain.digits(page))
        if asked == "instead":
            await on(page, THANKS)
            await counted(system, place, satisfied=1)
        else:
            await expect(page.get_by_role("alert")).to_contain_text("Thiết bị chưa xác thực xong.")
            await counted(system, place)
