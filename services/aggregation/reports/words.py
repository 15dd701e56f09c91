"""What reports say themselves, in both languages, and how they write numbers and days."""

from datetime import date
from types import MappingProxyType

from chassis.problems import Bilingual

WORDS = MappingProxyType(
    {
        name: Bilingual(vi, en)
        for name, (vi, en) in {
            "report": ("Báo cáo mức độ hài lòng", "Satisfaction report"),
            "scope": ("Nơi được đánh giá", "Place"),
            "part_of": ("Thuộc", "Part of"),
            "with_predecessors": ("Gồm cả", "Together with"),
            "with": ("Cùng với", "With"),
            "edition": ("Đợt khảo sát", "Edition"),
            "all_editions": ("Tất cả các đợt", "All editions"),
            "period": ("Thời gian", "Period"),
            "all_days": ("Tất cả các ngày", "All days"),
            "until": ("đến", "to"),
            "as_of": ("Như đã được tính đến hết ngày", "As it stood at the end of"),
            "from_on": ("từ", "from"),
            "made_on": ("Ngày lập", "Made on"),
            "question": ("Câu hỏi", "Question"),
            "figures": ("Số liệu chính", "Key figures"),
            "change": ("So với kỳ trước", "Against the period before"),
            "response": ("Tỷ lệ phản hồi", "Response rate"),
            "days": ("Theo ngày", "By day"),
            "days_table": ("Số liệu từng ngày", "Figures by day"),
            "reasons": ("Lý do chưa hài lòng", "Reasons for not being satisfied"),
            "channels": ("Kênh đánh giá", "Channels"),
            "hours": ("Giờ gửi", "Hour of submission"),
            "weekdays": ("Thứ trong tuần", "Day of the week"),
            "assurances": ("Mức bảo đảm", "Assurance"),
            "funnel": ("Kết quả xử lý", "What became of submissions"),
            "rejections": ("Lượt không được tính", "Not counted"),
            "groups": ("Nhóm đơn vị", "Groups"),
            "units": ("Đơn vị", "Units"),
            "officers": ("Công chức một cửa", "One-stop officers"),
            "method": ("Cách tính", "Method"),
            "city": ("Thành phố", "City"),
            "group": ("Nhóm", "Group"),
            "unit": ("Đơn vị", "Unit"),
            "officer": ("Công chức", "Officer"),
            "id": ("Mã", "Id"),
            "name": ("Tên", "Name"),
            "parent": ("Thuộc", "Part of"),
            "day": ("Ngày", "Day"),
            "text": ("Nội dung", "What"),
            "count": ("Số lượt", "Count"),
            "share": ("Tỷ trọng", "Share"),
            "cumulative": ("Cộng dồn", "Cumulative"),
            "total": ("Lượt đánh giá", "Ratings"),
            "satisfied": ("Hài lòng", "Satisfied"),
            "not_satisfied": ("Chưa hài lòng", "Not yet satisfied"),
            "rate": ("Tỷ lệ hài lòng", "Share satisfied"),
            "interval": ("Khoảng tin cậy 95%", "95% interval"),
            "interval_low": ("Cận dưới 95%", "95% interval, low"),
            "interval_high": ("Cận trên 95%", "95% interval, high"),
            "suppressed": ("Còn quá ít để công bố", "Too few to publish"),
            "partial": ("Chưa gồm phần quá ít", "Without what is too few"),
            "rank": ("Hạng", "Rank"),
            "rank_best": ("Hạng cao nhất có thể", "Best rank"),
            "rank_worst": ("Hạng thấp nhất có thể", "Worst rank"),
            "rank_of": ("Trong số", "Rank of"),
            "difference": ("Chênh lệch tỷ lệ", "Difference of shares"),
            "difference_low": ("Chênh lệch, cận dưới 95%", "Difference, 95% interval, low"),
            "difference_high": ("Chênh lệch, cận trên 95%", "Difference, 95% interval, high"),
            "more_than_noise": ("Ngoài dao động ngẫu nhiên", "More than noise"),
            "complete": ("Đầy đủ", "Complete"),
            "year": ("Năm", "Year"),
            "units_counted": ("Số đơn vị", "Units"),
            "files": ("Hồ sơ đã giải quyết", "Files handled"),
            "ratings": ("Lượt đánh giá", "Ratings"),
            "response_rate": ("Tỷ lệ phản hồi", "Response rate"),
            "required": ("Cỡ mẫu yêu cầu", "Required sample"),
            "reached": ("Đã đạt", "Reached"),
            "yes": ("có", "yes"),
            "no": ("không", "no"),
            "none": ("Chưa có đánh giá", "No ratings"),
            "some_left_out": (
                "Những mục còn quá ít để công bố không được liệt kê.",
                "Items of too few to publish are not listed.",
            ),
            "partial_note": (
                "Chưa gồm những lượt còn quá ít để công bố riêng.",
                "Without ratings that are too few to publish by themselves.",
            ),
            "whole_edition": (
                "Của tất cả các ngày trong đợt: phần này không công bố theo ngày.",
                "Of all days of the edition: these are not published by day.",
            ),
            "change_days": (
                "So sánh theo ngày: không chọn ngày thì 30 ngày qua với 30 ngày trước đó.",
                "Days are compared; where none are chosen, the last 30 with the 30 before.",
            ),
            "rank_note": (
                "Hạng tính giữa những nơi cùng cấp trên, và là khoảng: khi khoảng tin cậy chồng lên nhau,"
                " chưa thể xếp trên dưới.",
                "Ranks are among places of the same parent, and ranges: where intervals overlap, neither"
                " place can be put above the other.",
            ),
            "gauge": (
                "Thanh đậm là số lượt đánh giá trên số hồ sơ, vạch đứng là cỡ mẫu yêu cầu.",
                "The dark bar is ratings out of files handled, the upright line the required sample.",
            ),
            "no_items": ("Không có mục nào được công bố.", "Nothing is published here."),
            "chart_days": (
                "Chấm là tỷ lệ hài lòng của một ngày, vạch đứng là khoảng tin cậy 95%. Cột bên dưới là số"
                " lượt, phần trên của cột là chưa hài lòng.",
                "Each dot is the share satisfied on one day, the line its 95% interval. The bars below count"
                " ratings; their upper part is not yet satisfied.",
            ),
            "share_of_listed": (
                "Tỷ trọng tính trên những mục được liệt kê.",
                "Shares are of what is listed.",
            ),
            "chart_reasons": (
                "Thanh là tỷ trọng trong các lý do được nêu, chấm là tỷ trọng cộng dồn.",
                "The bar is the share of all reasons named, the dot the cumulative share.",
            ),
            "quiet_days": (
                "Ngày không có đánh giá không được liệt kê.",
                "Days without ratings are not listed.",
            ),
            "hidden_days": (
                "Ngày có dấu × còn quá ít lượt để công bố.",
                "A day marked × has too few ratings to publish.",
            ),
            "no_days": ("Không có ngày nào được công bố.", "No day is published."),
            "page": ("Trang", "Page"),
            "of_pages": ("trên", "of"),
            "contents": ("Nội dung", "Contents"),
            "product": ("Hài Lòng – khảo sát của thành phố", "Hài Lòng, the city’s survey"),
            "period.now": ("Kỳ này", "This period"),
            "period.before": ("Kỳ trước", "Period before"),
            "funnel.decided": ("Đã xử lý", "Decided"),
            "funnel.accepted": ("Được tính", "Counted"),
            "funnel.rejected": ("Không được tính", "Not counted"),
            "weekday.1": ("Thứ Hai", "Monday"),
            "weekday.2": ("Thứ Ba", "Tuesday"),
            "weekday.3": ("Thứ Tư", "Wednesday"),
            "weekday.4": ("Thứ Năm", "Thursday"),
            "weekday.5": ("Thứ Sáu", "Friday"),
            "weekday.6": ("Thứ Bảy", "Saturday"),
            "weekday.7": ("Chủ Nhật", "Sunday"),
            # What stood behind a rating
            "assurance.captcha": ("Mã trong hình hoặc âm thanh", "Code in a picture or sound"),
            "assurance.proof_of_work": ("Bằng chứng tính toán", "Proof of work"),
            "assurance.captcha_and_proof_of_work": ("Mã và bằng chứng tính toán", "Code and proof of work"),
            "assurance.phone_code": ("Mã gửi qua tin nhắn", "Code by text message"),
            "assurance.captcha_and_phone_code": (
                "Mã và mã gửi qua tin nhắn",
                "Code and code by text message",
            ),
            "assurance.proof_of_work_and_phone_code": (
                "Bằng chứng tính toán và mã gửi qua tin nhắn",
                "Proof of work and code by text message",
            ),
            "assurance.captcha_and_proof_of_work_and_phone_code": (
                "Mã, bằng chứng tính toán và mã gửi qua tin nhắn",
                "Code, proof of work and code by text message",
            ),
            "assurance.device": ("Thiết bị tại quầy", "Device at the desk"),
            "assurance.paper": ("Phiếu khảo sát do cơ quan nhập", "Paper form entered by the office"),
            "assurance.file": ("Mã hồ sơ được xác nhận", "Confirmed file number"),
            # Channels
            "channel.portal": ("Cổng đánh giá", "Rating portal"),
            "channel.web": ("Trang web khác", "Other web pages"),
            "channel.kiosk": ("Màn hình tại quầy", "Screen at the desk"),
            "channel.qr": ("Mã QR", "QR code"),
            "channel.paper": ("Phiếu khảo sát", "Paper form"),
            # Why a rating was not counted
            "rejection.challenge_wrong": ("Mã xác thực sai", "Wrong code"),
            "rejection.challenge_expired": ("Mã xác thực hết hạn", "Code expired"),
            "rejection.challenge_used": ("Mã xác thực đã dùng", "Code used before"),
            "rejection.challenge_invalid": ("Mã xác thực không hợp lệ", "Invalid code"),
            "rejection.proof_of_work_expired": ("Bằng chứng tính toán hết hạn", "Proof of work expired"),
            "rejection.proof_of_work_used": ("Bằng chứng tính toán đã dùng", "Proof of work used before"),
            "rejection.proof_of_work_invalid": ("Bằng chứng tính toán sai", "Invalid proof of work"),
            "rejection.duplicate": ("Đã đánh giá trước đó", "Rated before"),
            "rejection.idempotency_key_reused": ("Trùng mã gửi", "Key of another rating"),
            "rejection.phone_code_wrong": ("Mã điện thoại sai", "Wrong phone code"),
            "rejection.expired": ("Không xác thực kịp thời", "Not verified in time"),
            "rejection.edition_closed": ("Đợt khảo sát đã đóng", "Edition closed"),
            "rejection.phone_unreadable": ("Không đọc được số điện thoại", "Phone number unreadable"),
            "rejection.vouching_refused": (
                "Đợt khảo sát không nhận cách xác nhận này",
                "Not vouched for as the edition allows",
            ),
        }.items()
    }
)

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def word(name: str, language: str) -> str:
    """The word of that name; a code that nobody has named stands as it is."""
    text = WORDS.get(name)
    if text is None:
        return name.rpartition(".")[2]
    return text.say(language, {})


def number(value: int, language: str) -> str:
    """1,234 in English; 1.234 in Vietnamese."""
    return f"{value:,}" if language == "en" else f"{value:,}".replace(",", ".")


def percent(share: float, language: str) -> str:
    """93.4% in English; 93,4% in Vietnamese."""
    text = f"{100 * share:.1f}%"
    return text if language == "en" else text.replace(".", ",")


def points(difference: float, language: str, *, signed: bool = False) -> str:
    """Percentage points, as 2.1 in English and 2,1 in Vietnamese; `signed`: +2.1 and −2.1."""
    text = f"{abs(100 * difference):.1f}"
    sign = "" if not signed or text == "0.0" else "−" if difference < 0 else "+"
    return sign + (text if language == "en" else text.replace(".", ","))


def on(day: date, language: str) -> str:
    """23 Nov 2026 in English; 23/11/2026 in Vietnamese."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}" if language == "en" else f"{day:%d/%m/%Y}"
