"""A browser without JavaScript."""

import time
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.browser import Visitor, a_visitor
from tests.e2e.city import Place, counted
from tests.e2e.walking import NOT_SATISFIED, THANKS, enter_code, fill_form, follow, on, press, wrong
from tests.support.system import System

RELOAD_MS = 35_000.0


@pytest.fixture
async def plain(browser: Browser, system: System) -> AsyncIterator[Visitor]:
    async with a_visitor(browser, system, java_script_enabled=False) as visitor:
        yield visitor


async def test_the_whole_walk_works_and_the_open_dashboard_reloads(
    plain: Visitor, system: System, place: Place
) -> None:
    dashboard = await plain.open(f"/ket-qua/don-vi/{place.unit_id}")
    await expect(dashboard.get_by_text("Chưa có đánh giá nào được tính. Số liệu sẽ hiện")).to_be_visible()
    opened = time.monotonic()

    page = await plain.open("/")
    await follow(page, "Đánh giá cung ứng DVC")
    await page.get_by_label("Tên đơn vị hoặc công chức").fill(place.officer)
    await press(page, "Tìm")
    await follow(page, place.officer)
    await fill_form(page, NOT_SATISFIED)
    await page.get_by_label("Trả kết quả trễ hẹn").check()
    await press(page, "Tiếp tục")
    await on(page, "Nhập mã xác thực")
    await expect(page.locator("audio")).to_have_count(2)
    before = await plain.digits(page)
    await press(page, "Đổi mã khác")
    await on(page, "Nhập mã xác thực")
    assert await plain.digits(page) != before
    await enter_code(page, wrong(await plain.digits(page)))
    await expect(page.get_by_role("alert")).to_contain_text("Mã xác thực chưa đúng.")
    await enter_code(page, await plain.digits(page))
    await on(page, THANKS)
    await counted(system, place, not_satisfied=1, challenge_wrong=1)

    await expect(dashboard.locator("[data-figure=total]")).to_have_text("1", timeout=RELOAD_MS)
    assert time.monotonic() - opened > 20  # it has not been reloaded before its time
