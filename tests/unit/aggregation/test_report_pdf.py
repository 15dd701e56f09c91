"""A report as PDF: read by eyes and by screen readers, in both languages."""

import ctypes
from collections.abc import Sequence
from datetime import timedelta

import pypdfium2
import pytest
from pypdfium2 import raw

from contracts.events import Text
from faults.checking.pdf import alternatives_of, text_of
from services.aggregation.domain import CITY, Level, Scope
from services.aggregation.reports import as_pdf
from services.aggregation.reports.words import percent
from tests.support.outcomes import accepted
from tests.support.reported import (
    DAYS,
    FORMULA,
    HANDLED,
    NOON,
    OFFICER,
    UNIT,
    compared,
    report,
    small_city,
)
from tests.support.reports import Kept

LETTERS = "aàảãáạăằẳẵắặâầẩẫấậeèẻẽéẹêềểễếệiìỉĩíịoòỏõóọôồổỗốộơờởỡớợuùủũúụưừửữứựyỳỷỹýỵđ"


@pytest.fixture
def kept() -> Kept:
    return small_city()


async def test_a_pdf_shows_the_figures_in_both_languages(kept: Kept) -> None:
    vietnamese = text_of(as_pdf.document(await report(kept, period=DAYS)))
    english = text_of(as_pdf.document(await report(kept, period=DAYS, language="en")))
    for said in ("Sở Tư pháp", "Khảo sát năm 2017", "23/11/2017 đến 25/11/2017", "92,5%", "80,1% – 97,4%"):
        assert said in vietnamese
    for said in ("Department of Justice", "Survey of 2017", "23 Nov 2017 to 25 Nov 2017", "92.5%", FORMULA):
        assert said in english
    assert vietnamese.count("Còn quá ít để công bố") == 2, "two days"


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "vi",
            [
                "Hơn kỳ trước 36,3 điểm phần trăm, ngoài mức dao động ngẫu nhiên. Khoảng tin cậy 95% của"
                " chênh lệch: +16,9 đến +57,7.",
                "Kỳ trước 20/11/2017 – 22/11/2017 20 60,0%",
                "Số hồ sơ đã giải quyết năm 2017 của 2 đơn vị: 1.350. Số lượt đánh giá: 100, tỷ lệ phản hồi"
                " 7,4%. Cỡ mẫu yêu cầu: 390 lượt; chưa thể nói đã đạt hay chưa",
                "Đã xử lý 117 lượt gửi: 111 được tính, 6 không được tính.",
                "1–2 trên 2",
                "Mã trong hình hoặc âm thanh 111 100,0%",
            ],
        ),
        (
            "en",
            [
                "36.3 percentage points more than in the period before, more than noise. 95% interval of the"
                " difference: +16.9 to +57.7.",
                "Files handled in 2017 by 2 units: 1,350. Ratings: 100, a response of 7.4%. Required sample:"
                " 390; whether it is reached cannot be said",
                "Of 117 submissions that were decided, 111 count and 6 do not.",
                "1–2 of 2",
                "Code in a picture or sound 111 100.0%",
            ],
        ),
    ],
)
async def test_a_pdf_says_the_change_the_response_what_was_decided_and_ranks(
    kept: Kept, language: str, said: Sequence[str]
) -> None:
    shown = text_of(
        as_pdf.document(await report(compared(kept), CITY, DAYS, language=language, handled=HANDLED))
    )
    for each in said:
        assert each in shown


async def test_a_picture_in_a_pdf_says_what_it_shows_to_those_who_do_not_see_it(kept: Kept) -> None:
    found = await report(compared(kept), CITY, DAYS, handled=HANDLED)
    pictures = alternatives_of(as_pdf.document(found))
    assert as_pdf.shown(found)["response"]["said"] in pictures
    assert "12:00–12:59: 111" in pictures
    assert "Thứ Ba: 20; Thứ Năm: 80" in pictures


