"""Sending counts once, loses nothing, and tells no secret."""

import asyncio

import httpx
import pytest

from tests.unit.portal.conftest import FORM, PHONE, Citizen, OpenPortal
from tests.unit.portal.fake_data import SMS_CODE

CODE = f"{FORM}/ma-xac-thuc"


def keys(citizen: Citizen) -> set[str]:
    return {post["key"] for post in citizen.city.posts}


async def test_a_wrong_code_keeps_everything_and_offers_a_new_picture(citizen: Citizen) -> None:
    await citizen.fill_form()
    first = citizen.page
    answer = await citizen.send_code("000000")
    assert answer.url.path == CODE
    assert "Mã xác thực chưa đúng." in citizen.page
    assert "hinh.png?v=" in citizen.page
    assert citizen.page.split("hinh.png?v=")[1][:12] != first.split("hinh.png?v=")[1][:12]
    assert (await citizen.send_code()).url.path == f"{FORM}/cam-on"
    assert len(keys(citizen)) == 2  # another body, so another key
    assert all(post["body"]["phone"] == PHONE for post in citizen.city.posts)


@pytest.mark.parametrize("reason", ["challenge_expired", "challenge_used", "challenge_invalid"])
async def test_a_code_that_no_longer_counts_is_replaced(citizen: Citizen, reason: str) -> None:
    await citizen.fill_form()
    citizen.city.forced_reason = reason
    assert (await citizen.send_code()).url.path == CODE
    assert "vui lòng nhập mã mới" in citizen.page.lower()
    citizen.city.forced_reason = None
    assert (await citizen.send_code()).url.path == f"{FORM}/cam-on"


async def test_another_picture_is_made_on_request_and_sends_nothing(citizen: Citizen) -> None:
    await citizen.fill_form()
    await citizen.post(f"{CODE}/doi-ma")
    assert citizen.city.challenges == 2
    assert citizen.city.posts == []


async def test_a_double_click_sends_one_rating_under_one_key(citizen: Citizen) -> None:
    await citizen.fill_form()
    first, second = await asyncio.gather(citizen.send_code(), citizen.send_code())
    assert first.url.path == second.url.path == f"{FORM}/cam-on"
    assert len(keys(citizen)) == 1
    assert len(citizen.city.ratings) == 1


async def test_refresh_and_back_send_nothing_again(citizen: Citizen) -> None:
    await citizen.fill_form()
    code_page = citizen.page
    await citizen.send_code()
    sent = len(citizen.city.posts)
    await citizen.get(f"{FORM}/cam-on")
    assert (await citizen.get(CODE)).url.path == f"{FORM}/cam-on"
    citizen.page = code_page
    assert (await citizen.send_code()).url.path == f"{FORM}/cam-on"
    assert len(citizen.city.posts) == sent


async def test_a_send_that_was_not_confirmed_is_sent_again_under_the_same_key(citizen: Citizen) -> None:
    citizen.city.takes_but_answers_503 = 1
    await citizen.fill_form()
    answer = await citizen.send_code()
    assert answer.status_code == 503
    assert "Mọi mục ông/bà đã nhập vẫn được giữ" in citizen.page
    answer = await citizen.post(f"{FORM}/xu-ly")
    assert answer.url.path == f"{FORM}/cam-on"
    assert len(citizen.city.posts) == 2
    assert len(keys(citizen)) == 1
    assert len(citizen.city.ratings) == 1


async def test_a_time_out_is_treated_as_not_confirmed(open_portal: OpenPortal, citizen: Citizen) -> None:
    async def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("silent", request=request)

    async with open_portal(network=httpx.MockTransport(silent)) as lost:
        lost.client.cookies = citizen.client.cookies  # the same key file opens the same cookie
        await citizen.fill_form()
        answer = await lost.get(FORM)
        assert answer.status_code == 503
        assert "Tạm thời chưa phục vụ được" in lost.page
    await citizen.get(FORM)
    assert f'value="{PHONE}"' in citizen.page


