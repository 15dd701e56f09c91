"""What intake answers when it cannot do what was asked: problems and field errors, in both languages."""

from chassis.problems import VALIDATION_FAILED, Bilingual, FieldError, Problem, ProblemType
from services.intake.domain.rating import Fault

IDEMPOTENCY_KEY_MISSING = ProblemType(
    "idempotency_key_missing",
    400,
    Bilingual("Thiếu Idempotency-Key", "Idempotency-Key is missing"),
    Bilingual(
        "Hãy gửi tiêu đề Idempotency-Key từ 16 đến 255 ký tự ASCII, mỗi đánh giá một khóa, và dùng lại"
        " khóa đó khi gửi lại.",
        "Send an Idempotency-Key header of 16 to 255 visible ASCII characters, one a rating, and the same"
        " again when you send it again.",
    ),
)
IDEMPOTENCY_KEY_REUSED = ProblemType(
    "idempotency_key_reused",
    422,
    Bilingual("Idempotency-Key đã dùng cho nội dung khác", "The Idempotency-Key came with another body"),
    Bilingual("Hãy dùng khóa mới cho nội dung mới.", "Use a new key for a new body."),
)
KEY_MISSING = ProblemType(
    "key_missing",
    401,
    Bilingual("Kênh này cần khóa truy cập", "This channel needs a key"),
    Bilingual(
        "Kênh “{channel}” chỉ dành cho ứng dụng có khóa (Authorization: Bearer …). Ứng dụng của chính"
        " người đánh giá dùng kênh “web” hoặc bỏ trống.",
        "The channel “{channel}” is for clients with a key (Authorization: Bearer …). A citizen's own app"
        " says “web”, or nothing.",
    ),
)
KEY_NOT_IN_FORCE = ProblemType(
    "key_not_in_force",
    401,
    Bilingual("Khóa truy cập không có hiệu lực", "The key is not in force"),
    Bilingual(
        "Khóa trong tiêu đề Authorization không đúng, đã hết hạn hoặc đã bị thu hồi. Hãy liên hệ nơi cấp"
        " khóa.",
        "The key in the Authorization header is not known, has expired or was revoked. Ask who issued it.",
    ),
)
CHANNEL_NOT_YOURS = ProblemType(
    "channel_not_yours",
    403,
    Bilingual("Khóa không dùng được cho kênh này", "The key is not for this channel"),
    Bilingual(
        "Khóa này không cho phép gửi qua kênh “{channel}”. Hãy dùng kênh đã được cấp.",
        "This key is not for the channel “{channel}”. Use a channel that it was issued for.",
    ),
)
VOUCHING_NOT_YOURS = ProblemType(
    "vouching_not_yours",
    403,
    Bilingual("Thiết bị này không được bảo đảm cho đánh giá", "This device does not vouch for ratings"),
    Bilingual(
        "Chỉ màn hình tại quầy được phòng khảo sát cho phép mới gửi đánh giá không kèm số điện thoại và mã."
        " Hãy gửi kèm số điện thoại và mã, hoặc nhờ người vận hành chạy: clients vouch.",
        "Only a screen at a desk that the survey office lets vouch sends ratings without phone and code. Send"
        " them with both, or ask the operators to run: clients vouch.",
    ),
)
FILES_AWAY = ProblemType(
    "file_system_unavailable",
    503,
    Bilingual("Chưa kiểm tra được mã hồ sơ", "The file number cannot be checked right now"),
    Bilingual(
        "Hệ thống hồ sơ của đơn vị không trả lời. Vui lòng gửi lại y như vậy sau {seconds} giây, với cùng"
        " Idempotency-Key.",
        "The office's file system does not answer. Send this again, unchanged and with the same"
        " Idempotency-Key, in {seconds} seconds.",
    ),
)
TOO_MANY = ProblemType(
    "too_many",
    429,
    Bilingual("Đã gửi quá nhiều trong thời gian ngắn", "Too much was sent in a short time"),
    Bilingual(
        "Nội dung này chưa được nhận. Vui lòng gửi lại y như vậy, với cùng Idempotency-Key, sau {seconds}"
        " giây.",
        "This was not taken in. Please send it again, unchanged and with the same Idempotency-Key, in"
        " {seconds} seconds.",
    ),
)
UNAVAILABLE = ProblemType(
    "temporarily_unavailable",
    503,
    Bilingual("Hệ thống tạm thời chưa nhận được đánh giá", "Ratings cannot be taken right now"),
    Bilingual(
        "Vui lòng gửi lại sau {seconds} giây với cùng Idempotency-Key; đánh giá chỉ được tính một lần.",
        "Send it again in {seconds} seconds with the same Idempotency-Key; it counts once.",
    ),
)
EDITION_KEYS_MISSING = ProblemType(
    "edition_keys_missing",
    503,
    Bilingual("Đợt khảo sát chưa sẵn sàng", "The survey is not ready"),
    Bilingual("Vui lòng thử lại sau ít phút.", "Please try again in a few minutes."),
)
EDITION_CLOSED = ProblemType(
    "edition_closed",
    422,
    Bilingual("Đợt khảo sát đã đóng", "The survey is closed"),
    Bilingual(
        "Đợt khảo sát này hiện không nhận đánh giá. Xem đợt đang mở tại /v1/edition.",
        "This edition takes no ratings at present. The one that is open is at /v1/edition.",
    ),
)
DIRECTORY_UNREAD = ProblemType(
    "directory_unread",
    503,
    Bilingual("Danh mục đang được đọc", "The directory is being read"),
    Bilingual("Vui lòng thử lại sau vài giây.", "Please try again in a few seconds."),
)
NO_OPEN_EDITION = ProblemType(
    "no_open_edition",
    404,
    Bilingual("Hiện không có đợt khảo sát nào", "No survey is open"),
    Bilingual("Mời ông/bà quay lại khi có đợt mới.", "Please come back when the next one opens."),
)

