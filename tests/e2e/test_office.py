"""The survey office's first hour: the directory imported, a unit renamed, an officer moved, an edition
published; and the audit trail shows all of it."""

import base64

from nacl.public import PrivateKey
from playwright.async_api import Browser, FilePayload, Page, expect

from tests.e2e.browser import a_visitor
from tests.e2e.looking import look_at
from tests.support.system import System

HEAD = "type,id,unit_id,group_id,group_vi,group_en,name_vi,name_en"
UNIT, OTHER = "trung-tam-thu", "trung-tam-khac"
OFFICER = f"{UNIT}.tran-van-mau"
LINES = (
    f"unit,{UNIT},,nhom-thu,Nhóm thử,Trial group,Trung tâm thử,Trial centre",
    f"unit,{OTHER},,nhom-thu,,,Trung tâm khác,Other centre",
    f"officer,tran-van-mau,{UNIT},,,,Trần Văn Mẫu,",
)


def table(*lines: str) -> FilePayload:
    return {"name": "danh-muc.csv", "mimeType": "text/csv", "buffer": "\r\n".join((HEAD, *lines)).encode()}


async def sign_in(page: Page, person: str) -> None:
    await page.get_by_role("button", name=person).click()
    await expect(page.get_by_role("navigation", name="Phòng khảo sát")).to_be_visible()


async def shown(page: Page, heading: str) -> None:
    await expect(page.get_by_role("heading", level=1)).to_have_text(heading)


async def test_the_office_s_first_hour(browser: Browser, system: System) -> None:
    async with a_visitor(browser, system) as visitor:
        visitor.forgiven = ["422"]  # what is to be mended is said with this status
        page = await visitor.open("/office")
        await sign_in(page, "Phòng khảo sát")
        await shown(page, "Phòng khảo sát")
        await look_at(page, "11-office")

        await page.get_by_role("link", name="Nhập danh mục").first.click()
        await page.get_by_label("Tệp danh mục").set_input_files(
            table(*LINES[:2], LINES[2].replace(UNIT, "x"))
        )
        await page.get_by_role("button", name="Xem trước").click()
        errors = page.get_by_role("region", name="Lỗi theo dòng")
        await expect(errors).to_contain_text("Không có đơn vị này.")
        await expect(errors.get_by_role("rowheader")).to_have_text("4")
        await look_at(page, "11-office-import-errors")

        await page.get_by_label("Tệp danh mục").set_input_files(table(*LINES))
        await page.get_by_role("button", name="Xem trước").click()
        changes = page.get_by_role("region", name="Thay đổi").get_by_role("rowheader")
        await expect(changes).to_have_count(3)
        await expect(changes.first).to_contain_text("Trung tâm thử")
        await look_at(page, "11-office-import-preview")
        await page.get_by_role("button", name="Áp dụng đúng như trên").click()
        await expect(page.get_by_role("status")).to_contain_text("Đã ghi: Nhập danh mục.")

        await visitor.open(f"/office/units/{UNIT}", page)
        rename = page.get_by_role("region", name="Đổi tên")
        await rename.get_by_label("Tên tiếng Việt").fill("Trung tâm mới")
        await rename.get_by_label("Tên tiếng Anh").fill("New centre")
        await rename.get_by_role("button").click()
        await shown(page, "Trung tâm mới")
        await look_at(page, "11-office-unit")

        await page.get_by_role("link", name="Trần Văn Mẫu").click()
        await page.get_by_label("Đơn vị mới").select_option("Trung tâm khác")
        await look_at(page, "11-office-officer")
        await page.get_by_role("button", name="Chuyển").click()
        await shown(page, "Trung tâm khác")
        await expect(page.get_by_role("link", name="Trần Văn Mẫu")).to_be_visible()

        await page.get_by_role("link", name="Đợt khảo sát", exact=True).click()
        await page.get_by_role("link", name="Đợt mới").click()
        await page.get_by_label("Mã đợt").fill("1999")
        await page.get_by_label("Tên tiếng Việt").fill("Đợt thử")
        await page.get_by_label("Tên tiếng Anh").fill("Trial edition")
        await page.get_by_label("Ngày mở").fill("1999-01-01")
        await page.get_by_label("Ngày cuối nhận đánh giá").fill("1999-12-31")
        await page.get_by_role("button", name="Công bố").click()
        await expect(page.get_by_role("alert")).to_contain_text("Khóa niêm phong không đúng.")
        public = base64.b64encode(bytes(PrivateKey.generate().public_key)).decode()
        await page.get_by_label("Khóa niêm phong").fill(f'{{"key_id": "1999-1", "public_key": "{public}"}}')
        await page.get_by_role("button", name="Công bố").click()
        await shown(page, "Đợt thử")
        await look_at(page, "11-office-edition")

        await page.get_by_role("link", name="Nhật ký", exact=True).click()
        trail = page.get_by_role("region", name="Nhật ký thao tác").get_by_role("rowheader")
        expected = ["Công bố đợt khảo sát", "Chuyển công chức", "Đổi tên đơn vị", "Nhập danh mục"]
        for number, action in enumerate(expected):
            await expect(trail.nth(number)).to_have_text(action)
        await look_at(page, "11-office-actions")
        async with page.expect_download() as downloading:
            await page.get_by_role("link", name="Tải nhật ký (CSV)").click()
        assert (await downloading.value).suggested_filename == "office-actions.csv"
        await page.get_by_label("Mã đơn vị, công chức hoặc đợt").fill(OFFICER)
        await page.get_by_role("button", name="Lọc").click()
        await expect(trail).to_have_text(["Chuyển công chức", "Nhập danh mục"])
        unit = await system.http.get(f"{system.url('intake')}/v1/directory/units/{OTHER}")
        assert [each["id"] for each in unit.json()["officers"]] == [f"{OTHER}.tran-van-mau"]
        provider = system.url("identity-provider")
        visitor.strayed = [url for url in visitor.strayed if not url.startswith(provider)]
