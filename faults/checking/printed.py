"""A unit's report as PDF, in Vietnamese, against the log: what its text says, line by line."""

import re
from collections.abc import Iterator

import pypdfium2

from faults.checking.comparing import Report, answered, difference, ranks, response, suppressed
from faults.checking.log import Log
from faults.checking.pdf import alternatives_of, text_of
from faults.checking.published import Public, Scope
from faults.checking.vietnamese import FEW, Line, interval, number, percent, points, rate, row, signed

SECTIONS = (
    "Số liệu chính",
    "Tỷ lệ phản hồi",
    "Theo ngày",
    "Lý do chưa hài lòng",
    "Kênh đánh giá",
    "Giờ gửi",
    "Thứ trong tuần",
    "Mức bảo đảm",
    "Lượt không được tính",
    "Công chức một cửa",
    "Cách tính",
    "Số liệu từng ngày",
)
LISTS = {
    "reason": ("Lý do chưa hài lòng", "Kênh đánh giá"),
    "channel": ("Kênh đánh giá", "Giờ gửi"),
    "assurance": ("Mức bảo đảm", "Lượt không được tính"),
    "rejection": ("Lượt không được tính", "Công chức một cửa"),
}
"""Headings, and those of what comes next."""
CLOCKS = {"hour": "Giờ gửi", "weekday": "Thứ trong tuần"}
WEEK = {
    "1": "Thứ Hai",
    "2": "Thứ Ba",
    "3": "Thứ Tư",
    "4": "Thứ Năm",
    "5": "Thứ Sáu",
    "6": "Thứ Bảy",
    "7": "Chủ Nhật",
}


def check_printed(content: bytes, unit: Scope, log: Log, report: Report) -> None:
    place, text, pictures = f"PDF {unit[1]}", text_of(content), "\n".join(alternatives_of(content))
    sections = [bookmark.get_title() for bookmark in pypdfium2.PdfDocument(content).get_toc()]
    unknown = [name for name in sections if name not in SECTIONS]
    report.expect(f"{place}, its sections that nobody checks,", unknown, [])
    report.expect(f"{place} has a response", "Tỷ lệ phản hồi" in sections, bool(response(unit, log)[0]))
    for name, said, lines in (("text", text, _text(unit, log)), ("pictures", pictures, _pictures(unit, log))):
        for line in lines:
            there = line is None or bool(re.search(line, said))
            report.expect(f"{place} {name} {line}", there, None if line is None else True)


def _text(unit: Scope, log: Log) -> Iterator[Line]:
    public = log.of(unit)
    yield from _head(public)
    yield from _change(unit, log)
    yield from _response(unit, log)
    yield from _gauge(unit, log)
    yield from _days(unit, log)
    for measure in LISTS:
        yield _items(public, measure)
    for measure in CLOCKS:
        yield _clock(public, measure)
    yield _decided(public)
    yield from _officers(unit, log)


def _head(public: Public) -> Iterator[Line]:
    sure = answered(public)
    if sure is None:
        yield None
        return
    if not sure.total:
        yield f"Số liệu chính {FEW if suppressed(public) else 'Chưa có đánh giá'}"
        return
    yield f"{rate(sure)} Tỷ lệ hài lòng"
    yield f"Khoảng tin cậy 95%: {interval(sure)}"
    counts = map(number, (sure.total, sure.satisfied, sure.total - sure.satisfied))
    yield f"Chưa hài lòng {' '.join(counts)}"


def _change(unit: Scope, log: Log) -> Iterator[Line]:
    spans = {
        name: (log.between(unit, *days), *days)
        for name, days in zip(("Kỳ này", "Kỳ trước"), log.two_periods, strict=True)
    }
    for name, (public, begins, ends) in spans.items():
        yield row(f"{name} {begins:%d/%m/%Y} – {ends:%d/%m/%Y}", public)
    now, then = (answered(public) for public, *_ in spans.values())
    if now is None or then is None:
        yield None
        return
    found = difference(now, then)
    if found is None:
        yield "Chưa so sánh được với kỳ trước"
        return
    value, low, high = found
    noise = "trong" if low <= 0 <= high else "ngoài"
    size = points(abs(value))
    told = f"(?:{'Hơn' if value > 0 else 'Kém'} kỳ trước {size} điểm phần trăm|Bằng kỳ trước)"
    yield f"{told}, {noise} mức dao động ngẫu nhiên"
    yield rf"chênh lệch: {signed(low)} đến {signed(high)}\."