async def test_a_bar_has_its_number_and_what_is_not_shown_has_neither(kept: Kept) -> None:
    found = await report(compared(kept), CITY)
    hours, weekdays = (as_pdf.shown(found)[name]["bars"] for name in ("hours", "weekdays"))
    assert hours == [{"label": "12", "count": "111", "height": 1}]
    assert [(bar["label"], bar["count"], bar["height"]) for bar in weekdays] == [
        ("Thứ Hai", None, 0),
        ("Thứ Ba", "20", 0.25),
        ("Thứ Tư", None, 0),
        ("Thứ Năm", "80", 1),
        ("Thứ Sáu", None, 0),
        ("Thứ Bảy", None, 0),
        ("Chủ Nhật", None, 0),
    ]


async def test_bars_stand_on_the_clock_with_a_gap_for_the_hours_without_ratings(kept: Kept) -> None:
    kept.book.add([accepted(f"{UNIT.id}.hai", unit=UNIT.id, at=NOON + timedelta(hours=3))] * 5)
    bars = as_pdf.shown(await report(kept, UNIT))["hours"]["bars"]
    assert [bar["label"] for bar in bars] == ["12", "13", "14", "15"]
    assert [bar["count"] for bar in bars][1:3] == [None, None]


async def test_a_pdf_begins_with_the_rate_of_all_days_together(kept: Kept) -> None:
    found = await report(kept)
    shown = text_of(as_pdf.document(found))
    assert found.figures.rate is not None
    assert shown.count(percent(found.figures.rate, "vi")) == 1


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_a_pdf_says_its_language(kept: Kept, language: str) -> None:
    document = pypdfium2.PdfDocument(as_pdf.document(await report(kept, language=language)))
    size = raw.FPDFCatalog_GetLanguage(document, None, 0)
    held = ctypes.create_string_buffer(size)
    raw.FPDFCatalog_GetLanguage(document, ctypes.cast(held, ctypes.POINTER(ctypes.c_ushort)), size)
    assert held.raw.decode("utf-16-le").rstrip("\0") == language


@pytest.mark.parametrize("scope", [CITY, UNIT, OFFICER, Scope(Level.GROUP, "so-ban-nganh")])
async def test_a_pdf_is_tagged_and_has_bookmarks(kept: Kept, scope: Scope) -> None:
    document = pypdfium2.PdfDocument(as_pdf.document(await report(kept, scope)))
    assert raw.FPDFCatalog_IsTagged(document)
    assert document.get_metadata_value("Title").startswith("Báo cáo mức độ hài lòng: ")
    bookmarks = [bookmark.get_title() for bookmark in document.get_toc()]
    assert bookmarks[:3] == ["Số liệu chính", "Theo ngày", "Lý do chưa hài lòng"]
    assert "Cách tính" in bookmarks


async def test_a_pdf_has_every_vietnamese_letter_and_takes_no_name_for_markup(kept: Kept) -> None:
    name = f"{LETTERS.upper()} {LETTERS} #set page(width: 1pt) $x$ *a* \\ <b> @c"
    kept.names[UNIT.id] = Text(vi=name, en=name)
    shown = text_of(as_pdf.document(await report(kept)))
    for letters in (LETTERS, LETTERS.upper(), "#set page(width: 1pt) $x$ *a* \\ <b> @c"):
        assert letters.replace(" ", "") in shown.replace(" ", "")


async def test_the_same_report_gives_the_same_pdf(kept: Kept) -> None:
    found = await report(kept)
    assert as_pdf.document(found) == as_pdf.document(found)


async def test_what_cannot_be_set_or_not_in_time_is_an_error_and_no_half_a_file(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await report(kept)
    monkeypatch.setattr(as_pdf, "TYPESETTING_SECONDS", 0.001)
    with pytest.raises(TimeoutError):
        as_pdf.document(found)
    monkeypatch.undo()
    monkeypatch.setattr(as_pdf, "shown", lambda _: {"words": {}})
    with pytest.raises(as_pdf.NotDrawn, match="title"):
        as_pdf.document(found)


async def test_a_place_without_ratings_has_a_report_too(kept: Kept) -> None:
    kept.book.above[Scope(Level.UNIT, "so-du-lich")] = "so-ban-nganh"
    found = await report(kept, Scope(Level.UNIT, "so-du-lich"))
    assert "Chưa có đánh giá" in text_of(as_pdf.document(found))
    assert found.figures.total == 0
