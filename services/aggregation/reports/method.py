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
        "Lý do, kênh và lượt không được tính chỉ công bố cho cả đợt, không theo ngày. Một lượt đánh "
        "giá có thể nêu nhiều lý do.",
        "Reasons, channels and what was not counted are published for a whole edition, not by day. "
        "One rating may name several reasons.",
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
