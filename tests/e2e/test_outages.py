"""A part is away: nothing entered is lost, and pages say so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import expect

from portal.visitor import COOKIE as VISIT
from services.intake.settings import Settings
from tests.e2e.browser import Visitor
from tests.e2e.city import Place, counted, submissions
from tests.e2e.looking import look_at
from tests.e2e.walking import THANKS, enter_code, fill_form, on, press, to_code
from tests.support.system import System

UNSENT = "Chưa gửi được đánh giá"
AWAY = ("status of 503", "ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING")


@asynccontextmanager
async def away(system: System, part: str) -> AsyncIterator[None]:
    """The part is stopped, and started again in the end."""
    await system.parts[part].process.stop()
    try:
        yield
    finally:
        await system.parts[part].start()


async def test_a_rating_that_intake_could_not_take_is_kept_and_sent_again_once(
    visitor: Visitor, system: System, place: Place
) -> None:
    visitor.forgiven += AWAY
    page = await to_code(visitor, place.form)
    async with away(system, "intake"):
        await enter_code(page, await visitor.digits(page))
        await on(page, UNSENT)
        await expect(page.get_by_role("alert")).to_be_focused()
        await look_at(page, "06-unsent")
        await press(page, "Gửi lại")
        await on(page, UNSENT)
        kept = await visitor.draft(page)
        assert (kept.answer, kept.consent, bool(kept.phone), kept.frozen) == ("satisfied", True, True, True)
    await press(page, "Gửi lại")
    await on(page, THANKS)
    await counted(system, place, satisfied=1)
    assert await submissions(system, place) == 1


async def test_over_a_limit_a_citizen_is_told_when_to_send_again(
    visitor: Visitor, system: System, place: Place
) -> None:
    visitor.forgiven.append("status of 429")
    page = await to_code(visitor, place.form)
    cookies = {cookie["name"]: cookie["value"] for cookie in await visitor.context.cookies(page.url)}
    for _ in range(Settings().limit_session):  # so many ratings of this very visit
        headers = {**system.on_behalf_of_someone(), "Hailong-Session": cookies[VISIT]}
        await system.submit(officer_id=place.officer_id, headers=headers)
    await enter_code(page, await visitor.digits(page))
    await on(page, "Vui lòng đợi một lát rồi gửi lại")
    await expect(page.get_by_role("alert")).to_be_focused()
    await look_at(page, "06-limited")
    kept = await visitor.draft(page)
    assert (kept.answer, kept.consent, bool(kept.phone), kept.frozen) == ("satisfied", True, True, True)


async def test_a_page_that_cannot_be_made_without_intake_says_so(visitor: Visitor, system: System) -> None:
    visitor.forgiven += AWAY
    page = await visitor.open("/danh-gia")
    async with away(system, "intake"):
        await visitor.open("/danh-gia/tim-kiem?q=nguyen", page)
        await on(page, "Tạm thời chưa phục vụ được")
        await look_at(page, "09-away")
    await page.reload()
    await on(page, "Tìm đơn vị, công chức")


async def test_without_verification_the_form_is_kept_until_there_is_a_picture(
    visitor: Visitor, system: System, place: Place
) -> None:
    visitor.forgiven += AWAY
    page = await visitor.open(place.form)
    async with away(system, "verification"):
        await fill_form(page, "Hài lòng")
        await on(page, "Chưa tạo được mã xác thực")
        await look_at(page, "06-no-picture")
    await page.get_by_role("link", name="Thử lại").click()
    await on(page, "Nhập mã xác thực")
    await enter_code(page, await visitor.digits(page))
    await on(page, THANKS)
    await counted(system, place, satisfied=1)


async def test_a_rating_waiting_to_be_decided_is_reloaded_without_being_sent_again(
    visitor: Visitor, system: System, place: Place
) -> None:
    page = await to_code(visitor, place.form)
    async with away(system, "verification-worker"):
        await enter_code(page, await visitor.digits(page))
        await on(page, "Đang xử lý")
        await look_at(page, "06-pending")
        for _ in range(2):
            await page.reload()
            await on(page, "Đang xử lý")
    await on(page, THANKS)  # by itself
    await counted(system, place, satisfied=1)
    assert await submissions(system, place) == 1


async def test_an_open_dashboard_says_that_it_is_old_and_catches_up(
    visitor: Visitor, system: System, place: Place
) -> None:
    visitor.forgiven += AWAY
    page = await visitor.open(f"/ket-qua/don-vi/{place.unit_id}")
    await expect(page.get_by_text("tự cập nhật")).to_be_visible()
    async with away(system, "aggregation"):
        await expect(page.get_by_text("Mất kết nối, đang nối lại")).to_be_visible()
        stale = await visitor.open(f"/ket-qua/don-vi/{place.unit_id}")
        await expect(stale.get_by_role("status")).to_contain_text("số liệu mới nhất còn giữ")
        await look_at(stale, "08-unit-stale")
        never_seen = await visitor.open("/ket-qua/don-vi/ubnd-huyen-dao-hoang-sa")
        await on(never_seen, "Chưa xem được số liệu")
        await look_at(never_seen, "08-offline")
        sent = await system.submit(officer_id=place.officer_id)
        assert (await system.outcome(sent.rating_id))["status"] == "accepted"
    for dashboard in (page, stale):
        await expect(dashboard.locator("[data-figure=total]")).to_have_text("1")
        await expect(dashboard.get_by_text("tự cập nhật")).to_be_visible()
