"""The citizen's walk, page by page, by what is written on it."""

from playwright.async_api import Page, expect

from tests.e2e.browser import Visitor
from tests.support.system import new_phone

HELP = ("Tổng đài thông tin dịch vụ công", "(0236) 1022", "gopy@danang.gov.vn")
SATISFIED, NOT_SATISFIED = "Hài lòng", "Chưa hài lòng"
THANKS = "Cảm ơn ông/bà đã gửi đánh giá"
WRONG_CODE = "Mã xác thực chưa đúng. Vui lòng nhập mã mới trong hình; các mục đã nhập vẫn được giữ."


async def on(page: Page, heading: str) -> None:
    """The page is the one with this heading, and offers help."""
    await expect(page.get_by_role("heading", name=heading, exact=True, level=1)).to_be_visible()
    for text in HELP:
        await expect(page.get_by_role("contentinfo")).to_contain_text(text)


async def follow(page: Page, link: str) -> None:
    await page.get_by_role("main").get_by_role("link", name=link, exact=True).click()


async def press(page: Page, button: str) -> None:
    await page.get_by_role("button", name=button, exact=True).click()


async def fill_form(page: Page, answer: str, *, phone: str = "") -> None:
    await page.get_by_label("Số điện thoại di động").fill(phone or new_phone())
    await page.get_by_role("radio", name=answer, exact=True).check()
    await page.get_by_label("Tôi đồng ý cho dùng số điện thoại của tôi như trên.").check()
    await press(page, "Tiếp tục")


async def enter_code(page: Page, digits: str) -> None:
    await page.get_by_label("Mã xác thực", exact=True).fill(digits)
    await press(page, "Gửi đánh giá")


async def to_code(visitor: Visitor, form: str) -> Page:
    """A satisfied citizen, up to the page that asks for the code."""
    page = await visitor.open(form)
    await fill_form(page, SATISFIED)
    await on(page, "Nhập mã xác thực")
    return page


async def rate(visitor: Visitor, form: str) -> Page:
    """The whole of it, to the thanks."""
    page = await to_code(visitor, form)
    await enter_code(page, await visitor.digits(page))
    await on(page, THANKS)
    return page


def wrong(digits: str) -> str:
    return digits[::-1] if digits[::-1] != digits else "0" * len(digits)
