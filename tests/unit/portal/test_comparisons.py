"""What is compared, and said of it, only as far as the figures bear it out."""

from typing import Any

import pytest

from portal import charts
from portal.apis.aggregation import Interval
from portal.grouping import grouped
from tests.unit.portal.conftest import Citizen
from tests.unit.portal.test_grouping import days

UNIT = "/ket-qua/don-vi/so-noi-vu"
GROUP = "/ket-qua/nhom/so-ban-nganh"


def change(difference: float | None, low: float, high: float, more_than_noise: bool | None) -> dict[str, Any]:
    share = {"total": 50, "satisfied": 40, "not_satisfied": 10, "rate": 0.8, "interval": None}
    return {
        "now": {**share, "from": "2026-10-25", "to": "2026-11-23"},
        "before": {**share, "from": "2026-09-25", "to": "2026-10-24"},
        "difference": difference,
        "interval": {"low": low, "high": high, "confidence": 0.95, "method": "newcombe"},
        "more_than_noise": more_than_noise,
    }


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            change(0.021, 0.003, 0.039, True),
            "lệ hài lòng tăng 2,1 điểm phần trăm so với 30 ngày trước đó (khoảng tin cậy 95%: 0,3 đến 3,9)",
        ),
        (
            change(-0.021, -0.039, -0.003, True),
            "lệ hài lòng giảm 2,1 điểm phần trăm so với 30 ngày trước đó (khoảng tin cậy 95%: 0,3 đến 3,9)",
        ),
        (change(0.021, -0.01, 0.05, False), "chưa thấy khác biệt rõ so với 30 ngày trước đó"),
        (change(None, 0, 0, None), "chưa đủ đánh giá để so với 30 ngày trước đó"),
    ],
)
async def test_a_change_is_said_as_far_as_it_is_more_than_noise(
    citizen: Citizen, said: dict[str, Any], words: str
) -> None:
    citizen.city.count(1130, 109)
    citizen.city.change = said
    await citizen.get(UNIT)
    assert "30 ngày qua: " in citizen.page
    assert words in " ".join(citizen.page.split())
    assert sum(word in citizen.page for word in ("tăng", "giảm", "chưa thấy", "chưa đủ đánh giá")) == 1
    await citizen.get(f"{UNIT}?from=2026-11-01")
    assert words in citizen.page
    assert "30 ngày qua:" not in citizen.page


async def test_an_api_that_says_less_makes_a_page_with_less(citizen: Citizen) -> None:
    citizen.city.older_api = True
    citizen.city.count(1130, 109)
    answer = await citizen.get(GROUP)
    assert answer.status_code == 200
    for missing in ("so với", "Giờ gửi đánh giá", "Ngày trong tuần", "Kết quả xử lý", "Hạng"):
        assert missing not in citizen.page


async def test_hours_weekdays_assurances_and_outcomes_show_where_the_api_has_them(citizen: Citizen) -> None:
    citizen.city.count(1130, 109)
    citizen.city.left_out = ["hour"]
    await citizen.get(UNIT)
    for text in ("Thứ Hai", "08:00–08:59", "Mã trong hình hoặc âm thanh", "Đã đánh giá trong thời gian quy"):
        assert text in citizen.page
    assert citizen.page.count("Gồm 1.235 trong 1.239 đánh giá") == 1


@pytest.mark.parametrize(
    ("rank", "shown"),
    [
        ({"best": 2, "worst": 5, "of": 12}, "hạng 2–5 trong 12"),
        ({"best": 3, "worst": 3, "of": 12}, "hạng 3 trong 12"),
        ({"best": 1, "worst": 12, "of": 12}, None),
        (None, None),
    ],
)
async def test_a_place_among_siblings_is_told_only_where_it_says_something(
    citizen: Citizen, rank: dict[str, int] | None, shown: str | None
) -> None:
    citizen.city.count(1130, 109)
    citizen.city.rank = rank
    await citizen.get(UNIT)
    assert (shown is not None) is ("hạng " in citizen.page.split("khoảng tin cậy")[1])
    assert shown is None or shown in citizen.page
    await citizen.get(GROUP)
    assert ('<th scope="col" class="r">Hạng</th>' in citizen.page) is (shown is not None)


async def test_siblings_come_in_the_directory_s_order(citizen: Citizen) -> None:
    citizen.city.count(1130, 109)
    await citizen.get(GROUP)
    table = citizen.page.split('<table class="rows people">')[1].split("</table>")[0]
    units = ("van-phong-ubnd-thanh-pho", "so-thong-tin-va-truyen-thong", "so-noi-vu", "so-nong-nghiep")
    places = [table.index(f"/don-vi/{unit}") for unit in units]
    assert places == sorted(places)
    assert table.count('class="spark"><svg') == 4  # the fifth has no ratings


async def test_a_little_history_is_asked_for_once_in_a_while(citizen: Citizen) -> None:
    citizen.city.count(1130, 109)
    for _ in range(3):
        await citizen.get(GROUP)
    assert len([r for r in citizen.city.requests if "/units/so-noi-vu/history" in r]) == 1


def test_one_axis_holds_all_intervals_in_whole_tenths() -> None:
    axis = charts.Axis.around([Interval(low=0.87, high=0.93), None, Interval(low=0.91, high=0.99)])
    assert (axis.low, axis.high) == (0.8, 1.0)
    assert axis.at(0.9) == 50.0
    assert charts.Axis.around([]) == charts.Axis(0.0, 1.0)
    narrow = charts.Axis.around([Interval(low=0.97, high=0.99)])
    assert (narrow.low, narrow.high) == (0.8, 1.0)


def test_a_sparkline_is_broken_where_there_are_no_figures() -> None:
    span = grouped(days(3))
    gap = span[1].model_copy(update={"rate": None})
    assert charts.sparkline([span[0], gap, span[2]], charts.Axis()) == "M0,25h0M100,25h0"
    assert charts.sparkline(span, charts.Axis()) == "M0,25h0L50,25L100,25"


@pytest.mark.parametrize(
    ("reached", "words"), [(True, "Đã đủ."), (False, "Chưa đủ."), (None, "Chưa thể nói đã đủ")]
)
async def test_the_response_rate_is_told_with_what_is_required(
    citizen: Citizen, reached: bool | None, words: str
) -> None:
    citizen.city.count(1130, 109)
    citizen.city.response = {
        "year": 2026,
        "files": 5400,
        "ratings": 1239,
        "rate": 0.2294,
        "required": 1080,
        "reached": reached,
    }
    await citizen.get(UNIT)
    assert "1.239 đánh giá trên 5.400 hồ sơ: 22,9%." in citizen.page
    assert f"Vạch là số đánh giá cần có: 1.080. {words}" in " ".join(citizen.page.split())
