"""What a report says of its figures in sentences, in both languages."""

from chassis.problems import Bilingual
from services.aggregation.comparisons import Change, Rank, Span
from services.aggregation.documents import Funnel
from services.aggregation.files_handled import Response
from services.aggregation.reports.words import number, on, percent, points

HIGHER = Bilingual(
    "Hơn kỳ trước {points} điểm phần trăm, {noise}.",
    "{points} percentage points more than in the period before, {noise}.",
)
LOWER = Bilingual(
    "Kém kỳ trước {points} điểm phần trăm, {noise}.",
    "{points} percentage points less than in the period before, {noise}.",
)
ALIKE = Bilingual("Bằng kỳ trước, {noise}.", "The same as in the period before, {noise}.")
NOISE = {
    True: Bilingual("ngoài mức dao động ngẫu nhiên", "more than noise"),
    False: Bilingual("trong mức dao động ngẫu nhiên", "no more than noise"),
}
INTERVAL = Bilingual(
    "Khoảng tin cậy 95% của chênh lệch: {low} đến {high}.", "95% interval of the difference: {low} to {high}."
)
NO_CHANGE = Bilingual(
    "Chưa so sánh được với kỳ trước: chưa đủ số liệu theo ngày được công bố.",
    "It cannot be compared with the period before: too little is published by day.",
)
PLACES = Bilingual("{places} trên {of}", "{places} of {of}")
DECIDED = Bilingual(
    "Đã xử lý {decided} lượt gửi: {accepted} được tính, {rejected} không được tính.",
    "Of {decided} submissions that were decided, {accepted} count and {rejected} do not.",
)
ACCEPTED = Bilingual("{accepted} lượt gửi được tính.", "{accepted} submissions count.")
MORE_REJECTED = Bilingual(
    "Chưa gồm những lượt không được tính vì lý do còn quá ít để công bố.",
    "More do not count, for reasons of too few to publish.",
)
FILES = Bilingual(
    "Số hồ sơ đã giải quyết năm {year} của {units} đơn vị: {files}.",
    "Files handled in {year} by {units} units: {files}.",
)
FILES_OF_ONE = Bilingual("Số hồ sơ đã giải quyết năm {year}: {files}.", "Files handled in {year}: {files}.")
RATINGS = Bilingual(
    "Số lượt đánh giá: {ratings}, tỷ lệ phản hồi {rate}.", "Ratings: {ratings}, a response of {rate}."
)
RATINGS_OF_NONE = Bilingual("Số lượt đánh giá: {ratings}.", "Ratings: {ratings}.")
TOO_FEW_RATINGS = Bilingual("Số lượt đánh giá còn quá ít để công bố.", "Ratings: too few to publish.")
REQUIRED = Bilingual("Cỡ mẫu yêu cầu: {required} lượt; {reached}.", "Required sample: {required}; {reached}.")
REACHED = {
    True: Bilingual("đã đạt", "reached"),
    False: Bilingual("chưa đạt", "not reached"),
    None: Bilingual(
        "chưa thể nói đã đạt hay chưa, vì có những lượt còn quá ít để công bố",
        "whether it is reached cannot be said, for some ratings are too few to publish",
    ),
}


def changed(change: Change, language: str) -> str:
    difference, interval = change.difference, change.interval
    if difference is None or interval is None:
        return NO_CHANGE.say(language, {})
    size = points(difference, language)
    told = ALIKE if size == points(0, language) else HIGHER if difference > 0 else LOWER
    noise = NOISE[bool(change.more_than_noise)].say(language, {})
    low, high = (points(end, language, signed=True) for end in (interval.low, interval.high))
    return " ".join(
        [
            told.say(language, {"points": size, "noise": noise}),
            INTERVAL.say(language, {"low": low, "high": high}),
        ]
    )


def days(span: Span, language: str) -> str:
    return f"{on(span.from_, language)} – {on(span.to, language)}"


def places(rank: Rank | None, language: str) -> str | None:
    """As 3–7 of 21."""
    if rank is None:
        return None
    both = str(rank.best) if rank.best == rank.worst else f"{rank.best}–{rank.worst}"
    return PLACES.say(language, {"places": both, "of": rank.of})


def decided(funnel: Funnel, language: str) -> str | None:
    """None: nothing of it is public."""
    if funnel.accepted is None:
        return None
    counts = {
        name: "" if count is None else number(count, language)
        for name, count in (
            ("decided", funnel.decided),
            ("accepted", funnel.accepted),
            ("rejected", funnel.rejected),
        )
    }
    said = (ACCEPTED if funnel.rejected is None else DECIDED).say(language, counts)
    return said if funnel.complete else f"{said} {MORE_REJECTED.say(language, {})}"


def responded(response: Response, language: str) -> str:
    files = {"year": response.year, "units": response.units, "files": number(response.files, language)}
    said = [(FILES_OF_ONE if response.units == 1 else FILES).say(language, files)]
    if response.ratings is None:
        said.append(TOO_FEW_RATINGS.say(language, {}))
    else:
        rate = "" if response.rate is None else percent(response.rate, language)
        ratings = {"ratings": number(response.ratings, language), "rate": rate}
        said.append((RATINGS if rate else RATINGS_OF_NONE).say(language, ratings))
    required = number(response.required, language)
    reached = REACHED[response.reached].say(language, {})
    said.append(REQUIRED.say(language, {"required": required, "reached": reached}))
    return " ".join(said)
