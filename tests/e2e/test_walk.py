"""The eight screens of the survey of 2017, label by label."""

import re

from playwright.async_api import Browser, Page, expect

from tests.e2e.browser import Visitor, a_visitor
from tests.e2e.city import Place, counted
from tests.e2e.walking import (
    NOT_SATISFIED,
    SATISFIED,
    THANKS,
    WRONG_CODE,
    enter_code,
    fill_form,
    follow,
    on,
    press,
    to_code,
    wrong,
)
from tests.support.system import OFFICER, UNIT, System

MENU = "Đánh giá cung ứng DVC"
REASONS = [
    "Trả kết quả trễ hẹn",
    "Phải đi lại nhiều lần",
    "Chờ đợi lâu tại nơi tiếp nhận",
    "Hướng dẫn không rõ ràng, không đầy đủ",
    "Yêu cầu thêm giấy tờ ngoài quy định",
    "Thái độ phục vụ chưa tốt",
    "Phát sinh chi phí ngoài quy định",
    "Lý do khác",
]
UNIT_OFFICER = Place(OFFICER, "Đinh Thị Minh Phương", UNIT, "Sở Thông tin và Truyền thông", "so-ban-nganh")
SECOND_MS = 1000.0


async def walk_to_the_form(visitor: Visitor) -> Page:
    """Screens 1 to 5, by their labels."""
    page = await visitor.open("/")
    await on(page, "Ông/bà có hài lòng với dịch vụ công của thành phố?")
    await page.get_by_role("navigation", name="Danh mục").get_by_role("link", name=MENU, exact=True).click()

    await on(page, MENU)
    await expect(page.get_by_text("Bước 2 / 6")).to_be_visible()
    await expect(page.get_by_role("link", name="UBND các quận, huyện", exact=True)).to_be_visible()
    await follow(page, "Sở, Ban, Ngành")

    await on(page, "Sở, Ban, Ngành")
    await expect(page.get_by_text("Bước 3 / 6")).to_be_visible()
    await follow(page, "Sở Thông tin và Truyền thông")

    await on(page, "Sở Thông tin và Truyền thông")
    await expect(page.get_by_text("Bước 4 / 6")).to_be_visible()
    await expect(page.get_by_text("Công chức một cửa").first).to_be_visible()
    await follow(page, "Đinh Thị Minh Phương")

    await on(page, "Đánh giá công chức một cửa")
    await expect(page.get_by_text("Bước 5 / 6")).to_be_visible()
    await expect(page.get_by_text("Đinh Thị Minh Phương")).to_be_visible()
    answers = page.get_by_role("radio")
    assert [await answer.evaluate("e => e.labels[0].innerText.trim()") for answer in await answers.all()] == [
        SATISFIED,
        NOT_SATISFIED,
    ]
    await expect(page.get_by_label("Tôi đồng ý")).not_to_be_checked()
    return page


async def test_a_satisfied_citizen_walks_the_screens_and_the_open_dashboard_moves(
    visitor: Visitor, system: System, browser: Browser
) -> None:
    before = await system.figures(f"units/{UNIT}")
    async with a_visitor(browser, system, viewport={"width": 1280, "height": 900}) as onlooker:
        dashboard = await onlooker.open(f"/ket-qua/don-vi/{UNIT}")
        await expect(dashboard.locator("[data-live=on]")).to_be_visible()
        await dashboard.evaluate("window.notReloaded = true")

        page = await walk_to_the_form(visitor)
        await fill_form(page, SATISFIED)
        await on(page, "Nhập mã xác thực")
        await expect(page.get_by_text("Bước 6 / 6")).to_be_visible()
        await expect(page.get_by_role("button", name="Nghe mã", exact=True)).to_be_visible()
        await expect(page.get_by_role("button", name="Đổi mã khác", exact=True)).to_be_visible()
        await enter_code(page, await visitor.digits(page))
        await on(page, THANKS)

        total = dashboard.locator("[data-figure=total]")
        await expect(total).to_have_text(str(before["total"] + 1), timeout=SECOND_MS)
        await expect(dashboard.locator("[data-figure=satisfied]")).to_have_text(str(before["satisfied"] + 1))
        assert await dashboard.evaluate("window.notReloaded") is True


