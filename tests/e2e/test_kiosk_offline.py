"""A screen that vouches, while the network is away: it goes on, forgets nothing, and sends each once."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.async_api import BrowserContext, Page, async_playwright, expect

from portal.draft import load_key
from portal.kept import Boxes
from tests.e2e import browser as browsers
from tests.e2e.browser import Visitor
from tests.e2e.city import Place, counted, ratings
from tests.e2e.test_kiosk import SCREEN, START, heading, nobody_touches_it, press_link, seen
from tests.e2e.walking import NOT_SATISFIED, SATISFIED, THANKS, press
from tests.support.system import System

CLIENT = "screen-2"
WAITING = "Đánh giá đang chờ gửi từ màn hình này:"
BETWEEN = timedelta(hours=2)
PROMPT = timedelta(seconds=30)
READY = """async () => navigator.serviceWorker.controller !== null
    && await caches.match("/kiosk/khi-mat-mang?lang=en") !== undefined"""
ON_DISK = """async () => {
    const opened = (request) => new Promise((done) => { request.onsuccess = () => done(request.result); });
    const database = await opened(indexedDB.open("kiosk"));
    return opened(database.transaction("ratings").objectStore("ratings").getAll());
}"""


@asynccontextmanager
async def a_screen(system: System, profile: Path) -> AsyncIterator[tuple[Visitor, Page]]:
    """A browser with a disk of its own; started again with the same one, it is the same screen."""
    async with async_playwright() as playwright:
        context: BrowserContext = await playwright.chromium.launch_persistent_context(
            profile,
            executable_path=browsers.program(),
            args=browsers.ARGUMENTS,
            viewport=SCREEN,
            locale="vi-VN",
        )
        screen = Visitor(context, system)
        screen.watch()
        screen.forgiven += ["ERR_INTERNET_DISCONNECTED", "ERR_FAILED"]
        await context.clock.install()
        try:
            yield screen, context.pages[0]
            screen.check()
        finally:
            await context.close()


async def enrolled(screen: Visitor, page: Page, place: Place) -> None:
    add = ("clients", "add", CLIENT, "--channel", "kiosk", "--name", "Quầy số 2", "--vouches")
    key = (await screen.system.run("intake", "services.intake", *add)).splitlines()[-1]
    await screen.open("/kiosk", page)
    await page.get_by_label("Khóa của thiết bị").fill(key)
    await page.get_by_label("Đơn vị").select_option(place.unit)
    await press(page, "Đăng ký")
    await heading(page, START)
    async with asyncio.timeout(30):
        while not await page.evaluate(READY):
            await asyncio.sleep(0.05)


async def rate(page: Page, place: Place, answer: str) -> None:
    await page.get_by_role("main").get_by_role("link", name=place.officer, exact=True).click()
    await page.get_by_role("radio", name=answer, exact=True).check()
    if answer == NOT_SATISFIED:
        await press(page, "Gửi đánh giá")
        await expect(page.get_by_role("alert").filter(visible=True)).to_have_text("Chọn ít nhất một lý do.")
        await page.get_by_label("Lý do khác").check()
        await seen(page, "offline-form")
    await press(page, "Gửi đánh giá")
    await heading(page, THANKS)


async def wait_for(page: Page, count: int) -> None:
    told = page.get_by_role("status").filter(has_text=WAITING)
    if count:
        await expect(told).to_have_text(f"{WAITING} {count}")
    else:
        await expect(told).to_be_hidden()


async def test_two_ratings_without_network_are_two_ratings_with_their_true_times(
    system: System, place: Place, tmp_path: Path
) -> None:
    profile = tmp_path / "profile"
    async with a_screen(system, profile) as (screen, page):
        await enrolled(screen, page, place)
        await screen.context.set_offline(True)
        await screen.open("/kiosk", page)
        await heading(page, START)
        await expect(page.get_by_text("Màn hình đang mất kết nối nhưng vẫn nhận")).to_be_visible()
        await seen(page, "offline-start")
        await rate(page, place, SATISFIED)
        await wait_for(page, 1)
        await seen(page, "offline-thanks")
        await press_link(page, "Xong")

        # A child at the screen waits; whoever comes later does not.
        await page.get_by_role("main").get_by_role("link", name=place.officer, exact=True).click()
        await expect(page.get_by_role("status").filter(visible=True).first).to_contain_text("xin đợi")
        async with page.expect_navigation():  # it begins anew by itself
            await nobody_touches_it(page, round(BETWEEN.total_seconds()))
        await screen.open("/kiosk?lang=en", page)
        await heading(page, "Satisfied, or not yet satisfied?")
        await screen.open("/kiosk", page)
        await rate(page, place, NOT_SATISFIED)
        await page.reload()
        await heading(page, START)
        await wait_for(page, 2)
        boxes = await page.evaluate(ON_DISK)
        assert len({len(base64.b64decode(box)) for box in boxes}) == 1
        ours = Boxes(load_key(system.wiring.keys("portal")))
        given = [ours.open(box).given / 1000 for box in boxes]
        clock = float(await page.evaluate("Date.now()")) / 1000

    # The power went, and the network is still away.
    async with a_screen(system, profile) as (screen, page):
        await page.clock.set_system_time(clock)
        await screen.context.set_offline(True)
        await screen.open("/kiosk", page)
        await heading(page, START)
        await wait_for(page, 2)
        await screen.context.set_offline(False)
        await nobody_touches_it(page, 6)
        await counted(system, place, satisfied=1, not_satisfied=1)
        await expect(page.get_by_text("Màn hình đang mất kết nối")).to_be_hidden()
        await wait_for(page, 0)
        sent = await ratings(system, place)
        screen_says, now = float(await page.evaluate("Date.now()")) / 1000, datetime.now(UTC)
        first, second = sorted(sent, key=lambda each: each.submitted_at)
        assert (first.answer, second.answer) == ("satisfied", "not_satisfied")
        assert given[1] - given[0] >= BETWEEN.total_seconds()
        for each, at in zip((first, second), given, strict=True):
            age = timedelta(seconds=screen_says - at)
            assert abs(now - each.submitted_at - age) < PROMPT
        assert {(each.vouched_by, each.client_id, each.phone) for each in sent} == {("device", CLIENT, None)}