def _response(unit: Scope, log: Log) -> Iterator[Line]:
    files, public = response(unit, log)
    if not files:
        return
    sure, hidden = answered(public), suppressed(public)
    if sure is None or hidden is None or public.hidden is None:
        yield None
        return
    every, required = sum(files.values()), sum(map(log.handled.required, files.values()))
    share = f", tỷ lệ phản hồi {percent(sure.total / every)}" if every else ""
    rated = "còn quá ít để công bố" if hidden else f": {number(sure.total)}{share}"
    enough = not hidden and sure.total >= required
    reached = "chưa thể nói" if public.hidden and not enough else "đã đạt" if enough else "chưa đạt"
    yield rf"giải quyết năm {log.today.year}: {number(every)}\. Số lượt đánh giá ?{rated}\."
    yield f"Cỡ mẫu yêu cầu: {number(required)} lượt; {reached}"


def _gauge(unit: Scope, log: Log) -> Iterator[Line]:
    """How far it goes."""
    files, public = response(unit, log)
    sure = answered(public)
    if any(files.values()):
        yield None if sure is None else f"0 {number(max(sum(files.values()), sure.total))} Thanh đậm"


def _days(unit: Scope, log: Log) -> Iterator[Line]:
    """Listed are days with ratings, where any is shown at all."""
    first, last = log.two_periods[0]
    days = {day: public for day, public in sorted(log.days(unit).items()) if first <= day <= last}
    if any(suppressed(public) is False for public in days.values()):
        sure = [answered(public) for public in days.values()]
        most = max(each.total for each in sure if each is not None)
        yield None if None in sure else f"100% {number(most)} 0 "
        for day, public in days.items():
            yield row(f"{day:%d/%m/%Y}", public, parts=True)


def _items(public: Public, measure: str) -> Line:
    """All that is listed, between the heading and the next: counts and shares, a reason's summed up too."""
    counts = _sure(public, measure)
    if counts is None:
        return None
    every, upto, rows = sum(counts.values()), 0, ""
    for count in sorted(counts.values(), reverse=True):
        upto += count
        cumulative = f" {percent(upto / every)}" if measure == "reason" else ""
        rows += f"[^%]*? {number(count)} {percent(count / every)}{cumulative}"
    heading, following = LISTS[measure]
    return f"{heading}{rows}[^%]*?{following}"


def _clock(public: Public, measure: str) -> Line:
    """The numbers over the bars, each beside its hour or day."""
    counts = _sure(public, measure)
    if not counts:
        return None if counts is None else f"{CLOCKS[measure]} Không có mục"
    hours = range(int(min(counts)), int(max(counts)) + 1)
    slots = [f"{hour:02}" for hour in hours] if measure == "hour" else list(WEEK)
    said = [
        _name(measure, slot, short=True) + (f" {number(counts[slot])}" if slot in counts else "")
        for slot in slots
    ]
    return " ".join([CLOCKS[measure], *said])


def _sure(public: Public, measure: str) -> dict[str, int] | None:
    """What is counted of each item that is shown; None: a tie leaves it open."""
    ranges = {item: wanted for (kind, item), wanted in public.counts.items() if kind == measure}
    if any(low != high for low, high in ranges.values()):
        return None
    return {item: count for item, (count, _) in sorted(ranges.items()) if count}


def _decided(public: Public) -> Line:
    sure, rejections = answered(public), _sure(public, "rejection")
    left_out = public.left_out.get("rejection", False)
    if sure is None or rejections is None or left_out is None:
        return None
    if suppressed(public):
        return "Lượt không được tính Không có mục"
    accepted, rejected = number(sure.total), number(sum(rejections.values()))
    decided = number(sure.total + sum(rejections.values()))
    said = f"Đã xử lý {decided} lượt gửi: {accepted} được tính, {rejected} không được tính"
    if left_out and not rejections:
        said = f"{accepted} lượt gửi được tính"
    more = "Chưa gồm những lượt không được tính"
    return rf"{said}\. {more if left_out else f'(?!{more})'}"


def _officers(unit: Scope, log: Log) -> Iterator[Line]:
    publics = {officer: log.of(officer) for officer in log.children_of(unit)}
    places = ranks(publics)
    for officer, public in publics.items():
        line = row(re.escape(log.name_of(officer)), public)
        place = None if places is None else places[officer]
        if line is not None and place is not None:
            best, worst, of = place
            line += f" {best if best == worst else f'{best}–{worst}'} trên {number(of)}"
        yield line


def _pictures(unit: Scope, log: Log) -> Iterator[Line]:
    """What is said in place of the gauge and of the bars of hours and weekdays."""
    yield from _response(unit, log)
    for measure in CLOCKS:
        counts = _sure(log.of(unit), measure)
        if counts is None:
            yield None
        elif counts:
            said = (f"{_name(measure, item)}: {number(count)}" for item, count in counts.items())
            yield f"(?m)^{'; '.join(said)}$"


def _name(measure: str, item: str, *, short: bool = False) -> str:
    if measure == "weekday":
        return WEEK[item]
    return item if short else f"{item}:00–{item}:59"
