"""Every page, looked at by axe-core in both sizes and both colours, and kept as pictures."""

import asyncio
from pathlib import Path

import pytest
import yaml
from playwright.async_api import Browser, expect

from deploy.local.layout import CHECKOUT
from tests.e2e.browser import Visitor, a_visitor
from tests.e2e.city import FIGURES_SECONDS, Place, counted
from tests.e2e.looking import look_at
from tests.e2e.walking import NOT_SATISFIED, THANKS, enter_code, fill_form, on, press, wrong
from tests.support.system import UNIT, System, new_phone

FIRST_PAGE_BYTES = 150 * 1024
LEFT = "nguyen-thi-lan"
PATHS = {
    "01-home": "/",
    "02-groups": "/danh-gia",
    "03-units": "/danh-gia/nhom/so-ban-nganh",
    "03-districts": "/danh-gia/nhom/quan-huyen",
    "04-officers": f"/danh-gia/don-vi/{UNIT}",
    "04-officers-none": f"/danh-gia/don-vi/{UNIT}?q=zzz",
    "04-search": "/danh-gia/tim-kiem?q=phuong",
    "04-search-none": "/danh-gia/tim-kiem?q=zzz",
    "09-about": "/gioi-thieu",
}


@pytest.mark.parametrize("name", PATHS)
async def test_a_page_on_the_way_is_sound(visitor: Visitor, name: str) -> None:
    await look_at(await visitor.open(PATHS[name]), name)


async def test_a_page_that_is_not_there_is_sound(visitor: Visitor) -> None:
    visitor.forgiven.append("status of 404")
    page = await visitor.open("/khong-co")
    await on(page, "Không tìm thấy trang")
    await look_at(page, "09-not-found")


async def test_the_page_without_an_open_survey_is_sound(visitor: Visitor, place: Place) -> None:
    page = await visitor.open(f"{place.form}/da-dong")
    await on(page, "Hiện không có đợt khảo sát nào đang mở")
    await look_at(page, "09-no-edition")


async def test_the_page_of_an_officer_who_has_left_is_sound(
    visitor: Visitor, system: System, place: Place, tmp_path: Path
) -> None:
    visitor.forgiven.append("status of 404")
    await system.run("intake", "services.intake", "publish", str(_with_one_who_left(place, tmp_path)))
    left = f"{place.unit_id}.{LEFT}"
    async with asyncio.timeout(FIGURES_SECONDS):
        url = f"{system.url('intake')}/v1/directory/officers/{left}"
        while (await system.http.get(url)).status_code != 200:
            await asyncio.sleep(0.05)
    page = await visitor.open(f"/danh-gia/cong-chuc/{left}")
    await on(page, "Công chức này hiện không nhận đánh giá")
    await look_at(page, "05-officer-left")


def _with_one_who_left(place: Place, folder: Path) -> Path:
    """The directory of 2017, with one officer more in a place's unit, who is there no longer."""
    document = yaml.safe_load((CHECKOUT / "data" / "directory-2017.yaml").read_text())
    units = [unit for group in document["directory"]["groups"] for unit in group["units"]]
    [unit] = [unit for unit in units if unit["id"] == place.unit_id]
    unit["officers"].append({"id": LEFT, "name": "Nguyễn Thị Lan", "active_until": "2017-06-01"})
    file = folder / "directory.yaml"
    file.write_text(yaml.safe_dump(document, allow_unicode=True))
    return file


async def test_the_pages_of_a_rating_are_sound(visitor: Visitor, place: Place) -> None:
    page = await visitor.open(place.form)
    await look_at(page, "05-form")
    await press(page, "Tiếp tục")
    await look_at(page, "05-form-mistakes")
    await fill_form(page, NOT_SATISFIED)
    await on(page, "Vì sao ông/bà chưa hài lòng?")
    await look_at(page, "05b-reasons")
    await press(page, "Tiếp tục")
    await expect(page.get_by_role("alert")).to_contain_text("Chọn ít nhất một lý do.")
    await look_at(page, "05b-reasons-mistake")
    await page.get_by_label("Lý do khác").check()
    await press(page, "Tiếp tục")
    await on(page, "Nhập mã xác thực")
    await look_at(page, "06-code")
    await enter_code(page, wrong(await visitor.digits(page)))
    await expect(page.get_by_role("alert")).to_be_visible()
    await look_at(page, "06-code-wrong")
    await enter_code(page, await visitor.digits(page))
    await on(page, THANKS)
    await look_at(page, "07-thanks")


async def test_the_dashboards_are_sound_empty_and_filled(
    visitor: Visitor, system: System, place: Place
) -> None:
    visitor.forgiven.append("status of 422")
    page = await visitor.open(f"/ket-qua/don-vi/{place.unit_id}")
    await expect(page.locator("[data-live=on]")).to_be_visible()
    await look_at(page, "08-unit-empty")
    for answer, reasons in (("satisfied", []), ("not_satisfied", ["late", "attitude"])) * 3:
        sent = await system.submit(
            officer_id=place.officer_id, answer=answer, reasons=reasons, channel="qr", phone=new_phone()
        )
        assert (await system.outcome(sent.rating_id))["status"] == "accepted"
    await counted(system, place, satisfied=3, not_satisfied=3)
    unit = f"/ket-qua/don-vi/{place.unit_id}"
    for name, path in {
        "08-city": "/ket-qua",
        "08-group": "/ket-qua/nhom/so-ban-nganh",
        "08-unit": unit,
        "08-unit-months": f"{unit}?from=2025-01-01",
        "08-unit-mistake": f"{unit}?from=31/02/2026",
        "08-officer": f"/ket-qua/cong-chuc/{place.officer_id}",
        "08-wall": f"{unit}?display=wall",
    }.items():
        await visitor.open(path, page)
        await expect(page.locator("[data-live=on]")).to_be_visible()
        await page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        await look_at(page, name)


async def test_the_first_page_weighs_less_than_150_kb(browser: Browser, system: System) -> None:
    async with a_visitor(browser, system) as visitor:
        page = await visitor.context.new_page()
        devtools = await visitor.context.new_cdp_session(page)
        loaded: list[int] = []
        devtools.on("Network.loadingFinished", lambda event: loaded.append(event["encodedDataLength"]))
        await devtools.send("Network.enable")
        await visitor.open("/", page)
        await page.evaluate("document.fonts.ready")
        assert len(loaded) >= 5  # the page, its style and its fonts
        assert sum(loaded) <= FIRST_PAGE_BYTES
