"""The citizen's walk, from the home page to the thanks."""

import pytest

from tests.unit.portal.conftest import FORM, PHONE, Citizen
from tests.unit.portal.fake_data import OFFICER, SAMPLE


async def test_the_links_lead_from_the_home_page_to_the_officer(citizen: Citizen) -> None:
    for path, leads_to in (
        ("/", 'href="/danh-gia"'),
        ("/danh-gia", 'href="/danh-gia/nhom/so-ban-nganh"'),
        ("/danh-gia/nhom/so-ban-nganh", 'href="/danh-gia/don-vi/so-thong-tin-va-truyen-thong"'),
        ("/danh-gia/don-vi/so-thong-tin-va-truyen-thong", f'href="{FORM}"'),
    ):
        assert (await citizen.get(path)).status_code == 200
        assert leads_to in citizen.page


@pytest.mark.parametrize("query", ["phuong", "dinh thi minh phuong", "ĐINH", "phương đinh"])
async def test_officers_are_found_without_diacritics(citizen: Citizen, query: str) -> None:
    await citizen.get(f"/danh-gia/don-vi/so-thong-tin-va-truyen-thong?q={query}")
    assert "Đinh Thị Minh Phương" in citizen.page
    assert "Trần Văn Mẫu" not in citizen.page


async def test_sample_officers_are_marked(citizen: Citizen) -> None:
    await citizen.get(f"/danh-gia/cong-chuc/{SAMPLE}")
    assert "Dữ liệu mẫu" in citizen.page
    await citizen.get(f"/danh-gia/cong-chuc/{OFFICER}")
    assert "Dữ liệu mẫu" not in citizen.page


async def test_the_form_asks_in_the_edition_s_order_with_consent_unticked(citizen: Citizen) -> None:
    await citizen.get(FORM)
    assert citizen.page.index('value="satisfied"') < citizen.page.index('value="not_satisfied"')
    assert " checked" not in citizen.page
    assert "Bước 5 / 6" in citizen.page
    assert "xóa sau 30 ngày" in citizen.page


async def test_a_satisfied_citizen_sends_a_rating_and_is_thanked(citizen: Citizen) -> None:
    await citizen.fill_form("satisfied")
    assert "Nhập mã xác thực" in citizen.page
    answer = await citizen.send_code()
    assert answer.url.path == f"{FORM}/cam-on"
    assert "Cảm ơn ông/bà đã gửi đánh giá" in citizen.page
    assert [post["body"] for post in citizen.city.posts] == [
        {
            "edition_id": "2017",
            "officer_id": OFFICER,
            "answer": "satisfied",
            "reasons": [],
            "phone": PHONE,
            "consent": True,
            "challenge": {"id": "challenge-1", "answer": "246813"},
            "channel": "portal",
            "language": "vi",
        }
    ]


async def test_a_citizen_not_yet_satisfied_gives_reasons_and_gets_the_same_thanks(citizen: Citizen) -> None:
    await citizen.fill_form("satisfied")
    await citizen.send_code()
    thanks = citizen.page_of_anyone
    await citizen.fill_form("not_satisfied")
    assert "Vì sao ông/bà chưa hài lòng?" in citizen.page
    await citizen.post(f"{FORM}/ly-do", reasons=["tre-hen", "thai-do"])
    await citizen.send_code()
    assert citizen.page_of_anyone == thanks
    assert citizen.city.posts[-1]["body"]["reasons"] == ["thai-do", "tre-hen"]


async def test_what_is_missing_is_said_at_its_field_and_the_rest_is_kept(citizen: Citizen) -> None:
    await citizen.get(FORM)
    await citizen.post(FORM, phone="123", answer="not_satisfied")
    assert "Nhập số điện thoại di động Việt Nam" in citizen.page
    assert "Đánh dấu vào ô đồng ý" in citizen.page
    assert "Chọn một trong hai câu trả lời" not in citizen.page
    assert 'href="#so-dien-thoai"' in citizen.page
    assert 'value="123"' in citizen.page
    assert 'value="not_satisfied" checked' in citizen.page


async def test_no_reason_chosen_is_said_and_nothing_is_sent(citizen: Citizen) -> None:
    await citizen.fill_form("not_satisfied")
    await citizen.post(f"{FORM}/ly-do")
    assert "Chọn ít nhất một lý do." in citizen.page
    assert citizen.city.posts == []


@pytest.mark.parametrize("spelling", ["0905123456", "+84 905 123 456", "84905123456", "(090) 512-3456"])
async def test_usual_spellings_of_a_mobile_number_are_passed_on(citizen: Citizen, spelling: str) -> None:
    answer = await citizen.fill_form(phone=spelling)
    assert answer.url.path == f"{FORM}/ma-xac-thuc"


async def test_back_shows_what_was_entered(citizen: Citizen) -> None:
    await citizen.fill_form("not_satisfied")
    await citizen.post(f"{FORM}/ly-do", reasons=["khac"])
    await citizen.get(f"{FORM}/ly-do")
    assert 'value="khac" checked' in citizen.page
    await citizen.get(FORM)
    assert f'value="{PHONE}"' in citizen.page
    assert 'name="consent" value="yes" checked' in citizen.page


async def test_a_page_ahead_of_what_was_entered_leads_back_to_the_form(citizen: Citizen) -> None:
    await citizen.get(FORM)
    for ahead in ("/ma-xac-thuc", "/ly-do", "/xu-ly", "/ma-dien-thoai", "/cam-on"):
        assert (await citizen.get(FORM + ahead)).url.path == FORM


async def test_without_an_open_edition_the_form_says_so(citizen: Citizen) -> None:
    citizen.city.edition_open = False
    await citizen.get(FORM)
    assert "Hiện không có đợt khảo sát nào đang mở" in citizen.page
