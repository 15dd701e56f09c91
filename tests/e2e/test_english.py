"""The English switch leaves nothing Vietnamese on the pages but names."""

from functools import cache

import yaml
from playwright.async_api import Page, expect

from deploy.local.layout import CHECKOUT
from tests.e2e.browser import Visitor
from tests.e2e.city import Place
from tests.e2e.looking import violations
from tests.e2e.walking import wrong
from tests.support.system import new_phone

VIETNAMESE = set("ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ")
WORDS = """() => {
  const found = [document.title];
  const kinds = NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT;
  const walker = document.createTreeWalker(document.documentElement, kinds);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.nodeType === Node.TEXT_NODE) found.push(node.data);
    else for (const name of ["alt", "aria-label", "title", "placeholder", "content"])
      if (node.hasAttribute(name)) found.push(node.getAttribute(name));
  }
  return found.map((text) => text.trim()).filter(Boolean);
}"""


@cache
def names() -> list[str]:
    """Of officers, of places in English, of the product and of the other language; the longest first."""
    directory = yaml.safe_load((CHECKOUT / "data" / "directory-2017.yaml").read_text())["directory"]
    found = ["Hài Lòng", "Tiếng Việt"]
    for group in directory["groups"]:
        for unit in group["units"]:
            found += [unit["name"]["en"], *(officer["name"] for officer in unit["officers"])]
    return sorted(found, key=len, reverse=True)


async def assert_english(page: Page) -> None:
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    left = []
    for text in await page.evaluate(WORDS):
        rest = text
        for name in names():
            rest = rest.replace(name, "")
        if VIETNAMESE & set(rest.casefold()):
            left.append(text)
    assert left == []
    assert await violations(page) == []


async def test_the_whole_walk_and_the_dashboards_are_english(visitor: Visitor, place: Place) -> None:
    page = await visitor.open("/")
    await page.get_by_role("link", name="English", exact=True).click()
    for path in (
        "/",
        "/gioi-thieu",
        "/rut-lai",
        "/danh-gia",
        "/danh-gia/nhom/so-ban-nganh",
        "/danh-gia/nhom/quan-huyen",
        f"/danh-gia/don-vi/{place.unit_id}",
        "/danh-gia/tim-kiem?q=zzz",
        f"/danh-gia/tim-kiem?q={place.officer}",
        "/ket-qua",
        f"/ket-qua/don-vi/{place.unit_id}",
    ):
        await visitor.open(path, page)
        await assert_english(page)

    await visitor.open(place.form, page)
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await assert_english(page)
    await page.get_by_label("Mobile phone number").fill(new_phone())
    await page.get_by_role("radio", name="Not yet satisfied", exact=True).check()
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_label("The wait at the desk was long").check()
    await assert_english(page)
    await page.get_by_role("button", name="Continue").click()
    for digits in (wrong(await visitor.digits(page)), None):
        await expect(page.locator("#ma-xac-thuc")).to_be_visible()
        await assert_english(page)
        await page.locator("#ma-xac-thuc").fill(digits or await visitor.digits(page))
        await page.get_by_role("button", name="Send rating").click()
        await expect(page.get_by_role("alert") if digits else page.locator(".thanks")).to_be_visible()
    await assert_english(page)

    await visitor.open(f"/ket-qua/cong-chuc/{place.officer_id}", page)
    await expect(page.locator("[data-figure=total]")).to_have_text("1")
    await assert_english(page)
    await page.get_by_role("link", name="Tiếng Việt", exact=True).click()
    await expect(page.locator("html")).to_have_attribute("lang", "vi")
