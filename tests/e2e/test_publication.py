"""By the usual policy: officers' figures in batches, nothing of too few."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.e2e.browser import Visitor
from tests.e2e.city import Place
from tests.e2e.looking import look_at
from tests.support.system import System

USUAL = {"officer_batch": 5, "officer_hour": 7, "suppress_below": 5}
EDITION = "2019"
TOO_FEW = "Còn quá ít đánh giá để công bố"


@pytest.fixture(scope="module", autouse=True)
async def usual(system: System) -> AsyncIterator[None]:
    await system.publish(EDITION, publication=USUAL)
    await system.restart("portal", kill=False)  # it remembers an edition for some seconds
    yield
    await system.publish("2017")
    await system.restart("portal", kill=False)


async def rated(system: System, officer: str, count: int, **said: Any) -> None:
    for _ in range(count):
        sent = await system.submit(edition_id=EDITION, officer_id=officer, **said)
        assert (await system.outcome(sent.rating_id))["status"] == "accepted"


async def opened(visitor: Visitor, path: str) -> Page:
    page = await visitor.open(path)
    await expect(page.locator("[data-live=on]")).to_be_visible()
    return page


async def test_an_officer_s_dashboard_moves_with_the_fifth_rating_and_not_before(
    visitor: Visitor, system: System, place: Place
) -> None:
    officer = await opened(visitor, f"/ket-qua/cong-chuc/{place.officer_id}")
    await expect(officer.get_by_text("mỗi khi có thêm 5 đánh giá")).to_be_visible()
    await expect(officer.get_by_text("Chưa có số liệu nào được công bố")).to_be_visible()
    await look_at(officer, "08-officer-batched-empty")
    unit = await opened(visitor, f"/ket-qua/don-vi/{place.unit_id}")
    await rated(system, place.officer_id, 4, answer="not_satisfied", reasons=["late"])
    assert (await system.figures(f"officers/{place.officer_id}"))["total"] == 0
    assert (await system.figures(f"units/{place.unit_id}"))["total"] == 0  # it would tell on its only officer
    await rated(system, place.officer_id, 1)
    for page in (officer, unit):
        await expect(page.locator("[data-figure=total]")).to_have_text("5")
        await expect(page.locator("[data-figure=not_satisfied]")).to_have_text("4")
    await look_at(officer, "08-officer-batched")
    await visitor.open(f"/ket-qua/cong-chuc/{place.officer_id}?lang=en", officer)
    await expect(officer.get_by_text("with every 5 more ratings")).to_be_visible()
    await look_at(officer, "08-officer-batched-en")


async def test_a_unit_of_too_few_ratings_says_so_until_there_are_enough(
    visitor: Visitor, system: System, place: Place
) -> None:
    unit = await system.http.get(f"{system.url('intake')}/v1/directory/units/{place.unit_id}")
    first, second = [officer["id"] for officer in unit.json()["officers"]][:2]
    page = await opened(visitor, f"/ket-qua/don-vi/{place.unit_id}")
    await rated(system, first, 2)
    await rated(system, second, 2, answer="not_satisfied", reasons=["attitude"])
    await expect(page.get_by_role("main").get_by_text(TOO_FEW).first).to_be_visible()
    await expect(page.locator("[data-figure]:not([data-figure=time])")).to_have_count(0)
    await look_at(page, "08-unit-too-few")
    english = await opened(visitor, f"/ket-qua/don-vi/{place.unit_id}?lang=en")
    await expect(english.get_by_text("Too few ratings to publish yet")).to_be_visible()
    await look_at(english, "08-unit-too-few-en")
    await rated(system, first, 1)
    await expect(page.locator("[data-figure=total]")).to_have_text("5")
    await expect(page.locator("html")).to_have_attribute("lang", "en")  # as chosen on the other page
    await expect(page.get_by_role("main")).not_to_contain_text("Nguồn")
    await look_at(page, "08-unit-enough")
