"""A city of two units to report on, and its reports."""

from datetime import UTC, date, datetime, timedelta

from contracts.events import Outcome, Text
from services.aggregation.answers import Answers
from services.aggregation.documents import Period
from services.aggregation.domain import Level, Scope
from services.aggregation.files_handled import NOBODY_SAID, USUAL_SAMPLE, FilesHandled, sample_of
from services.aggregation.reports.report import Kind, Report, gather
from tests.support.outcomes import accepted, rejected
from tests.support.publication import booked
from tests.support.reports import Kept

NOON = datetime(2017, 11, 23, 5, tzinfo=UTC)
TODAY = NOON + timedelta(days=2)
UNIT, OFFICER = Scope(Level.UNIT, "so-tu-phap"), Scope(Level.OFFICER, "so-tu-phap.hai")
FEW = "Còn quá ít để công bố"
FORMULA = '=HYPERLINK("http://a")'
ALL = Period("2017")
DAYS = Period("2017", date(2017, 11, 23), date(2017, 11, 25))
HANDLED = FilesHandled({2017: {"so-tu-phap": 150, "so-y-te": 1200}}, sample_of(USUAL_SAMPLE))


def rated(count: int, who: str, *, days: int = 0, unit: str = "so-tu-phap", said: str = "") -> list[Outcome]:
    return [
        accepted(
            f"{unit}.{who}",
            unit=unit,
            group="so-ban-nganh",
            at=NOON + timedelta(days=days),
            answer="not_satisfied" if said else "satisfied",
            reasons=[said] * bool(said),
        )
        for _ in range(count)
    ]


def small_city() -> Kept:
    """A unit of two officers: three days of 40, 9 and 2 ratings, so that the last two are of too few."""
    book = booked(
        [
            [*rated(30, "hai"), *rated(7, "lan"), *rated(3, "lan", said="late")],
            [*rated(3, "lan", days=1, said="late"), *rated(6, "hai", days=1, said="new_code")],
            rated(2, "hai", days=2),
            [*rated(20, "a", unit="so-y-te"), *rated(20, "b", unit="so-y-te")],
            [rejected(f"{UNIT.id}.hai", unit=UNIT.id, at=NOON) for _ in range(6)],
        ]
    )
    return Kept(
        book,
        {
            "city": Text(vi="Thành phố Đà Nẵng", en="Da Nang City"),
            UNIT.id: Text(vi="Sở Tư pháp", en="Department of Justice"),
            OFFICER.id: Text(vi=FORMULA, en=FORMULA),
        },
        {
            (Kind.TITLE, ""): Text(vi="Khảo sát năm 2017", en="Survey of 2017"),
            (Kind.REASON, "late"): Text(vi="Trả kết quả trễ hẹn", en="Late"),
        },
    )


def compared(kept: Kept) -> Kept:
    """With 20 ratings two days before, of which 12 are satisfied: a difference that is more than noise."""
    before = [*rated(6, "hai", days=-2), *rated(6, "lan", days=-2), *rated(8, "hai", days=-2, said="late")]
    kept.book.add(before)
    return kept


async def report(
    kept: Kept,
    scope: Scope = UNIT,
    period: Period = ALL,
    language: str = "vi",
    *,
    handled: FilesHandled = NOBODY_SAID,
) -> Report:
    answers = Answers(kept, lambda: TODAY, handled)
    return await gather(answers, kept, scope, period, language=language, made_at=NOON)
