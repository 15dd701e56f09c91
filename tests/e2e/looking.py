"""Look at a page as axe-core, a narrow phone and a wide screen do, in light and dark; keep pictures."""

from typing import Any

from playwright.async_api import Page, ViewportSize

from deploy.local.layout import CHECKOUT
from portal.assets import AXE

PICTURES = CHECKOUT / "test-results" / "pages"
SIZES: dict[int, ViewportSize] = {
    360: {"width": 360, "height": 740},
    1280: {"width": 1280, "height": 900},
}
# The size of targets is all that axe-core has of WCAG 2.2 AA, and it leaves that out unless asked.
RUN_AXE = """async () => (await axe.run(document, {
    resultTypes: ["violations"], rules: {"target-size": {enabled: true}},
})).violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html} (${n.failureSummary})`))"""
BEYOND_THE_EDGE = "document.scrollingElement.scrollWidth - document.documentElement.clientWidth"


async def violations(page: Page) -> list[str]:
    """What axe-core finds of WCAG 2.2 A and AA, and of its best practices."""
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(AXE.read_text())
    return list(await page.evaluate(RUN_AXE))


async def look_at(page: Page, name: str) -> None:
    """Asserts that nothing is wrong with the page in any size and colour; its pictures are kept as `name`."""
    before = page.viewport_size
    wrong: dict[str, Any] = {}
    for width, size in SIZES.items():
        await page.set_viewport_size(size)
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            found = await violations(page)
            if found:
                wrong[f"{name}, {width} px, {scheme}"] = found
            if scheme == "light" or width == SIZES[360]["width"]:
                PICTURES.mkdir(parents=True, exist_ok=True)
                suffix = "" if scheme == "light" else "-dark"
                await page.evaluate("document.fonts.ready")
                await page.screenshot(path=PICTURES / f"{name}-{width}{suffix}.png", full_page=True)
        wide = await page.evaluate(BEYOND_THE_EDGE)
        if wide > 0:
            wrong[f"{name}, {width} px"] = [f"{wide} px too wide: it scrolls sideways"]
    await page.emulate_media(color_scheme="light")
    if before is not None:
        await page.set_viewport_size(before)
    assert wrong == {}
