"""The dashboards: figures, their pictures, and what shows while a part is away."""

import asyncio
import datetime as dt

import pytest

from portal import charts
from portal.apis.aggregation import Count, Day, Interval
from portal.grouping import grouped
from tests.unit.portal.conftest import FORM, Citizen, OpenPortal
from tests.unit.portal.fake_data import OFFICER, SAMPLE
from tests.unit.portal.fake_state import FakeCity

PLACES = (
    "/ket-qua",
    "/ket-qua/nhom/so-ban-nganh",
    "/ket-qua/don-vi/so-noi-vu",
    f"/ket-qua/cong-chuc/{OFFICER}",
)


@pytest.mark.parametrize("path", PLACES)
async def test_a_dashboard_shows_the_rate_with_its_interval_before_the_rest(
    citizen: Citizen, path: str
) -> None:
    citizen.city.count(1130, 109)
    await citizen.get(path)
    for text in ("91,2%", "89,5%", "92,7%", "1.239", "1.130", "109", "Thái độ phục vụ chưa đúng mực"):
        assert text in citizen.page
    assert citizen.page.index("khoảng tin cậy") < citizen.page.index("<table")
    assert "<table" in citizen.page
    assert '<noscript><meta http-equiv="refresh" content="30"></noscript>' in citizen.page


async def test_the_page_names_the_stream_of_its_scope(citizen: Citizen) -> None:
    await citizen.get("/ket-qua/don-vi/so-noi-vu")
    assert 'data-stream="http://127.0.0.1:8003/v1/live?scope=unit:so-noi-vu"' in citizen.page
    assert 'data-revision="7"' in citizen.page


async def test_without_ratings_the_page_says_so(citizen: Citizen) -> None:
    answer = await citizen.get("/ket-qua")
    assert answer.status_code == 200
    assert "Chưa có đánh giá nào được tính." in citizen.page


@pytest.mark.parametrize("path", PLACES)
async def test_of_too_few_no_figure_is_shown_and_the_page_says_why(citizen: Citizen, path: str) -> None:
    citizen.city.suppress_below = 5
    citizen.city.count(3, 1)
    assert (await citizen.get(path)).status_code == 200
    assert "Còn quá ít đánh giá để công bố" in citizen.page
    assert 'data-figure="total"' not in citizen.page
    assert "Chưa có đánh giá nào được tính" not in citizen.page
    lists = 1 if path == PLACES[3] else 5  # of an officer, there are reasons alone
    assert citizen.page.count("Còn quá ít để công bố.") == lists


async def test_a_row_of_too_few_says_so_and_the_others_show_their_figures(citizen: Citizen) -> None:
    citizen.city.suppress_below = 50
    citizen.city.count(90, 10)
    await citizen.get("/ket-qua")
    assert "<small>còn quá ít</small>" in citizen.page
    assert "60 lượt" in citizen.page


async def test_days_of_too_few_are_marked_in_the_picture_and_in_the_table(citizen: Citizen) -> None:
    citizen.city.suppress_below = 20
    citizen.city.count(900, 100)
    await citizen.get("/ket-qua")
    assert '<rect class="hidden"' in citizen.page
    assert "<td>–</td><td>Còn quá ít để công bố</td></tr>" in citizen.page


async def test_what_is_left_out_is_said_to_be(citizen: Citizen) -> None:
    citizen.city.partial, citizen.city.left_out = True, ["reason"]
    citizen.city.count(1130, 109)
    await citizen.get("/ket-qua")
    assert "Chưa gồm những đánh giá còn quá ít để công bố." in citizen.page
    assert citizen.page.count("Những mục còn quá ít không được hiện.") == 1


async def test_an_officer_s_page_says_that_its_figures_move_in_batches(citizen: Citizen) -> None:
    citizen.city.count(1130, 109)
    await citizen.get(PLACES[3])
    assert "mỗi khi có thêm 5 đánh giá" in citizen.page
    await citizen.get(PLACES[2])
    assert "mỗi khi có thêm" not in citizen.page


async def test_of_an_officer_without_published_figures_nothing_is_said_of_ratings(citizen: Citizen) -> None:
    await citizen.get("/ket-qua/don-vi/so-thong-tin-va-truyen-thong")
    assert "<small>chưa công bố</small>" in citizen.page
    assert "<small>chưa có</small>" not in citizen.page
    assert "0 lượt" not in citizen.page
    await citizen.get(PLACES[3])
    assert "Chưa có lý do nào được nêu." not in citizen.page


