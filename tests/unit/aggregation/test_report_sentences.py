"""What a report says of figures in sentences: no more than they say."""

from datetime import date

import pytest

from services.aggregation.comparisons import Change, DifferenceInterval, Rank, Span
from services.aggregation.documents import Funnel, NamedScope
from services.aggregation.domain import CITY
from services.aggregation.files_handled import Response
from services.aggregation.reports import sentences


def change(difference: float | None, low: float, high: float) -> Change:
    span = Span(
        suppressed=False,
        partial=False,
        total=0,
        satisfied=0,
        not_satisfied=0,
        rate=None,
        interval=None,
        from_=date(2017, 11, 1),
        to=date(2017, 11, 2),
    )
    interval = DifferenceInterval(low=low, high=high, confidence=0.95, method="newcombe")
    none = difference is None
    return Change(
        scope=NamedScope(level=CITY.level, id=CITY.id, name=None, parent=None),
        now=span,
        before=span,
        difference=difference,
        interval=None if none else interval,
        more_than_noise=None if none else low > 0 or high < 0,
    )


@pytest.mark.parametrize(
    ("of", "vi", "en"),
    [
        (
            change(0.0214, 0.004, 0.0371),
            "Hơn kỳ trước 2,1 điểm phần trăm, ngoài mức dao động ngẫu nhiên.",
            "2.1 percentage points more than in the period before, more than noise."
            " 95% interval of the difference: +0.4 to +3.7.",
        ),
        (
            change(-0.0214, -0.0371, -0.004),
            "Kém kỳ trước 2,1 điểm phần trăm, ngoài mức dao động ngẫu nhiên.",
            "2.1 percentage points less than in the period before, more than noise."
            " 95% interval of the difference: −3.7 to −0.4.",
        ),
        (
            change(-0.0214, -0.0371, 0.0001),
            "Kém kỳ trước 2,1 điểm phần trăm, trong mức dao động ngẫu nhiên.",
            "2.1 percentage points less than in the period before, no more than noise."
            " 95% interval of the difference: −3.7 to 0.0.",
        ),
        (
            change(-0.0004, -0.02, 0.02),
            "Bằng kỳ trước, trong mức dao động ngẫu nhiên.",
            "The same as in the period before, no more than noise."
            " 95% interval of the difference: −2.0 to +2.0.",
        ),
        (
            change(None, 0, 0),
            "Chưa so sánh được với kỳ trước",
            "It cannot be compared with the period before: too little is published by day.",
        ),
    ],
)
def test_a_change_is_told_as_far_as_its_interval_allows(of: Change, vi: str, en: str) -> None:
    assert sentences.changed(of, "vi").startswith(vi)
    assert sentences.changed(of, "en") == en


def response(ratings: int | None, *, units: int = 1, files: int = 1840, reached: bool | None) -> Response:
    rate = None if ratings is None or not files else ratings / files
    return Response(
        year=2017, units=units, files=files, ratings=ratings, rate=rate, required=368, reached=reached
    )


@pytest.mark.parametrize(
    ("of", "vi"),
    [
        (
            response(412, reached=True),
            "Số hồ sơ đã giải quyết năm 2017: 1.840. Số lượt đánh giá: 412, tỷ lệ phản hồi 22,4%."
            " Cỡ mẫu yêu cầu: 368 lượt; đã đạt.",
        ),
        (
            response(12, units=3, reached=False),
            "Số hồ sơ đã giải quyết năm 2017 của 3 đơn vị: 1.840. Số lượt đánh giá: 12, tỷ lệ phản hồi 0,7%."
            " Cỡ mẫu yêu cầu: 368 lượt; chưa đạt.",
        ),
        (
            response(None, reached=None),
            "Số hồ sơ đã giải quyết năm 2017: 1.840. Số lượt đánh giá còn quá ít để công bố. Cỡ mẫu yêu cầu:"
            " 368 lượt; chưa thể nói đã đạt hay chưa, vì có những lượt còn quá ít để công bố.",
        ),
        (
            response(9, files=0, reached=True),
            "Số hồ sơ đã giải quyết năm 2017: 0. Số lượt đánh giá: 9. Cỡ mẫu yêu cầu: 368 lượt; đã đạt.",
        ),
    ],
)
def test_a_response_says_whether_enough_were_rated_or_that_nobody_can_say(of: Response, vi: str) -> None:
    assert sentences.responded(of, "vi") == vi


@pytest.mark.parametrize(
    ("of", "en"),
    [
        (
            Funnel(decided=1234, accepted=1200, rejected=34, complete=True),
            "Of 1,234 submissions that were decided, 1,200 count and 34 do not.",
        ),
        (
            Funnel(decided=1234, accepted=1200, rejected=34, complete=False),
            "Of 1,234 submissions that were decided, 1,200 count and 34 do not."
            " More do not count, for reasons of too few to publish.",
        ),
        (
            Funnel(decided=None, accepted=1200, rejected=None, complete=False),
            "1,200 submissions count. More do not count, for reasons of too few to publish.",
        ),
        (Funnel(decided=None, accepted=None, rejected=None, complete=False), None),
    ],
)
def test_what_was_decided_is_told_as_far_as_it_is_public(of: Funnel, en: str | None) -> None:
    assert sentences.decided(of, "en") == en


def test_a_rank_is_a_range_unless_there_is_one_place_alone() -> None:
    assert sentences.places(Rank(best=3, worst=7, of=21), "vi") == "3–7 trên 21"
    assert sentences.places(Rank(best=3, worst=3, of=21), "en") == "3 of 21"
    assert sentences.places(None, "en") is None
