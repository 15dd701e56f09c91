"""What the office is told when it cannot do what was asked, in both languages."""

from collections.abc import Iterable

from chassis.problems import VALIDATION_FAILED, Bilingual, FieldError, Problem, ProblemType
from services.intake.domain.changes import Flaw

NOT_SIGNED_IN = ProblemType(
    "not_signed_in",
    401,
    Bilingual("Cần đăng nhập", "Signing in is needed"),
    Bilingual(
        "Việc này cần một mã truy cập còn hiệu lực (Authorization: Bearer) của nơi cấp danh tính.",
        "This wants an access token in force (Authorization: Bearer) from the identity provider.",
    ),
)
NO_ROLE = ProblemType(
    "office_role_missing",
    403,
    Bilingual("Tài khoản chưa được phân vai trò", "The account has no role"),
    Bilingual(
        "Tài khoản chưa có vai trò nào ở đây. Hãy liên hệ bộ phận quản trị tài khoản của thành phố.",
        "The account has no role here. Ask those who administer the city's accounts.",
    ),
)
NOT_YOURS_TO_CHANGE = ProblemType(
    "office_read_only",
    403,
    Bilingual("Vai trò này chỉ được xem", "This role may only read"),
    Bilingual(
        "Chỉ phòng khảo sát được thay đổi danh mục và đợt khảo sát.",
        "The survey office alone changes the directory and editions.",
    ),
)
PROVIDER_AWAY = ProblemType(
    "identity_provider_unavailable",
    503,
    Bilingual("Tạm thời chưa kiểm tra được đăng nhập", "Signing in cannot be checked at the moment"),
    Bilingual(
        "Nơi cấp danh tính không trả lời. Vui lòng thử lại sau ít giây.",
        "The identity provider does not answer. Try again in a few seconds.",
    ),
)
NOT_WRITTEN = ProblemType(
    "not_confirmed",
    503,
    Bilingual("Chưa biết thay đổi đã được ghi hay chưa", "It is not known whether the change was kept"),
    Bilingual(
        "Hãy xem nhật ký thao tác rồi gửi lại; gửi lại một thay đổi đã được ghi thì không đổi gì thêm.",
        "Look at the audit trail and send it again; sending again what was kept changes nothing more.",
    ),
)
OVERTAKEN = ProblemType(
    "overtaken",
    409,
    Bilingual("Có người khác vừa thay đổi", "Somebody else has just made a change"),
    Bilingual(
        "Chưa có gì được ghi. Hãy xem lại rồi gửi lại.",
        "Nothing was written. Look again, then send it again.",
    ),
)
PREVIEW_OUTDATED = ProblemType(
    "preview_outdated",
    412,
    Bilingual("Bản xem trước đã cũ", "The preview is out of date"),
    Bilingual(
        "Danh mục, ngày hoặc tệp đã khác so với lúc xem trước. Chưa có gì được ghi; hãy xem trước lại.",
        "The directory, the day or the file is not what was previewed. Nothing was written; preview again.",
    ),
)
EDITION_MOVED = ProblemType(
    "edition_changed_meanwhile",
    412,
    Bilingual("Đợt khảo sát vừa được thay đổi", "The edition was changed meanwhile"),
    Bilingual(
        "Chưa có gì được ghi. Hãy mở lại đợt khảo sát, xem thay đổi của người khác rồi sửa tiếp.",
        "Nothing was written. Open the edition again, see the other change, then go on.",
    ),
)
KEPT_TOO_LONG = ProblemType(
    "kept_too_long",
    422,
    Bilingual("Số điện thoại đang được giữ lâu hơn đã hứa", "Phone numbers are kept longer than promised"),
    Bilingual(
        "Đợt khảo sát hứa xóa số điện thoại sau {days} ngày, nhưng hệ thống đang giữ lâu hơn. Hãy nhờ"
        " người vận hành rút ngắn thời hạn (docs/office.md), hoặc chọn số ngày lớn hơn.",
        "The edition promises that numbers are gone after {days} days, and the system keeps them longer."
        " Ask the operators to shorten it (docs/office.md), or promise more days.",
    ),
)

