"""The element in another site's page: a citizen rates there, and the site is told that, not how."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.e2e.browser import PATIENCE_MS
from tests.e2e.city import Place, counted, submissions
from tests.e2e.embedding_page import a_portal
from tests.e2e.looking import look_at
from tests.e2e.test_phone_code import code_from_the_outbox
from tests.e2e.walking import wrong
from tests.support.system import System, new_phone

KEPT = "[localStorage.length, sessionStorage.length, document.cookie]"


@pytest.fixture(scope="module")
async def site(system: System, embedding_origin: str) -> AsyncIterator[str]:
    async with a_portal(system, embedding_origin) as origin:
        yield origin


@asynccontextmanager
async def opened(browser: Browser, address: str) -> AsyncIterator[Page]:
    """A page of a fresh browser; at the end nothing has gone wrong in it and it has kept nothing."""
    context = await browser.new_context(viewport={"width": 360, "height": 740})
    said: list[str] = []
    context.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
    context.on("weberror", lambda e: said.append(str(e.error)))
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    await page.goto(address)
    try:
        yield page
        assert await page.evaluate(KEPT) == [0, 0, ""]
        assert [each for each in said if "ERR_FAILED" not in each and "status of 422" not in each] == []
    finally:
        await context.close()


async def choose(page: Page, place: Place, *labels: str) -> None:
    group, unit, officer = labels
    await page.get_by_label(group).select_option(place.group_id)
    await page.get_by_label(unit, exact=True).select_option(place.unit_id)
    await page.get_by_label(officer).select_option(place.officer_id)


async def digits(system: System, page: Page) -> str:
    source = await page.locator("hai-long-rating img").get_attribute("src")
    assert source is not None
    return system.challenges.open(source.split("/")[-2]).digits


async def told(page: Page) -> list[tuple[str, dict[str, Any]]]:
    return [tuple(each) for each in await page.evaluate("window.told")]


async def posted_by(system: System, rating_id: str) -> str | None:
    database = await asyncpg.connect(system.database_urls["verification"])
    try:
        found: str | None = await database.fetchval(
            "SELECT client_id FROM ratings WHERE rating_id = $1", UUID(rating_id)
        )
    finally:
        await database.close()
    return found


async def test_a_citizen_rates_in_the_citys_portal_after_mistakes_and_a_lost_answer(
    browser: Browser, system: System, site: str, place: Place
) -> None:
    async with opened(browser, site) as page:
        send = page.get_by_role("button", name="Gửi đánh giá")
        await expect(page.get_by_role("heading", name="Đánh giá công chức một cửa")).to_be_visible()
        await choose(page, place, "Nhóm cơ quan", "Cơ quan, đơn vị", "Công chức đã phục vụ ông/bà")
        await look_at(page, "20-embedded-form")
        await send.click()
        await expect(page.get_by_role("alert")).to_be_focused()
        await expect(page.get_by_label("Số điện thoại di động")).to_have_attribute("aria-invalid", "true")
        await look_at(page, "20-embedded-mistakes")
        await page.get_by_role("radio", name="Chưa hài lòng").check()
        await page.get_by_label("Lý do khác").check()
        await page.get_by_label("Số điện thoại di động").fill(new_phone())
        await page.get_by_label("Tôi đồng ý").check()
        await page.get_by_label("Mã xác thực", exact=True).fill(wrong(await digits(system, page)))
        await send.click()
        await expect(page.get_by_role("alert")).to_contain_text("Mã xác thực chưa đúng.")
        lost: list[str | None] = []

        async def lose(route: Route) -> None:
            lost.append(route.request.headers.get("idempotency-key"))
            if len(lost) == 1:
                await route.fetch()
                await route.abort()
            else:
                await route.continue_()

        await page.route("**/v1/ratings", lose)
        await page.get_by_label("Mã xác thực", exact=True).fill(await digits(system, page))
        await send.click()
        heading = page.get_by_role("heading", name="Cảm ơn ông/bà đã gửi đánh giá")
        await expect(heading).to_be_focused()
        receipt = page.locator("hai-long-rating strong.code")
        await expect(receipt).to_have_text(re.compile(r"^[0-9A-Z-]{24,}$"))
        await look_at(page, "20-embedded-thanks")
        assert len(lost) == 2
        assert len(set(lost)) == 1
        events = await told(page)
        assert [name for name, _ in events] == ["hai-long:kept", "hai-long:outcome"] * 2
        assert [sorted(detail) for _, detail in events] == [
            ["ratingId"],
            ["ratingId", "reason", "status"],
            ["ratingId"],
            ["ratingId", "status"],
        ]
    await counted(system, place, not_satisfied=1, challenge_wrong=1)
    assert await submissions(system, place) == 2


async def test_in_english_through_the_portals_own_backend_with_all_that_an_edition_can_ask(
    browser: Browser, system: System, site: str, place: Place
) -> None:
    await system.publish("2018-embedded", verification="captcha_and_phone", proof_of_work="beside")
    known = len(system.text_messages())
    try:
        async with opened(browser, f"{site}/?backend&en") as page:
            await choose(page, place, "Group of offices", "Department", "The officer who served you")
            await page.get_by_role("radio", name="Satisfied", exact=True).check()
            await page.get_by_label("Mobile phone number").fill(new_phone())
            await page.get_by_label("I agree").check()
            await page.get_by_label("Verification code").fill(await digits(system, page))
            await page.get_by_role("button", name="Send the rating").click()
            title = page.get_by_role("heading", name="Enter the code from the text message")
            await expect(title).to_be_focused()
            await look_at(page, "21-embedded-phone-code")
            code = await code_from_the_outbox(system, known)
            for entered in (wrong(code), code):
                await page.get_by_label("Code from the text message").fill(entered)
                await page.get_by_role("button", name="Send the rating").click()
                if entered != code:
                    await expect(page.get_by_role("alert")).to_contain_text("That code is not right.")
            await expect(page.get_by_role("heading", name="Thank you for your rating")).to_be_focused()
            rating_id = (await told(page))[-1][1]["ratingId"]
    finally:
        await system.publish("2017")
    await counted(system, place, satisfied=1)
    assert await posted_by(system, rating_id) == "portal"


async def test_a_page_of_another_origin_is_not_let_in(browser: Browser, system: System, site: str) -> None:
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(site.replace("localhost", "127.0.0.1"))
    await expect(page.get_by_role("alert")).to_contain_text("Chưa kết nối được.")
    await expect(page.get_by_role("link", name="Mở biểu mẫu của thành phố")).to_be_visible()
    await context.close()
