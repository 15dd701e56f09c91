"""A citizen's browser talks to the city and to nobody else."""

from urllib.parse import urlsplit

from playwright.async_api import expect

from tests.e2e.browser import Visitor
from tests.e2e.city import Place
from tests.e2e.walking import rate
from tests.support.system import System


async def test_a_whole_walk_and_the_dashboards_ask_the_portal_and_the_figures_alone(
    visitor: Visitor, system: System, place: Place
) -> None:
    for path in ("/", "/gioi-thieu", "/danh-gia", "/danh-gia/tim-kiem?q=phuong"):
        await visitor.open(path)
    await rate(visitor, place.form)
    for path in ("/ket-qua", f"/ket-qua/don-vi/{place.unit_id}", f"/ket-qua/cong-chuc/{place.officer_id}"):
        await expect((await visitor.open(path)).locator("[data-live=on]")).to_be_visible()
    assert visitor.asked == {urlsplit(system.url(part)).netloc for part in ("portal", "aggregation")}


async def test_the_policy_lets_no_page_make_markup_out_of_text(visitor: Visitor) -> None:
    visitor.forgiven += ["TrustedHTML", "Trusted Type"]
    page = await visitor.open("/")
    said = await page.evaluate(
        "() => { try { document.body.innerHTML = '<p>' } catch (error) { return error.name } }"
    )
    assert said == "TypeError"