async def test_an_undecided_rating_is_waited_for_without_sending_it_again(citizen: Citizen) -> None:
    citizen.city.undecided = True
    await citizen.fill_form()
    answer = await citizen.send_code()
    assert answer.url.path == f"{FORM}/xu-ly"
    assert "Đang xử lý" in citizen.page
    assert '<noscript><meta http-equiv="refresh"' in citizen.page
    polled = await citizen.get(f"{FORM}/xu-ly", Accept="application/json")
    assert polled.json() == {"location": None}
    citizen.city.undecided = False
    polled = await citizen.get(f"{FORM}/xu-ly", Accept="application/json")
    assert polled.json() == {"location": f"{FORM}/cam-on"}
    assert (await citizen.get(f"{FORM}/cam-on")).status_code == 200
    assert len(citizen.city.posts) == 1


async def test_verification_away_after_a_202_is_only_a_wait(citizen: Citizen) -> None:
    await citizen.fill_form()
    citizen.city.verification_down = True
    await citizen.send_code()
    assert "đã được tiếp nhận" in citizen.page


async def test_without_verification_the_code_page_keeps_what_was_entered(citizen: Citizen) -> None:
    citizen.city.verification_down = True
    answer = await citizen.fill_form()
    assert answer.status_code == 503
    assert "vẫn được giữ" in citizen.page
    citizen.city.verification_down = False
    await citizen.get(CODE)
    assert (await citizen.send_code()).url.path == f"{FORM}/cam-on"


async def test_with_the_picture_alone_a_duplicate_ends_in_the_very_same_page(citizen: Citizen) -> None:
    await citizen.fill_form()
    await citizen.send_code()
    thanks = citizen.page_of_anyone
    citizen.city.forced_reason = "duplicate"
    await citizen.fill_form()
    await citizen.send_code()
    assert citizen.page_of_anyone == thanks


async def test_intake_s_own_words_about_a_number_are_shown_at_the_number(citizen: Citizen) -> None:
    citizen.city.refuse_phone = True
    await citizen.fill_form()
    answer = await citizen.send_code()
    assert answer.url.path == FORM
    assert "Số này không có." in citizen.page
    assert f'value="{PHONE}"' in citizen.page


async def test_the_code_from_the_message_is_asked_for_checked_and_counted(citizen: Citizen) -> None:
    citizen.city.policy = "phone"
    answer = await citizen.fill_form()
    assert answer.url.path == f"{FORM}/ma-dien-thoai"
    assert citizen.city.challenges == 0
    assert "Còn 5 lần thử." in citizen.page
    await citizen.post(f"{FORM}/ma-dien-thoai", code="12")
    assert "Nhập mã gồm 6 chữ số" in citizen.page
    await citizen.post(f"{FORM}/ma-dien-thoai", code="111111")
    assert "Mã vừa nhập chưa đúng" in citizen.page
    assert "Còn 4 lần thử." in citizen.page
    answer = await citizen.post(f"{FORM}/ma-dien-thoai", code=SMS_CODE)
    assert answer.url.path == f"{FORM}/cam-on"
    assert len({post["key"] for post in citizen.city.phone_posts}) == 2
    assert len(citizen.city.posts) == 1


async def test_whoever_proved_the_number_may_be_told_of_a_duplicate(citizen: Citizen) -> None:
    citizen.city.policy = "phone"
    await citizen.fill_form()
    citizen.city.forced_reason = "duplicate"
    await citizen.post(f"{FORM}/ma-dien-thoai", code=SMS_CODE)
    assert "Số điện thoại này đã đánh giá" in citizen.page


async def test_before_the_number_is_proved_a_duplicate_is_not_told(citizen: Citizen) -> None:
    citizen.city.policy = "phone"
    citizen.city.forced_reason = "duplicate"
    await citizen.fill_form()
    assert "Cảm ơn ông/bà đã gửi đánh giá" in citizen.page


async def test_too_many_wrong_codes_lead_back_to_the_form_with_everything_kept(citizen: Citizen) -> None:
    citizen.city.policy = "phone"
    await citizen.fill_form()
    citizen.city.forced_reason = "phone_code_wrong"
    answer = await citizen.post(f"{FORM}/ma-dien-thoai", code="111111")
    assert answer.url.path == FORM
    assert "quá số lần" in citizen.page
    assert f'value="{PHONE}"' in citizen.page
