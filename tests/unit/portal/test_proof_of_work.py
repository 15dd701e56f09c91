"""What an edition that asks for a proof of work shows, and what is sent on; browsers compute in tests/e2e."""

import httpx
import pytest

from tests.unit.portal.conftest import FORM, PHONE, Citizen
from tests.unit.portal.fake_data import PROOF, RIGHT_CODE

CODE = f"{FORM}/ma-xac-thuc"


async def fill(citizen: Citizen, proof: str = "") -> httpx.Response:
    await citizen.get(FORM)
    return await citizen.post(FORM, phone=PHONE, answer="satisfied", consent="yes", proof=proof)


async def test_pages_ask_the_device_to_compute_only_where_the_edition_does(citizen: Citizen) -> None:
    await citizen.get(FORM)
    assert "data-work" not in citizen.page
    assert (await citizen.get(f"{CODE}/tinh-toan")).status_code == 404
    citizen.city.policy, citizen.city.proof_of_work = "phone", "instead"  # of no image code
    assert (await citizen.get(f"{CODE}/tinh-toan")).status_code == 404


@pytest.fixture
def instead(citizen: Citizen) -> Citizen:
    citizen.city.proof_of_work = "instead"
    return citizen


@pytest.fixture
def beside(citizen: Citizen) -> Citizen:
    citizen.city.proof_of_work = "beside"
    return citizen


async def test_the_puzzle_comes_through_this_origin_and_is_kept_nowhere(instead: Citizen) -> None:
    assert (await instead.get(f"{CODE}/tinh-toan")).status_code == 404  # nobody has begun to rate
    await instead.get(FORM)
    assert f'data-work="{CODE}/tinh-toan"' in instead.page
    answer = await instead.get(f"{CODE}/tinh-toan")
    assert answer.json()["algorithm"] == "SHA-256"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_proof_computed_during_the_form_makes_the_code_page_needless(instead: Citizen) -> None:
    await fill(instead, proof=PROOF)
    assert instead.urls[-1].endswith("/cam-on")
    [post] = instead.city.posts
    assert (post["body"]["proof_of_work"], post["body"]["challenge"]) == (PROOF, None)


async def test_who_cannot_compute_enters_the_code_as_ever(instead: Citizen) -> None:
    await fill(instead)
    assert "Nhập mã xác thực" in instead.page
    await instead.send_code()
    assert instead.urls[-1].endswith("/cam-on")
    [post] = instead.city.posts
    assert "proof_of_work" not in post["body"]
    assert post["body"]["challenge"]["answer"] == RIGHT_CODE


async def test_a_proof_that_is_ready_only_on_the_code_page_is_taken_there(instead: Citizen) -> None:
    await fill(instead)
    await instead.post(CODE, code="", proof=PROOF)
    assert instead.urls[-1].endswith("/cam-on")
    assert instead.city.posts[0]["body"]["challenge"] is None


@pytest.mark.parametrize("reason", ["expired", "used", "invalid"])
async def test_a_proof_that_does_not_count_leads_to_the_code_with_all_kept(
    instead: Citizen, reason: str
) -> None:
    instead.city.forced_reason = f"proof_of_work_{reason}"
    await fill(instead, proof=PROOF)
    assert "Phần xác thực tự động không còn dùng được." in instead.page
    assert "data-work=" in instead.page
    instead.city.forced_reason = None
    await instead.send_code()
    assert instead.urls[-1].endswith("/cam-on")


async def test_beside_the_code_both_are_sent(beside: Citizen) -> None:
    await fill(beside, proof=PROOF)
    assert "Nhập mã xác thực" in beside.page
    await beside.send_code()
    [post] = beside.city.posts
    assert (post["body"]["proof_of_work"], post["body"]["challenge"]["answer"]) == (PROOF, RIGHT_CODE)


async def test_beside_the_code_who_sends_before_the_device_is_ready_is_told_to_wait(beside: Citizen) -> None:
    await fill(beside)
    await beside.send_code()
    assert "Thiết bị chưa xác thực xong." in beside.page
    assert beside.city.posts == []
    await beside.post(CODE, code=RIGHT_CODE, proof=PROOF)
    assert beside.urls[-1].endswith("/cam-on")


async def test_going_back_to_the_code_page_with_a_proof_leads_nowhere_in_circles(instead: Citizen) -> None:
    await instead.get(FORM)
    await instead.post(FORM, phone=PHONE, answer="not_satisfied", consent="yes", proof=PROOF)
    instead.city.intake_down = True
    await instead.post(f"{FORM}/ly-do", reasons=["tre-hen"])
    instead.city.intake_down = False
    await instead.get(CODE)
    assert instead.urls[-1].endswith("/cam-on")
