"""A citizen takes their rating back with the receipt from the page that thanked them."""

import re

from playwright.async_api import expect

from tests.e2e.browser import Visitor
from tests.e2e.city import Place, counted
from tests.e2e.looking import look_at
from tests.e2e.walking import follow, on, press, rate
from tests.support.system import System

RECEIPT = re.compile(r"^\s*[A-Z2-7]{4}(-[A-Z2-7]{4}){5}\s*$")


async def test_a_rating_is_withdrawn_and_its_figures_go_with_it(
    visitor: Visitor, system: System, place: Place
) -> None:
    visitor.forgiven.append("status of 422")
    page = await rate(visitor, place.form)
    await counted(system, place, satisfied=1)
    shown = page.locator(".receipt-code")
    await expect(shown).to_have_text(RECEIPT)
    receipt = (await shown.inner_text()).strip()
    await expect(page.get_by_role("button", name="In trang này", exact=True)).to_be_visible()
    await look_at(page, "07-thanks")

    await follow(page, "Rút lại đánh giá")
    await on(page, "Rút lại đánh giá")
    await look_at(page, "10-withdraw")
    await page.get_by_label("Mã biên nhận").fill(receipt[:-1] + ("A" if receipt[-1] != "A" else "B"))
    await press(page, "Tiếp tục")
    await on(page, "Rút lại đánh giá này?")
    await press(page, "Rút lại đánh giá")
    await expect(page.get_by_role("alert")).to_contain_text("Mã biên nhận chưa đúng.")
    await look_at(page, "10-withdraw-mistake")
    await page.get_by_label("Mã biên nhận").fill(receipt.lower().replace("-", " "))
    await press(page, "Tiếp tục")
    await on(page, "Rút lại đánh giá này?")
    await look_at(page, "10-withdraw-confirm")
    await counted(system, place, satisfied=1)
    await press(page, "Rút lại đánh giá")
    await on(page, "Đánh giá đã được rút lại")
    await look_at(page, "10-withdraw-done")
    await counted(system, place)
    assert (await system.figures(f"units/{place.unit_id}"))["total"] == 0

    await visitor.open("/rut-lai", page)
    await page.get_by_label("Mã biên nhận").fill(receipt)
    await press(page, "Tiếp tục")
    await press(page, "Rút lại đánh giá")
    await on(page, "Đánh giá đã được rút lại")
    await counted(system, place)
