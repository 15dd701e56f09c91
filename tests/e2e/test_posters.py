"""A poster, from the department that prints it to the citizen who scans it; and one that is a fake."""

import asyncio
from pathlib import Path

import pypdfium2
import zxingcpp
from PIL import Image
from playwright.async_api import Browser, ViewportSize, expect

from tests.e2e.browser import PATIENCE_MS, Visitor, a_visitor
from tests.e2e.city import Place, counted
from tests.e2e.looking import PICTURES, look_at
from tests.e2e.walking import SATISFIED, THANKS, enter_code, fill_form, on
from tests.support.system import System

A6_CSS_PIXELS: ViewportSize = {"width": 397, "height": 560}


def read(picture: Image.Image) -> str:
    [found] = zxingcpp.read_barcodes(picture)
    return str(found.text)


async def downloaded(department: Visitor, path: str, folder: Path) -> dict[str, Path]:
    """The sheets that the page of an officer offers, by what the links say."""
    page = await department.open(path)
    await page.get_by_role("button", name="Phòng khảo sát").click()
    department.forgiven.append("status of 503")  # a stack that has just started may be busy
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while not await page.get_by_role("heading", name="Mã QR để in").count():
            await page.reload()
    await look_at(page, "11-department-sheets")
    files = {}
    for link in ("Áp phích A4, PDF", "Thẻ để bàn A6, PDF", "Thẻ để bàn A6, SVG"):
        async with page.expect_download() as started:
            await page.get_by_role("link", name=link, exact=True).click()
        download = await started.value
        files[link] = folder / download.suggested_filename
        await download.save_as(files[link])
    provider = department.system.url("identity-provider")
    department.strayed = [url for url in department.strayed if not url.startswith(provider)]
    return files


async def test_a_printed_code_leads_to_the_form_of_its_officer_and_a_fake_one_to_a_warning(
    browser: Browser, system: System, place: Place, tmp_path: Path
) -> None:
    async with a_visitor(browser, system) as department:
        files = await downloaded(department, f"/noi-bo/cong-chuc/{place.officer_id}", tmp_path)
        drawn = await department.context.new_page()
        await drawn.set_viewport_size(A6_CSS_PIXELS)
        await drawn.goto(files["Thẻ để bàn A6, SVG"].as_uri())
        await drawn.screenshot(path=PICTURES / "12-desk-card.png")
        department.strayed = [url for url in department.strayed if not url.startswith("file:")]
    addresses = {read(Image.open(PICTURES / "12-desk-card.png"))}
    for name in ("Áp phích A4, PDF", "Thẻ để bàn A6, PDF"):
        addresses.add(read(pypdfium2.PdfDocument(files[name])[0].render(scale=2).to_pil()))
    [address] = addresses
    site, _, code = address.rpartition("/r/")
    assert site == system.url("portal")
    async with a_visitor(browser, system) as citizen:
        page = await citizen.open(f"/r/{code}")
        await on(page, "Đánh giá công chức một cửa")
        for said in (place.officer, place.unit, "do thành phố cấp", f"{site}/"):
            await expect(page.get_by_role("main")).to_contain_text(said)
        await look_at(page, "12-form-by-poster")
        await fill_form(page, SATISFIED)
        await enter_code(page, await citizen.digits(page))
        await on(page, THANKS)
        await counted(system, place, satisfied=1)
        channels = (await system.figures(f"units/{place.unit_id}"))["channels"]
        assert [each["id"] for each in channels] == ["qr"]
        citizen.forgiven.append("status of 404")
        other = "2" if code[-1] != "2" else "3"
        await citizen.open(f"/r/{code[:-1]}{other}", page)
        await on(page, "Mã này không phải của thành phố")
        await look_at(page, "12-fake-poster")
        await page.get_by_role("main").get_by_role("link", name="Chọn đơn vị").click()
        await on(page, "Đánh giá cung ứng DVC")
