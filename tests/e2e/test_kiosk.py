"""A screen at a desk, 1080 by 1920: large, forgetful, and shut out when its key is revoked."""

import asyncio

from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.e2e.browser import Visitor, a_visitor
from tests.e2e.city import Place, counted
from tests.e2e.looking import PICTURES, violations
from tests.e2e.walking import NOT_SATISFIED, THANKS, enter_code, fill_form, press
from tests.support.system import System

SCREEN: ViewportSize = {"width": 1080, "height": 1920}
LEAST_PIXELS = 60
PHONE = "0905 111 222"
CLIENT = "screen-1"
START = "Ông/bà hài lòng hay chưa hài lòng?"
ENROL = "Đăng ký màn hình tại quầy"
# Inputs within a label are as large as the label; links within a sentence are not targets of their own.
SMALL = """least => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, summary")]
    .map(each => each.closest("label, .choices > li") ?? each)
    .filter(each => each.checkVisibility() && !each.matches(".ds-skip-link"))
    .map(each => [each.outerHTML.slice(0, 90), each.getBoundingClientRect()])
    .filter(([, box]) => box.height < least || box.width < least)
    .map(([html, box]) => `${html}: ${box.width} x ${box.height}`)"""


async def seen(page: Page, name: str) -> None:
    """Nothing too small, nothing unsound, nothing beyond the edge."""
    assert await page.evaluate(SMALL, LEAST_PIXELS) == []
    assert await violations(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= SCREEN["width"]
    PICTURES.mkdir(parents=True, exist_ok=True)
    await page.evaluate("document.fonts.ready")
    await page.screenshot(path=PICTURES / f"13-kiosk-{name}-1080.png")


async def heading(page: Page, name: str) -> None:
    await expect(page.get_by_role("heading", name=name, exact=True, level=1)).to_be_visible()


async def enrolled(screen: Visitor, place: Place) -> Page:
    """The screen, with the key that the command gave out."""
    add = ("clients", "add", CLIENT, "--channel", "kiosk", "--name", "Quầy số 1")
    key = (await screen.system.run("intake", "services.intake", *add)).splitlines()[-1]
    page = await screen.open("/kiosk")
    await heading(page, ENROL)
    await page.get_by_label("Khóa của thiết bị").fill(key)
    await page.get_by_label("Đơn vị").select_option(place.unit)
    await press(page, "Đăng ký")
    await heading(page, START)
    return page


async def left_over(screen: Visitor) -> set[str]:
    return {str(cookie.get("name")) for cookie in await screen.context.cookies()} - {"hl_kiosk"}


async def nobody_touches_it(page: Page, seconds: int) -> None:
    await page.clock.fast_forward(seconds * 1000)


async def test_a_screen_forgets_whoever_walks_away_and_whoever_is_done(
    browser: Browser, system: System, place: Place
) -> None:
    async with a_visitor(browser, system, viewport=SCREEN) as screen:
        await screen.context.clock.install()
        page = await enrolled(screen, place)
        await seen(page, "start")
        officer = page.get_by_role("main").get_by_role("link", name=place.officer, exact=True)
        await officer.click()
        await press(page, "Tiếp tục")
        await expect(page.get_by_role("alert")).to_be_visible()
        await seen(page, "form-mistakes")
        phone = page.get_by_label("Số điện thoại di động")
        await phone.fill(PHONE)
        still_there = page.get_by_role("dialog", name="Ông/bà còn ở đây không?")

        # Whoever is slow says so, and goes on.
        await nobody_touches_it(page, 61)
        await expect(still_there).to_contain_text("giây")
        await seen(page, "still-there")
        await press(page, "Tôi còn ở đây")
        await expect(still_there).to_be_hidden()
        await expect(phone).to_have_value(PHONE)

        # Whoever walked away is gone, also for who looks at the page before.
        await fill_form(page, NOT_SATISFIED, phone=PHONE)
        await heading(page, "Vì sao ông/bà chưa hài lòng?")
        await seen(page, "reasons")
        await nobody_touches_it(page, 61)
        await expect(still_there).to_be_visible()
        await nobody_touches_it(page, 31)
        await heading(page, START)
        assert await left_over(screen) == set()
        await page.go_back()
        await expect(page.get_by_label("Số điện thoại di động")).to_have_value("")
        await expect(page.get_by_role("radio", checked=True)).to_have_count(0)

        # Whoever is done need do no more.
        await fill_form(page, NOT_SATISFIED, phone=PHONE)
        await page.get_by_role("checkbox").first.check()
        await press(page, "Tiếp tục")
        await seen(page, "code")
        await enter_code(page, await screen.digits(page))
        await heading(page, THANKS)
        await seen(page, "thanks")
        await nobody_touches_it(page, 9)
        await expect(still_there).to_be_visible()
        await nobody_touches_it(page, 31)
        await heading(page, START)
        assert await left_over(screen) == set()
        await counted(system, place, not_satisfied=1)
        channels = (await system.figures(f"units/{place.unit_id}"))["channels"]
        assert [each["id"] for each in channels] == ["kiosk"]

        # Nothing leads elsewhere; while the network is away, what was entered is off the screen.
        await screen.open("/ket-qua", page)
        await heading(page, START)
        await officer.click()
        await phone.fill(PHONE)
        await screen.context.set_offline(True)
        screen.forgiven += ["ERR_INTERNET_DISCONNECTED", "status of 401"]
        await press_link(page, "Xóa và bắt đầu lại")
        await expect(still_there).to_contain_text("đang mất kết nối")
        await expect(phone).to_have_value("")
        await screen.context.set_offline(False)
        await nobody_touches_it(page, 6)
        await heading(page, START)

        # Its key is revoked, and no other.
        await system.run("intake", "services.intake", "clients", "revoke", CLIENT)
        async with asyncio.timeout(10):
            while await page.get_by_text("đã ngừng nhận đánh giá").count() == 0:
                await screen.open("/kiosk", page)
        assert await left_over(screen) == set()
        await screen.open("/kiosk", page)
        await heading(page, ENROL)


async def press_link(page: Page, name: str) -> None:
    await page.get_by_role("link", name=name, exact=True).click()