async def test_channels_say_of_how_many_ratings_they_are(citizen: Citizen) -> None:
    citizen.city.left_out = ["channel"]
    citizen.city.count(1130, 109)
    await citizen.get("/ket-qua")
    assert "Gồm 1.238 trong 1.239 đánh giá" in citizen.page


async def test_an_officer_s_page_says_nothing_of_batches_of_one(citizen: Citizen) -> None:
    citizen.city.officer_batch = 1
    await citizen.get(PLACES[3])
    assert "mỗi khi có thêm" not in citizen.page


async def test_samples_are_marked_on_dashboards_too(citizen: Citizen) -> None:
    await citizen.get(f"/ket-qua/cong-chuc/{SAMPLE}")
    assert "Dữ liệu mẫu" in citizen.page
    await citizen.get(f"/ket-qua/cong-chuc/{OFFICER}")
    assert "Dữ liệu mẫu" not in citizen.page


async def test_an_unknown_place_is_not_found(citizen: Citizen) -> None:
    answer = await citizen.get("/ket-qua/don-vi/nowhere")
    assert answer.status_code == 404
    assert "Không tìm thấy trang" in citizen.page


async def test_while_aggregation_is_away_the_last_figures_show_as_such_and_rating_goes_on(
    citizen: Citizen,
) -> None:
    citizen.city.count(1130, 109)
    await citizen.get("/ket-qua")
    citizen.city.aggregation_down = True
    answer = await citizen.get("/ket-qua")
    assert answer.status_code == 200
    assert "91,2%" in citizen.page
    assert "số liệu mới nhất còn giữ" in citizen.page
    assert (await citizen.get("/ket-qua/nhom/quan-huyen")).status_code == 503
    assert "Không đánh giá nào bị mất" in citizen.page
    await citizen.fill_form()
    assert (await citizen.send_code()).url.path == f"{FORM}/cam-on"


async def test_while_intake_is_away_the_figures_still_show(citizen: Citizen) -> None:
    citizen.city.count(1130, 109)
    citizen.city.intake_down = True
    answer = await citizen.get("/ket-qua")
    assert answer.status_code == 200
    assert "91,2%" in citizen.page