_DETAILS = {
    "edition_unknown": Bilingual("Không có đợt khảo sát này.", "There is no such edition."),
    "edition_closed": Bilingual(
        "Đợt khảo sát này hiện không nhận đánh giá.", "This edition takes no ratings at present."
    ),
    "officer_unknown": Bilingual(
        "Không có công chức này. Hãy chọn lại.", "There is no such officer. Choose again."
    ),
    "officer_not_active": Bilingual(
        "Công chức này hiện không nhận đánh giá. Hãy chọn lại.",
        "This officer takes no ratings at present. Choose again.",
    ),
    "answer_missing": Bilingual("Hãy chọn một câu trả lời.", "Choose an answer."),
    "answer_unknown": Bilingual("Câu trả lời không có trong khảo sát.", "The survey has no such answer."),
    "reasons_missing": Bilingual("Hãy chọn ít nhất một lý do.", "Choose at least one reason."),
    "reasons_not_asked": Bilingual("Câu trả lời này không kèm lý do.", "This answer goes without reasons."),
    "reason_unknown": Bilingual("Lý do không có trong khảo sát.", "The survey has no such reason."),
    "reasons_repeated": Bilingual("Mỗi lý do chỉ chọn một lần.", "Give each reason once."),
    "reason_of_another": Bilingual(
        "Lý do này thuộc về câu trả lời khác. Hãy chọn lại.",
        "This reason is for another answer. Choose again.",
    ),
    "scale_unknown": Bilingual(
        "Khảo sát không có thang đo này. Xem /v1/edition.",
        "The survey has no such scale. See /v1/edition.",
    ),
    "scale_question_unknown": Bilingual(
        "Thang đo không có câu hỏi này. Xem /v1/edition.",
        "The scale has no such question. See /v1/edition.",
    ),
    "scale_choice_unknown": Bilingual(
        "Câu hỏi không có lựa chọn này. Hãy chọn lại, hoặc bỏ qua câu hỏi.",
        "The question has no such choice. Choose again, or leave the question out.",
    ),
    "scale_question_repeated": Bilingual("Mỗi câu hỏi chỉ trả lời một lần.", "Answer each question once."),
    "challenge_missing": Bilingual("Hãy nhập mã xác thực.", "Enter the verification code."),
    "challenge_answer_missing": Bilingual("Hãy nhập mã xác thực.", "Enter the verification code."),
    "proof_of_work_missing": Bilingual(
        "Thiết bị chưa tính xong phần xác thực tự động. Vui lòng chờ vài giây rồi gửi lại.",
        "Your device has not finished the automatic check. Wait a few seconds and send it again.",
    ),
    "phone_missing": Bilingual("Hãy nhập số điện thoại di động.", "Enter your mobile phone number."),
    "phone_invalid": Bilingual(
        "Số điện thoại chưa đúng. Ví dụ: 0905 123 456.", "The number is not valid. For example: 0905 123 456."
    ),
    "phone_not_vietnamese": Bilingual(
        "Hãy nhập số di động Việt Nam, ví dụ 0905 123 456.",
        "Enter a Vietnamese mobile number, for example 0905 123 456.",
    ),
    "phone_not_mobile": Bilingual(
        "Đây là số cố định. Hãy nhập số di động, ví dụ 0905 123 456.",
        "This is a landline. Enter a mobile number, for example 0905 123 456.",
    ),
    "consent_missing": Bilingual(
        "Hãy đánh dấu đồng ý để chúng tôi được dùng số điện thoại.",
        "Tick your consent so that we may use the phone number.",
    ),
    "vouching_refused": Bilingual(
        "Đợt khảo sát này không nhận đánh giá do thiết bị bảo đảm. Hãy gửi kèm số điện thoại và mã.",
        "This edition takes no ratings that a device vouches for. Send them with phone and code.",
    ),
    "not_with_vouching": Bilingual(
        "Đánh giá do thiết bị bảo đảm không kèm mục này. Hãy bỏ mục này, hoặc bỏ vouched.",
        "A rating that a device vouches for goes without this. Leave this out, or leave out vouched.",
    ),
    "rated_at_not_yours": Bilingual(
        "Chỉ thiết bị bảo đảm cho đánh giá mới nói được thời điểm. Hãy bỏ mục này.",
        "Only a device that vouches says when a rating was given. Leave this out.",
    ),
    "rated_at_in_future": Bilingual(
        "Thời điểm đánh giá ở tương lai. Hãy chỉnh đồng hồ của thiết bị.",
        "The rating was given in the future. Set the device's clock.",
    ),
    "rated_at_too_old": Bilingual(
        "Đánh giá đã được giữ quá lâu nên không còn nhận được.",
        "The rating was kept for too long and cannot be taken any more.",
    ),
    "file_number_not_asked": Bilingual(
        "Đợt khảo sát này không hỏi mã hồ sơ. Hãy bỏ mục này.",
        "This edition does not ask for a file number. Leave it out.",
    ),
    "file_number_missing": Bilingual(
        "Hãy nhập mã hồ sơ ghi trên giấy hẹn.", "Enter the file number on your appointment slip."
    ),
    "file_number_invalid": Bilingual(
        "Mã hồ sơ chưa đúng. Hãy chép nguyên như trên giấy hẹn, ví dụ 000.00.19.H26-261123-0042.",
        "The file number is not valid. Copy it from your slip, for example 000.00.19.H26-261123-0042.",
    ),
    "file_number_unknown": Bilingual(
        "Đơn vị này không có hồ sơ mang mã đó. Hãy xem lại từng ký tự trên giấy hẹn, hoặc chọn đúng đơn vị"
        " đã nhận hồ sơ.",
        "This unit has no file of that number. Check each character on your slip, or choose the unit that"
        " took your file in.",
    ),
    "respondent_missing": Bilingual(
        "Hãy chọn: cá nhân hay tổ chức.", "Choose whether a citizen or an organisation rates."
    ),
    "respondent_not_asked": Bilingual(
        "Đợt khảo sát này chỉ hỏi cá nhân. Hãy bỏ mục này.",
        "This edition does not tell organisations apart. Leave this out.",
    ),
    "deciding_unit_unknown": Bilingual(
        "Không có đơn vị này. Hãy chọn lại cơ quan giải quyết, hoặc bỏ trống.",
        "There is no such unit. Choose again who decided, or leave it out.",
    ),
    "receipt_unknown": Bilingual(
        "Mã biên nhận chưa đúng. Mã gồm 24 chữ và số, ghi trên trang cảm ơn; hãy xem lại từng ký tự.",
        "This is no receipt. It has 24 letters and digits and is on the page that thanked you; check each.",
    ),
    "phone_code_invalid": Bilingual("Mã gồm 6 chữ số.", "The code has 6 digits."),
}


def field_errors(faults: list[Fault]) -> list[FieldError]:
    return [FieldError(fault.pointer, fault.code, _DETAILS[fault.code]) for fault in faults]


def problem(faults: list[Fault]) -> Problem:
    """All faults of a body at once; a closed edition has its own name, as nothing in the body mends it."""
    closed = any(fault.code == "edition_closed" for fault in faults)
    return Problem(EDITION_CLOSED if closed else VALIDATION_FAILED, errors=field_errors(faults))
