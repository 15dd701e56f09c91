"""What an edition asks further: reasons for praise, and scales. All of it can be left out."""

import pytest

from tests.unit.portal.conftest import FORM, Citizen


@pytest.fixture
def asked(citizen: Citizen) -> Citizen:
    citizen.city.asks_further = True
    return citizen


async def test_praise_and_scales_are_sent_with_the_rating(asked: Citizen) -> None:
    await asked.fill_form("satisfied")
    assert "Vì sao ông/bà chọn “Hài lòng”?" in asked.page
    assert 'value="nhanh"' in asked.page
    assert 'value="tre-hen"' not in asked.page, "blame is not asked of the satisfied"
    await asked.post(f"{FORM}/ly-do", reasons=["nhanh", "tre-hen"])
    assert asked.urls[-1].endswith("/cau-hoi-them")
    assert asked.page.count("<fieldset") == asked.page.count("<legend") == 2
    assert "Bước 5 / 6" in asked.page
    await asked.post(f"{FORM}/cau-hoi-them", **{"nine/time": "good", "nine/staff": "made-up", "ten/x": "y"})
    assert f'href="{FORM}/cau-hoi-them"' in asked.page, "the way back keeps what was chosen"
    await asked.send_code()
    [post] = asked.city.posts
    assert post["body"]["reasons"] == ["nhanh"]
    assert post["body"]["scale_answers"] == [{"scale": "nine", "question": "time", "choice": "good"}]


async def test_all_of_it_can_be_left_out(asked: Citizen) -> None:
    await asked.fill_form("satisfied")
    await asked.post(f"{FORM}/ly-do")
    await asked.post(f"{FORM}/cau-hoi-them", **{"nine/time": "", "nine/staff": ""})
    await asked.send_code()
    [post] = asked.city.posts
    assert post["body"]["reasons"] == []
    assert "scale_answers" not in post["body"]
    assert "Cảm ơn ông/bà đã gửi đánh giá" in asked.page


async def test_blame_still_needs_a_reason_and_praise_does_not_stay_with_it(asked: Citizen) -> None:
    await asked.fill_form("satisfied")
    await asked.post(f"{FORM}/ly-do", reasons=["nhanh"])
    await asked.fill_form("not_satisfied")
    assert 'value="nhanh"' not in asked.page
    await asked.post(f"{FORM}/ly-do")
    assert "Chọn ít nhất một lý do." in asked.page
    await asked.post(f"{FORM}/ly-do", reasons=["tre-hen"])
    await asked.post(f"{FORM}/cau-hoi-them")
    await asked.send_code()
    assert asked.city.posts[-1]["body"]["reasons"] == ["tre-hen"]


async def test_what_was_chosen_is_there_on_the_way_back_and_gone_after_sending(asked: Citizen) -> None:
    await asked.fill_form("satisfied")
    await asked.post(f"{FORM}/ly-do")
    await asked.post(f"{FORM}/cau-hoi-them", **{"nine/staff": "bad"})
    await asked.get(f"{FORM}/cau-hoi-them")
    assert 'name="nine/staff" value="bad" checked' in asked.page
    await asked.get(f"{FORM}/ma-xac-thuc")
    await asked.send_code()
    await asked.fill_form("satisfied")
    await asked.post(f"{FORM}/ly-do")
    assert 'value="bad" checked' not in asked.page


async def test_without_scales_there_is_no_such_page(citizen: Citizen) -> None:
    await citizen.fill_form("satisfied")
    await citizen.get(f"{FORM}/cau-hoi-them")
    assert citizen.urls[-1].endswith("/ma-xac-thuc")
