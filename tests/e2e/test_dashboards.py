"""What a dashboard does in a real browser: a history to read, days to choose, a wall that stays current."""

import re

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.browser import Visitor, a_visitor
from tests.e2e.city import Place, counted
from tests.e2e.looking import BEYOND_THE_EDGE
from tests.support.system import System, new_phone

SCROLLS = "document.scrollingElement.scrollHeight - innerHeight"
SCRIPT_BYTES = 40 * 1024


@pytest.fixture
async def rated(system: System, place: Place) -> Place:
    """An officer who was rated once, and with them their unit."""
    await rate(system, place)
    await counted(system, place, satisfied=1)
    return place


async def rate(system: System, place: Place) -> None:
    sent = await system.submit(officer_id=place.officer_id, phone=new_phone())
    assert (await system.outcome(sent.rating_id))["status"] == "accepted"


async def test_a_history_is_read_by_keyboard_and_pointer_and_moves_with_a_rating(
    visitor: Visitor, system: System, rated: Place
) -> None:
    page = await visitor.context.new_page()
    devtools = await visitor.context.new_cdp_session(page)
    sizes: dict[str, int] = {}
    addresses: dict[str, str] = {}
    devtools.on(
        "Network.responseReceived", lambda e: addresses.update({e["requestId"]: e["response"]["url"]})
    )
    devtools.on("Network.loadingFinished", lambda e: sizes.update({e["requestId"]: e["encodedDataLength"]}))
    await devtools.send("Network.enable")
    await visitor.open(f"/ket-qua/don-vi/{rated.unit_id}", page)
    history = page.get_by_role("slider")
    await expect(history).to_have_attribute("aria-valuetext", re.compile(r"100,0% hài lòng .*, 1 đánh giá"))
    await history.press("ArrowLeft")
    await expect(history).to_have_attribute("aria-valuetext", re.compile("không có đánh giá"))
    await history.blur()
    await history.scroll_into_view_if_needed()
    box = await history.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] - 12, box["y"] + box["height"] / 2)
    await expect(page.locator(".reading")).to_contain_text("1 đánh giá")
    await rate(system, rated)
    await expect(page.locator("[data-figure=total]")).to_have_text("2")
    await expect(history).to_have_attribute("aria-valuetext", re.compile("2 đánh giá"))
    scripts = [sizes[each] for each, url in addresses.items() if url.endswith(".js")]
    assert len(scripts) == 2
    assert sum(scripts) < SCRIPT_BYTES


async def test_days_are_chosen_without_scripts(browser: Browser, system: System, rated: Place) -> None:
    async with a_visitor(browser, system, java_script_enabled=False) as plain:
        page = await plain.open(f"/ket-qua/don-vi/{rated.unit_id}")
        await expect(page.locator("[data-history] circle").first).to_be_attached()  # the server's picture
        await page.get_by_text("Chọn ngày khác").click()
        await page.get_by_label("Đến ngày").fill("5/1/2020")
        await page.get_by_role("button", name="Xem").click()
        await expect(
            page.get_by_text("Trong những ngày này không có đánh giá nào được tính.")
        ).to_be_visible()
        await expect(page.get_by_label("Đến ngày")).to_have_value("05/01/2020")
        await page.get_by_role("link", name="30 ngày qua").click()
        await expect(page.locator("[data-figure=total]")).to_have_text("1")


async def test_a_wall_fits_its_screen_and_says_while_it_has_no_line(
    browser: Browser, system: System, rated: Place
) -> None:
    hall = {"width": 1920, "height": 1080}
    async with a_visitor(browser, system, viewport=hall) as visitor:
        visitor.forgiven.append("ERR_FAILED")
        await visitor.context.route("**/v1/live?*", lambda route: route.abort())
        page = await visitor.open(f"/ket-qua/don-vi/{rated.unit_id}?display=wall")
        await expect(page.get_by_text("Mất kết nối")).to_be_visible()
        await expect(page.get_by_text("Số liệu đến")).to_be_visible()
        await rate(system, rated)
        await visitor.context.unroute("**/v1/live?*")
        await expect(page.locator("[data-figure=total]")).to_have_text("2")
        await expect(page.get_by_text("Mất kết nối")).to_be_hidden()
        assert await page.evaluate(SCROLLS) <= 0
        assert await page.evaluate(BEYOND_THE_EDGE) <= 0