async def test_a_citizen_not_satisfied_gives_reasons_and_a_wrong_code_keeps_everything(
    visitor: Visitor, system: System
) -> None:
    before = await system.figures(f"officers/{OFFICER}")
    page = await walk_to_the_form(visitor)
    await fill_form(page, NOT_SATISFIED, phone="0905 123 456")

    await on(page, "Vì sao ông/bà chưa hài lòng?")
    boxes = page.get_by_role("checkbox")
    assert [await box.evaluate("e => e.labels[0].innerText.trim()") for box in await boxes.all()] == REASONS
    await page.get_by_label("Phải đi lại nhiều lần").check()
    await page.get_by_label("Thái độ phục vụ chưa tốt").check()
    await press(page, "Tiếp tục")

    await on(page, "Nhập mã xác thực")
    picture = page.locator(".picture img")
    first_address = await picture.get_attribute("src")
    first_digits = await visitor.digits(page)
    await enter_code(page, wrong(first_digits))

    summary = page.get_by_role("alert")
    await expect(summary).to_contain_text(WRONG_CODE)
    await expect(summary).to_be_focused()
    await expect(picture).not_to_have_attribute("src", first_address or "")
    await picture.evaluate("image => image.decode()")  # fails for what is no picture
    assert await visitor.digits(page) != first_digits
    await follow(page, "Quay lại")
    await expect(page.get_by_label("Phải đi lại nhiều lần")).to_be_checked()
    await expect(page.get_by_label("Thái độ phục vụ chưa tốt")).to_be_checked()
    await expect(page.get_by_role("checkbox", checked=True)).to_have_count(2)
    await follow(page, "Quay lại")
    await expect(page.get_by_label("Số điện thoại di động")).to_have_value("0905 123 456")
    await expect(page.get_by_role("radio", name=NOT_SATISFIED, exact=True)).to_be_checked()
    await expect(page.get_by_label("Tôi đồng ý")).to_be_checked()
    await press(page, "Tiếp tục")
    await press(page, "Tiếp tục")
    await enter_code(page, await visitor.digits(page))

    await on(page, THANKS)
    rejected = {each["reason"]: each["count"] for each in before["rejected"]}
    rejected["challenge_wrong"] = rejected.get("challenge_wrong", 0) + 1
    wanted = {name: before[name] for name in ("satisfied", "not_satisfied")}
    wanted["not_satisfied"] += 1
    await counted(system, UNIT_OFFICER, **{k: n for k, n in (wanted | rejected).items() if n})
    reasons = (await system.figures(f"officers/{OFFICER}"))["reasons"]
    assert {each["id"]: each["count"] for each in reasons} == {"many_visits": 1, "attitude": 1}


async def test_the_first_rating_of_a_unit_fills_its_empty_dashboard(visitor: Visitor, place: Place) -> None:
    dashboard = await visitor.open(f"/ket-qua/don-vi/{place.unit_id}")
    await expect(dashboard.get_by_text("Chưa có đánh giá nào được tính. Số liệu sẽ hiện")).to_be_visible()
    await expect(dashboard.locator("[data-live=on]")).to_be_visible()
    page = await to_code(visitor, place.form)
    await enter_code(page, await visitor.digits(page))
    await on(page, THANKS)
    await expect(dashboard.locator("[data-figure=total]")).to_have_text("1", timeout=SECOND_MS)
    await expect(dashboard.locator("[data-figure=rate]")).to_have_text("100,0%")
    row = dashboard.get_by_role("row").filter(has_text=place.officer)
    await expect(row).to_contain_text("1 lượt")
    await expect(row).to_contain_text(re.compile(r"20,7% – 100,0%"))


async def test_the_code_can_be_heard_and_changed(visitor: Visitor, place: Place) -> None:
    page = await to_code(visitor, place.form)
    digits = await visitor.digits(page)
    for name in ("Nghe mã", "Nghe mã bằng tiếng Anh"):
        async with page.expect_response(re.compile(r"am-thanh-(vi|en)\.wav")) as sound:
            await press(page, name)
        answer = await sound.value
        assert answer.headers["content-type"] == "audio/wav"
        assert answer.ok
    await press(page, "Đổi mã khác")
    await on(page, "Nhập mã xác thực")
    assert await visitor.digits(page) != digits


async def test_what_is_missing_is_said_at_its_place(visitor: Visitor, place: Place) -> None:
    page = await visitor.open(place.form)
    await press(page, "Tiếp tục")
    summary = page.get_by_role("alert")
    await expect(summary).to_be_focused()
    for message in (
        "Nhập số điện thoại di động Việt Nam, ví dụ 0905 123 456.",
        "Chọn một trong hai câu trả lời.",
        "Đánh dấu vào ô đồng ý để tiếp tục.",
    ):
        await expect(summary.get_by_role("link", name=message)).to_be_visible()
        await expect(page.get_by_text(message)).to_have_count(2)
    await summary.get_by_role("link", name="Nhập số điện thoại").click()
    await expect(page.get_by_label("Số điện thoại di động")).to_be_focused()
    await expect(page).to_have_title(re.compile("^Lỗi:"))


async def test_search_without_diacritics_finds_the_unit_and_the_officer(visitor: Visitor) -> None:
    page = await visitor.open("/danh-gia")
    await page.get_by_label("Tên đơn vị hoặc công chức").fill("so thong tin")
    await press(page, "Tìm")
    await follow(page, "Sở Thông tin và Truyền thông")
    await page.get_by_label("Tìm công chức").fill("dinh phuong")
    await press(page, "Tìm")
    await expect(page.get_by_role("main").locator(".choices a")).to_have_text(["Đinh Thị Minh Phương"])
