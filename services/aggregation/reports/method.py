"""How a report's figures were counted, and how to count them again."""

from chassis.problems import Bilingual

METHOD = (
    Bilingual(
        "Mỗi lượt đánh giá được chấp nhận tính một lần, vào ngày gửi theo giờ thành phố, cho công "
        "chức, đơn vị, nhóm và thành phố. Lượt bị từ chối chỉ tính vào lý do không được tính.",
        "Each accepted rating counts once, on the day it was submitted in city time, for its officer, "
        "unit, group and the city. Of a rejected one only the reason counts.",
    ),
    Bilingual(
        "Tỷ lệ hài lòng là số lượt “Hài lòng” chia cho tổng số lượt. Khoảng tin cậy 95% theo Wilson "
        "(E. B. Wilson, Journal of the American Statistical Association 22, 1927, tr. 209–212). Khi "
        "hai khoảng chồng lên nhau, không thể nói nơi nào tốt hơn.",
        "The share satisfied is “Satisfied” divided by all ratings. The 95% interval is Wilson’s (E. "
        "B. Wilson, Journal of the American Statistical Association 22, 1927, pp. 209–212). Where two "
        "intervals overlap, neither place can be said to do better.",
    ),
    Bilingual(
        "Số liệu của quá ít lượt, thường là dưới 5, không được công bố, cùng với những số liệu làm lộ "
        "chúng. Ô trống như vậy không phải là số không. Số liệu của công chức thay đổi theo từng đợt "
        "công bố, và không công bố theo ngày.",
        "Figures of too few ratings, usually fewer than 5, are not published, nor are those that "
        "would give them away. Such an empty cell is not zero. Officers’ figures move in batches, and "
        "are not published by day.",
    ),
    Bilingual(
        "So với kỳ trước là kỳ liền trước dài bằng kỳ này; khoảng tin cậy 95% của chênh lệch theo Newcombe "
        "(R. G. Newcombe, Statistics in Medicine 17, 1998, tr. 873–890, phương pháp 10). Chênh lệch ngoài "
        "mức dao động ngẫu nhiên khi khoảng đó không chứa số không.",
        "The period before is the one right before, as long; the 95% interval of the difference is "
        "Newcombe’s (R. G. Newcombe, Statistics in Medicine 17, 1998, pp. 873–890, method 10). A difference "
        "is more than noise where its interval leaves 0 out.",
    ),
    Bilingual(
        "Hạng cao nhất có thể là 1 cộng số nơi cùng cấp trên có cả khoảng tin cậy nằm cao hơn; hạng "
        "thấp nhất là số nơi có số liệu trừ đi số nơi có cả khoảng nằm thấp hơn.",
        "The best rank is 1 and those of the same parent whose whole interval lies above; the worst is all "
        "that have figures less those whose whole interval lies below.",
    ),
    Bilingual(
        "Tỷ lệ phản hồi là số lượt đánh giá của một năm dương lịch, trong mọi đợt, chia cho số hồ sơ mà "
        "đơn vị cho biết đã giải quyết trong năm đó. Cỡ mẫu yêu cầu tính từ số hồ sơ ấy.",
        "The response is the ratings of a calendar year, in all editions, by the files that an office "
        "says it handled in it. The required sample follows from the number of files.",
    ),
    Bilingual(
        "Lý do, kênh, giờ, thứ, mức bảo đảm và lượt không được tính chỉ công bố cho cả đợt, không theo ngày. "
        "Một lượt đánh giá có thể nêu nhiều lý do.",
        "Reasons, channels, hours, weekdays, assurances and what was not counted are published for a whole "
        "edition, not by day. One rating may name several reasons.",
    ),
    Bilingual(
        "Tính lại: các số liệu này là tài liệu của /v1/satisfaction, cùng nơi và cùng thời gian. Ai "
        "có nhật ký rating-outcomes đều tính lại được bằng lệnh python -m services.aggregation "
        "verify.",
        "To recompute: these are the documents of /v1/satisfaction for the same place and period. "
        "Whoever has the log rating-outcomes recomputes them with python -m services.aggregation "
        "verify.",
    ),
)