async def test_readiness_names_the_three_apis_and_stays_ready_without_them(
    open_portal: OpenPortal, city: FakeCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.bootstrap.LOOK_SECONDS", 0.02)
    async with open_portal() as citizen:
        for away in (True, False):
            city.aggregation_down = away
            async with asyncio.timeout(5):
                while True:
                    answer = await citizen.operations.get("/readyz")
                    checks = answer.json()["checks"]
                    assert answer.status_code == 200
                    if checks["aggregation"]["ok"] is not away:
                        break
                    await asyncio.sleep(0)
            assert set(checks) == {"intake", "verification", "aggregation"}


def test_the_pareto_list_runs_from_the_most_frequent_to_all() -> None:
    bars = charts.pareto([Count(id="a", count=1), Count(id="b", count=3), Count(id="c", count=0)])
    assert [(b.id, b.width, b.share, b.cumulative) for b in bars] == [
        ("b", 100.0, 0.75, 0.75),
        ("a", 33.33, 0.25, 1.0),
    ]


def test_the_history_chart_places_counts_on_a_common_scale() -> None:
    interval = Interval(low=0.2, high=0.9)
    busy = Day(day=dt.date(2026, 11, 22), total=10, satisfied=5, not_satisfied=5, rate=0.5, interval=interval)
    idle = Day(day=dt.date(2026, 11, 23), total=0, satisfied=0, not_satisfied=0, rate=None, interval=None)
    few = Day(
        day=dt.date(2026, 11, 24),
        suppressed=True,
        total=None,
        satisfied=None,
        not_satisfied=None,
        rate=None,
        interval=None,
    )
    chart = charts.history(grouped([busy, idle, few]))
    first, second, third = chart.columns
    assert (first.middle, first.point, first.low, first.high) == (16.667, 70.0, 106.88, 33.12)
    assert (first.satisfied_height, first.rest_height, first.rest_top) == (55.0, 55.0, 0.0)
    assert second.point is None
    assert second.satisfied_height == 0
    assert (third.hidden, third.point, third.satisfied_height) == (True, None, 0)
    assert chart.hides
    assert [tick.value for tick in chart.count_ticks] == [0.0, 5.0, 10.0]


@pytest.mark.parametrize(
    ("value", "ceiling"), [(0, 2), (2, 2), (3, 4), (10, 10), (11, 20), (61, 80), (999, 1000)]
)
def test_the_scale_ends_at_a_round_number(value: int, ceiling: int) -> None:
    assert charts.nice_ceiling(value) == ceiling


async def test_a_unit_that_merged_says_into_which_and_that_one_can_be_shown_with_it(citizen: Citizen) -> None:
    citizen.city.merged = {"so-nong-nghiep": "so-noi-vu"}
    citizen.city.count(100, 0)
    await citizen.get("/ket-qua/don-vi/so-nong-nghiep")
    assert (
        'Đã sáp nhập vào <a href="/ket-qua/don-vi/so-noi-vu">Sở Nội vụ</a> từ ngày 01/07/2026.'
        in citizen.page
    )
    await citizen.get("/ket-qua/don-vi/so-noi-vu")
    assert "Chưa gồm số liệu trước sáp nhập của:" in citizen.page
    assert 'data-figure="total">100<' in citizen.page
    await citizen.get("/ket-qua/don-vi/so-noi-vu?with=predecessors")
    assert "Gồm cả số liệu của:" in citizen.page
    assert 'data-figure="total">200<' in citizen.page
    assert " data-joined>" in citizen.page


async def test_who_looks_for_a_unit_that_merged_is_led_to_the_one_that_took_over(citizen: Citizen) -> None:
    citizen.city.merged = {"so-nong-nghiep": "so-noi-vu"}
    await citizen.get("/danh-gia/don-vi/so-nong-nghiep")
    assert '<a class="ds-button" href="/danh-gia/don-vi/so-noi-vu">Sở Nội vụ</a>' in citizen.page
    await citizen.get("/danh-gia/tim-kiem?q=noi")
    assert "gồm Sở Nông nghiệp và Phát triển nông thôn cũ" in citizen.page


def choice(name: str, count: int | None, share: float | None) -> dict[str, object]:
    return {"id": name, "text": {"vi": f"Mức {name}", "en": f"Level {name}"}, "count": count, "share": share}


def further(kind: str, mean: float | None, *, edition: str = "2017") -> dict[str, object]:
    """Of two questions the second is not shown."""
    asked = {"text": {"vi": "Thời gian giải quyết", "en": "Time taken"}, "most": 2}
    shown = {"id": "time", "suppressed": False, "answered": 20, "mean": mean}
    hidden = {"id": "staff", "suppressed": True, "answered": None, "mean": None, "choices": []}
    return {
        "edition": edition,
        "id": kind,
        "title": {"vi": "Chín chỉ số", "en": "Nine indicators"},
        "kind": kind,
        "questions": [
            {**asked, **shown, "choices": [choice("a", 15, 0.75), choice("b", 5, 0.25)]},
            {**asked, **hidden},
        ],
        "points": None,
    }


UNIT = "/ket-qua/don-vi/so-noi-vu"


async def test_a_unit_shows_how_further_questions_were_answered_with_words_beside_each_bar(
    citizen: Citizen,
) -> None:
    citizen.city.count(100, 0)
    citizen.city.scales = [further("points", 1.5), further("levels", None, edition="2018")]
    await citizen.get(UNIT)
    assert citizen.page.count('<table class="rows answered">') == 2
    assert citizen.page.count("Mức a: <b>75,0%</b> (15); Mức b: <b>25,0%</b> (5)") == 2
    assert citizen.page.count("<b>1,5</b> / 2") == 1
    assert "Đợt khảo sát: 2018" in citizen.page
    assert 'x="75.0%" width="25.0%" height="12" fill-opacity="0.2"' in citizen.page
    assert 'width="75.0%" height="12" fill-opacity="1.0"' in citizen.page
    assert citizen.page.count("<small>Còn quá ít để công bố.</small>") == 2
    assert "Tổng điểm trung bình" not in citizen.page, "a sum of some would look like that of all"
    citizen.city.scales[0]["points"] = {"sum": 3.25, "most": 4}
    await citizen.get(f"{UNIT}?edition=2017")
    assert citizen.page.count('<table class="rows answered">') == 1
    assert "Tổng điểm trung bình: 3,25 trên 4." in citizen.page


async def test_where_no_further_question_is_shown_nothing_is_said_of_them(citizen: Citizen) -> None:
    citizen.city.count(100, 0)
    unseen = further("levels", None)
    unseen["questions"] = unseen["questions"][1:]  # type: ignore[index]
    for scales, path in (
        ([], UNIT),
        ([unseen], UNIT),
        ([further("points", 1.5)], f"{UNIT}?from=2026-11-01"),
        ([further("points", 1.5)], f"{UNIT}?with=predecessors"),
        ([further("points", 1.5)], "/ket-qua"),
    ):
        citizen.city.scales = scales
        await citizen.get(path)
        assert "Câu hỏi thêm" not in citizen.page