_DETAILS = {
    "nothing_in_it": Bilingual("Tệp không có dòng nào.", "There are no rows in the file."),
    "file_too_large": Bilingual(
        "Tệp quá lớn: nhiều nhất {most} KB. Hãy chia thành nhiều tệp.",
        "The file is too large: {most} KB at most. Split it.",
    ),
    "too_many_rows": Bilingual(
        "Quá nhiều dòng: nhiều nhất {most}. Hãy chia thành nhiều tệp.",
        "Too many rows: {most} at most. Split it.",
    ),
    "not_utf8": Bilingual(
        "Tệp không phải UTF-8. Trong Excel, hãy lưu dạng “CSV UTF-8” hoặc XLSX.",
        "The file is not UTF-8. In Excel, save it as “CSV UTF-8” or as XLSX.",
    ),
    "not_a_table": Bilingual(
        "Không đọc được tệp như CSV hay XLSX ({why}).", "The file cannot be read as CSV or XLSX ({why})."
    ),
    "column_unknown": Bilingual(
        "Không có cột “{column}”. Hãy bỏ hoặc sửa tên cột.",
        "There is no column “{column}”. Remove it or mend its name.",
    ),
    "column_missing": Bilingual("Thiếu cột “{column}”.", "The column “{column}” is missing."),
    "there_twice": Bilingual("“{id}” có hai lần.", "“{id}” is there twice."),
    "type_unknown": Bilingual(
        "Cột type phải là unit (đơn vị) hoặc officer (công chức).", "The column type must be unit or officer."
    ),
    "cell_missing": Bilingual("Mục này bắt buộc.", "This is required."),
    "value_invalid": Bilingual(
        "Giá trị không hợp lệ hoặc quá dài (tối đa 500 ký tự).",
        "The value is not valid, or longer than 500 characters.",
    ),
    "id_invalid": Bilingual(
        "Mã không hợp lệ: chỉ gồm a–z, 0–9, dấu chấm và gạch nối, ví dụ so-y-te.",
        "The id is not valid: ids are of a–z, 0–9, dots and hyphens, such as so-y-te.",
    ),
    "day_invalid": Bilingual(
        "Ngày không đúng. Ví dụ: 23/11/2026 hoặc 2026-11-23.",
        "The day is not valid. For example: 23/11/2026 or 2026-11-23.",
    ),
    "day_too_early": Bilingual("Ngày phải sau {day}.", "The day must be after {day}."),
    "flag_invalid": Bilingual("Hãy ghi yes hoặc no.", "Write yes or no."),
    "group_unknown": Bilingual(
        "Chưa có nhóm này. Hãy ghi tên nhóm bằng hai ngôn ngữ để tạo nhóm mới.",
        "There is no such group. Name it in both languages to make a new one.",
    ),
    "group_named_otherwise": Bilingual(
        "Nhóm này đã có tên “{name}”.", "The group is named otherwise: “{name}”."
    ),
    "unit_unknown": Bilingual("Không có đơn vị này.", "There is no such unit."),
    "unit_exists": Bilingual("Mã đơn vị này đã có.", "There is a unit of this id already."),
    "unit_not_open": Bilingual("Đơn vị này không mở vào {day}.", "The unit is not open on {day}."),
    "unit_merged_already": Bilingual(
        "Đơn vị đã hợp nhất vào đơn vị khác.", "The unit has merged into another already."
    ),
    "merger_impossible": Bilingual(
        "“{unit}” không thể hợp nhất như vậy: đơn vị tiếp nhận phải có, khác nó và mở vào ngày đó.",
        "“{unit}” cannot merge so: who takes over must be there, be another, and be open on that day.",
    ),
    "officer_unknown": Bilingual("Không có công chức này.", "There is no such officer."),
    "officer_ended": Bilingual(
        "Công chức này đã thôi nhận đánh giá; hãy dùng mục mới của họ.",
        "The officer takes no ratings any more; use their newer entry.",
    ),
    "officer_id_taken": Bilingual(
        "Mã “{id}” ở đơn vị mới là của người khác.", "At the new unit the id “{id}” is somebody else's."
    ),
    "edition_unknown": Bilingual("Không có đợt khảo sát này.", "There is no such edition."),
    "closes_before_it_opens": Bilingual(
        "Ngày kết thúc phải từ ngày mở trở đi.", "The last day must not be before the first."
    ),
    "opened_already": Bilingual(
        "Đợt đã mở, không đổi được ngày mở.", "The edition has opened; its first day cannot change."
    ),
    "answers_fixed": Bilingual(
        "Đợt đã mở: có thể sửa lời, không thêm bớt câu trả lời.",
        "The edition has opened: mend texts, but neither add nor remove answers.",
    ),
    "reasons_fixed": Bilingual(
        "Đợt đã mở: không bỏ được lý do {id}.", "The edition has opened: the reasons {id} cannot go."
    ),
    "reasons_missing": Bilingual(
        "Có câu trả lời hỏi lý do, nên cần ít nhất một lý do.",
        "An answer asks for reasons, so there has to be one at least.",
    ),
    "reason_of_no_answer": Bilingual(
        "Lý do {id} thuộc về một câu trả lời không có, hoặc không hỏi lý do.",
        "The reason {id} is for an answer that is not there, or that does not ask for reasons.",
    ),
    "scales_fixed": Bilingual(
        "Đợt đã mở: thang đo {id} có thể sửa lời, không thêm bớt câu hỏi hay lựa chọn.",
        "The edition has opened: mend texts of the scales {id}, but neither add nor remove anything.",
    ),
    "too_many_questions": Bilingual(
        "Quá nhiều câu hỏi thêm: nhiều nhất {most}.", "Too many further questions: {most} at most."
    ),
    "too_many_choices": Bilingual(
        "Câu hỏi {id} có quá nhiều lựa chọn: nhiều nhất {most}.",
        "The question {id} has too many choices: {most} at most.",
    ),
    "sealing_key_invalid": Bilingual(
        "Khóa niêm phong không đúng. Hãy dán nguyên dòng JSON mà lệnh keys create in ra.",
        "The sealing key is not valid. Paste the whole line of JSON that keys create printed.",
    ),
    "paper_not_allowed": Bilingual(
        "Đợt {edition} không nhận phiếu giấy. Ở trang của đợt, hãy chọn “Người nhập phiếu giấy bảo đảm cho"
        " đánh giá” rồi công bố lại (trong tệp: policy, vouching: [paper]).",
        "The edition {edition} takes no paper forms. On the edition's page choose that who enters a paper"
        " form vouches for it, and publish it again (in a file: policy, vouching: [paper]).",
    ),
    "no_edition_open": Bilingual(
        "Hôm nay không có đợt khảo sát nào mở. Hãy công bố một đợt trước.",
        "No edition is open today. Publish one first.",
    ),
    "form_count_invalid": Bilingual("Mỗi lần từ 1 đến {most} phiếu.", "From 1 to {most} forms at a time."),
    "form_number_invalid": Bilingual(
        "Số phiếu không đúng: chín chữ số in dưới mã QR. Hãy xem lại từng chữ số.",
        "This is no number of a form: nine digits, printed under the QR code. Look at each digit again.",
    ),
    "form_unknown": Bilingual(
        "Chưa có phiếu nào mang số này. Phiếu phải được in từ đây; phiếu khác thì không nhập.",
        "No form of this number was issued. Forms are printed from here; others are not entered.",
    ),
    "form_counted_otherwise": Bilingual(
        "Phiếu này đã được tính với nội dung khác, và không đổi được nữa.",
        "This form counts already, with other content, and cannot change any more.",
    ),
    "form_entered_otherwise": Bilingual(
        "Phiếu này đã có người nhập khác đi. Hãy giải quyết ở trang của phiếu, rồi bỏ dòng này.",
        "Somebody has entered this form otherwise. Settle it on the form's page, and leave this row out.",
    ),
    "form_answer_unknown": Bilingual(
        "Không có câu trả lời này. Có: {ids}.", "There is no such answer. There are: {ids}."
    ),
    "form_reasons_unknown": Bilingual(
        "Lý do không thuộc câu trả lời {answer}: {id}.", "Not reasons of the answer {answer}: {id}."
    ),
    "form_reasons_missing": Bilingual(
        "Câu trả lời này cần ít nhất một lý do: {ids}.", "This answer wants at least one reason: {ids}."
    ),
    "form_scale_answer_unknown": Bilingual(
        "Câu hỏi hoặc lựa chọn không có: {id}.", "There is no such question or choice: {id}."
    ),
    "form_day_outside": Bilingual(
        "Ngày ghi trên phiếu phải từ {first} đến {last}.",
        "The day on the form must be from {first} to {last}.",
    ),
    "form_officer_not_active": Bilingual(
        "Công chức không nhận đánh giá vào ngày ghi trên phiếu.",
        "The officer took no ratings on the day that is written on the form.",
    ),
    "sealing_key_of_another": Bilingual("Khóa {key} là của đợt khác.", "The key {key} is another edition's."),
}


def say(flaw: Flaw, language: str) -> str:
    return _DETAILS[flaw.code].say(language, flaw.values)


def problem(flaws: Iterable[Flaw]) -> Problem:
    errors = [FieldError(f"/{flaw.field}", flaw.code, _DETAILS[flaw.code], flaw.values) for flaw in flaws]
    return Problem(VALIDATION_FAILED, errors=errors)
