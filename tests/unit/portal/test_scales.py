"""What an edition asks further: reasons for praise, and scales. All of it can be left out."""

from typing import Any

import pytest
from starlette.datastructures import FormData

from portal.draft import Draft
from portal.pages import office_editions
from tests.unit.portal.conftest import FORM, Citizen
from tests.unit.portal.fake_data import OFFICER


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
    await asked.post(
        f"{FORM}/cau-hoi-them", **dict[str, Any]({"nine/time": "good", "nine/staff": "made-up", "ten/x": "y"})
    )
    assert f'href="{FORM}/cau-hoi-them"' in asked.page, "the way back keeps what was chosen"
    await asked.send_code()
    [post] = asked.city.posts
    assert post["body"]["reasons"] == ["nhanh"]
    assert post["body"]["scale_answers"] == [{"scale": "nine", "question": "time", "choice": "good"}]


async def test_all_of_it_can_be_left_out(asked: Citizen) -> None:
    await asked.fill_form("satisfied")
    await asked.post(f"{FORM}/ly-do")
    await asked.post(f"{FORM}/cau-hoi-them", **dict[str, Any]({"nine/time": "", "nine/staff": ""}))
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
    await asked.post(f"{FORM}/cau-hoi-them", **dict[str, Any]({"nine/staff": "bad"}))
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


def test_a_draft_that_is_over_remembers_no_answer() -> None:
    draft = Draft(officer_id=OFFICER, reasons=["nhanh"], scale_answers={"nine/time": "good"})
    draft.finish("thanks")
    assert (draft.reasons, draft.scale_answers) == ([], {})


def test_the_office_s_form_gives_back_what_it_was_shown() -> None:
    instrument: dict[str, Any] = {
        "answers": [
            {"id": "yes", "text": {"vi": "Có", "en": "Yes"}, "asks_reasons": True, "reasons_optional": True},
            {
                "id": "no",
                "text": {"vi": "Không", "en": "No"},
                "asks_reasons": True,
                "reasons_optional": False,
            },
        ],
        "reasons": [{"id": "fast", "text": {"vi": "Nhanh", "en": "Fast"}, "answers": ["yes", "no"]}],
        "scales": [{"id": "nine", "title": {"vi": "Chín", "en": "Nine"}, "kind": "points", "questions": []}],
    }
    form = FormData(
        [
            *(
                (f"answer_{part}", each[part])
                for each in ({"id": "yes", "vi": "Có", "en": "Yes"},)
                for part in each
            ),
            *(
                (f"answer_{part}", each[part])
                for each in ({"id": "no", "vi": "Không", "en": "No"},)
                for part in each
            ),
            *(("asks_reasons", each) for each in ("yes", "no")),
            ("reasons_optional", "yes"),
            *(
                ("reason_id", "fast"),
                ("reason_vi", "Nhanh"),
                ("reason_en", "Fast"),
                ("reason_answers", "yes, no"),
            ),
            ("scales", office_editions._written(instrument["scales"])),
        ]
    )
    body = office_editions._body(office_editions._said(form))["instrument"]
    assert {name: body[name] for name in instrument} == instrument
