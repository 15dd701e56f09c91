"""What the figures are made of: lists of counts with their names, and the places of bars for them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portal import charts
from portal.apis.aggregation import Count, Figures
from portal.i18n import N_

CHANNELS = {
    "portal": N_("Cổng đánh giá"),
    "web": N_("Trang web khác"),
    "kiosk": N_("Màn hình tại quầy"),
    "qr": N_("Mã QR"),
    "paper": N_("Phiếu khảo sát"),
}
WEEKDAYS = {
    "1": N_("Thứ Hai"),
    "2": N_("Thứ Ba"),
    "3": N_("Thứ Tư"),
    "4": N_("Thứ Năm"),
    "5": N_("Thứ Sáu"),
    "6": N_("Thứ Bảy"),
    "7": N_("Chủ Nhật"),
}
HOURS = {f"{hour:02}": f"{hour:02}:00–{hour:02}:59" for hour in range(24)}
ASSURANCES = {
    "captcha": N_("Mã trong hình hoặc âm thanh"),
    "proof_of_work": N_("Bằng chứng tính toán"),
    "captcha_and_proof_of_work": N_("Mã và bằng chứng tính toán"),
    "phone_code": N_("Mã gửi qua tin nhắn"),
    "captcha_and_phone_code": N_("Mã và mã gửi qua tin nhắn"),
    "proof_of_work_and_phone_code": N_("Bằng chứng tính toán và mã gửi qua tin nhắn"),
    "captcha_and_proof_of_work_and_phone_code": N_("Mã, bằng chứng tính toán và mã gửi qua tin nhắn"),
    "device": N_("Thiết bị tại quầy"),
    "paper": N_("Phiếu khảo sát do cơ quan nhập"),
    "file": N_("Mã hồ sơ được xác nhận"),
}
REJECTIONS = {
    "challenge_wrong": N_("Mã xác thực sai"),
    "challenge_expired": N_("Mã xác thực hết hạn"),
    "challenge_used": N_("Mã xác thực đã dùng"),
    "challenge_invalid": N_("Mã xác thực không hợp lệ"),
    "proof_of_work_expired": N_("Bằng chứng tính toán hết hạn"),
    "proof_of_work_used": N_("Bằng chứng tính toán đã dùng"),
    "proof_of_work_invalid": N_("Bằng chứng tính toán không hợp lệ"),
    "duplicate": N_("Đã đánh giá trong thời gian quy định"),
    "idempotency_key_reused": N_("Một mã gửi dùng cho hai đánh giá"),
    "phone_code_wrong": N_("Mã gửi qua tin nhắn sai"),
    "expired": N_("Không được xác nhận kịp"),
    "edition_closed": N_("Đợt khảo sát đã đóng"),
    "phone_unreadable": N_("Số điện thoại không đọc được"),
    "vouching_refused": N_("Đợt khảo sát không nhận cách xác nhận này"),
}


@dataclass(frozen=True, slots=True)
class Breakdown:
    """`counted`: of how many ratings something is shown; `withheld`: whether ratings are there and nothing is
    published of them for these days."""

    name: str
    bars: Sequence[charts.Bar]
    names: Mapping[str, str]
    left_out: bool
    withheld: bool = False

    @property
    def counted(self) -> int:
        return sum(bar.count for bar in self.bars)


def reasons(figures: Figures, names: Mapping[str, str], *, of_all_days: bool) -> Breakdown:
    bars = charts.pareto(figures.reasons)
    withheld = not of_all_days and not bars and bool(figures.not_satisfied)
    return Breakdown("reasons", bars, names, "reason" in figures.left_out, withheld)


def partitions(figures: Figures, *, of_all_days: bool) -> dict[str, Breakdown]:
    """Those lists of which each rating is in one place, as far as the API has them."""
    lists = (
        ("channels", "channel", figures.channels, CHANNELS, charts.pareto),
        ("assurances", "assurance", figures.assurances, ASSURANCES, charts.pareto),
        ("hours", "hour", figures.hours, HOURS, charts.bars),
        ("weekdays", "weekday", figures.weekdays, WEEKDAYS, charts.bars),
    )
    return {
        name: Breakdown(
            name,
            drawn(counts),
            names,
            left_out=measure in figures.left_out,
            withheld=not of_all_days and not counts and bool(figures.total),
        )
        for name, measure, counts, names, drawn in lists
        if counts is not None
    }


def rejections(figures: Figures, *, of_all_days: bool) -> Breakdown | None:
    """Why ratings did not count; None where the API does not tell how many there were. Of some days, none
    may mean that nothing is published."""
    if figures.funnel is None:
        return None
    counts = [Count(id=each.reason, count=each.count) for each in figures.rejected]
    withheld = not of_all_days and not counts and bool(figures.total)
    return Breakdown("outcomes", charts.pareto(counts), REJECTIONS, "rejection" in figures.left_out, withheld)
