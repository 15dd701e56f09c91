"""A dashboard on a television in a hall."""

import pytest
import segno

from portal.pages.figures import _code
from tests.unit.portal.conftest import Citizen, OpenPortal
from tests.unit.portal.fake_data import OFFICER


@pytest.mark.parametrize(
    ("path", "rate"),
    [
        ("/ket-qua", "/danh-gia"),
        ("/ket-qua/nhom/so-ban-nganh", "/danh-gia/nhom/so-ban-nganh"),
        ("/ket-qua/don-vi/so-noi-vu", "/danh-gia/don-vi/so-noi-vu"),
        (f"/ket-qua/cong-chuc/{OFFICER}", f"/danh-gia/cong-chuc/{OFFICER}"),
    ],
)
async def test_a_wall_shows_the_rate_and_where_to_rate_and_nothing_to_click(
    citizen: Citizen, path: str, rate: str
) -> None:
    citizen.city.count(1130, 109)
    await citizen.get(f"{path}?display=wall")
    for text in ("91,2%", "89,5%", "92,7%", "1.239", "Thái độ phục vụ", "Số liệu đến", "Mất kết nối"):
        assert text in citizen.page
    assert f"portal.test{rate}</span>" in citizen.page
    assert "data-stream=" in citizen.page
    assert not any(tag in citizen.page for tag in ("<a ", "<nav", "<form", "<button"))


async def test_a_wall_names_the_address_that_citizens_reach(open_portal: OpenPortal) -> None:
    async with open_portal(public_url="https://hailong.example") as citizen:
        await citizen.get("/ket-qua?display=wall&lang=en")
        assert "hailong.example/danh-gia</span>" in citizen.page
        assert 'lang="en"' in citizen.page


async def test_a_wall_of_too_few_says_so(citizen: Citizen) -> None:
    citizen.city.suppress_below = 5
    citizen.city.count(3, 1)
    await citizen.get("/ket-qua?display=wall")
    assert "Còn quá ít đánh giá để công bố" in citizen.page
    assert 'data-figure="total"' not in citizen.page


def test_the_code_to_scan_has_a_square_for_each_dark_module() -> None:
    width, path = _code("https://hailong.example/danh-gia")
    matrix = segno.make("https://hailong.example/danh-gia", error="m", micro=False).matrix
    assert width == len(matrix)
    assert path.count("M") == sum(map(sum, matrix))
