"""The rules of the walk: what a form must hold, and what each refusal or outcome means for the citizen.

Pure: drafts and answers of the APIs in, the next page and its message out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from portal.apis.intake import Edition
from portal.draft import Draft
from portal.i18n import N_

# Only what cannot be a Vietnamese mobile number in any spelling; intake decides about the rest.
MOBILE = re.compile(r"(?:\+|00)?(?:84)?0?[35789]\d{8}")
SPACING = re.compile(r"[\s.()\-]")


class Page(StrEnum):
    """Where a citizen goes next; the value is the last part of the address."""

    FORM = ""
    REASONS = "/ly-do"
    SCALES = "/cau-hoi-them"
    CODE = "/ma-xac-thuc"
    SENDING = "/xu-ly"
    PHONE_CODE = "/ma-dien-thoai"
    THANKS = "/cam-on"
    CLOSED = "/da-dong"


MESSAGES = {
    "phone": N_("Nhập số điện thoại di động Việt Nam, ví dụ 0905 123 456."),
    "answer": N_("Chọn một trong hai câu trả lời."),
    "consent": N_("Đánh dấu vào ô đồng ý để tiếp tục."),
    "file_number": N_("Nhập mã hồ sơ ghi trên giấy hẹn."),
    "respondent": N_("Chọn cá nhân hay tổ chức."),
    "reasons": N_("Chọn ít nhất một lý do."),
    "code": N_("Nhập mã xác thực trong hình."),
    "proof": N_(
        "Thiết bị chưa xác thực xong. Vui lòng chờ vài giây rồi gửi lại; trình duyệt cần cho phép JavaScript."
    ),
    "proof_spent": N_(
        "Phần xác thực tự động không còn dùng được. Vui lòng gửi lại; các mục đã nhập vẫn được giữ."
    ),
    "phone_code": N_("Nhập mã gồm 6 chữ số trong tin nhắn."),
    "session": N_(
        "Phiên làm việc đã hết hạn. Vui lòng kiểm tra lại rồi bấm Tiếp tục (trình duyệt cần cho phép cookie)."
    ),
    "challenge_wrong": N_(
        "Mã xác thực chưa đúng. Vui lòng nhập mã mới trong hình; các mục đã nhập vẫn được giữ."
    ),
    "challenge_expired": N_(
        "Mã xác thực đã hết hạn. Vui lòng nhập mã mới trong hình; các mục đã nhập vẫn được giữ."
    ),
    "challenge_used": N_(
        "Mã xác thực này đã được dùng. Vui lòng nhập mã mới trong hình; các mục đã nhập vẫn được giữ."
    ),
    "challenge_invalid": N_(
        "Mã xác thực không còn dùng được. Vui lòng nhập mã mới trong hình; các mục đã nhập vẫn được giữ."
    ),
    "phone_code_wrong": N_("Mã vừa nhập chưa đúng. Vui lòng kiểm tra tin nhắn rồi nhập lại."),
    "phone_code_spent": N_(
        "Mã trong tin nhắn đã bị nhập sai quá số lần cho phép. Vui lòng kiểm tra số điện thoại và gửi lại."
    ),
    "phone_code_late": N_(
        "Mã trong tin nhắn đã hết hạn trước khi được nhập. Vui lòng gửi lại để nhận mã mới."
    ),
    "not_sent": N_("Hệ thống đang bận, mã chưa được kiểm tra. Vui lòng nhập lại mã sau ít giây."),
    "too_many_codes": N_("Vừa có quá nhiều mã được nhập. Vui lòng đợi vài phút rồi nhập lại mã."),
    "unreadable": N_("Hệ thống chưa đọc được số điện thoại. Vui lòng nhập lại."),
    "again": N_("Đánh giá chưa được ghi nhận. Vui lòng kiểm tra lại các mục và gửi lại."),
}
CHALLENGE_REASONS = ("challenge_wrong", "challenge_expired", "challenge_used", "challenge_invalid")
PROOF_REASONS = ("proof_of_work_expired", "proof_of_work_used", "proof_of_work_invalid")
FORM_FIELDS = ("file_number", "respondent", "deciding_unit_id", "phone", "answer", "consent")
RESPONDENTS = {"citizen": N_("Cá nhân"), "organisation": N_("Tổ chức, doanh nghiệp")}


def check_form(draft: Draft, edition: Edition) -> dict[str, str]:
    """What is missing on the rating form, by field."""
    wrong = []
    if edition.policy.file_numbers == "required" and not draft.file_number:
        wrong.append("file_number")
    if edition.policy.asks_respondent and draft.respondent not in RESPONDENTS:
        wrong.append("respondent")
    if not draft.vouched and not MOBILE.fullmatch(SPACING.sub("", draft.phone)):
        wrong.append("phone")
    if draft.answer not in {a.id for a in edition.instrument.answers}:
        wrong.append("answer")
    if not draft.vouched and not draft.consent:
        wrong.append("consent")
    return {field: MESSAGES[field] for field in wrong}


def check_reasons(reasons: Sequence[str], edition: Edition, answer: str) -> dict[str, str]:
    known = {r.id for r in edition.reasons_of(answer)}
    enough = bool(reasons) or edition.reasons_optional(answer)
    return {} if enough and set(reasons) <= known else {"reasons": MESSAGES["reasons"]}


def rated(draft: Draft, edition: Edition) -> bool:
    """Whether all is entered but further answers and the code, and nothing is sent yet."""
    if draft.frozen or draft.end is not None or draft.edition_id != edition.id:
        return False
    return not check_form(draft, edition) and not (
        edition.asks_reasons(draft.answer) and check_reasons(draft.reasons, edition, draft.answer)
    )


def next_page(draft: Draft, edition: Edition) -> Page:
    """The first page on which something is still to do."""
    if draft.end is not None:
        return Page.THANKS
    if draft.frozen:
        return Page.SENDING
    if draft.edition_id != edition.id or check_form(draft, edition):
        return Page.FORM
    if edition.asks_reasons(draft.answer) and check_reasons(draft.reasons, edition, draft.answer):
        return Page.REASONS
    asks = not draft.vouched and (edition.policy.asks_captcha or edition.policy.computes)
    return Page.CODE if asks else Page.SENDING


def asks_code(draft: Draft, edition: Edition) -> bool:
    """Whether the image code has to be entered: a proof of work can stand for it."""
    proved = edition.policy.proof_of_work == "instead" and draft.proof
    return edition.policy.asks_captcha and not proved and not draft.vouched


def asks_proof(draft: Draft, edition: Edition) -> bool:
    return edition.policy.proof_of_work == "beside" and not draft.proof and not draft.vouched


@dataclass(frozen=True, slots=True)
class Turn:
    """Back to `page` with `message` at `field` (or several `errors`)."""

    page: Page
    errors: Mapping[str, str]


def after_refusal(code: str, fields: Mapping[str, str]) -> Turn:
    """Intake refused the rating; nothing was sent on. `fields` holds its own words, by field."""
    if code in ("edition_closed", "no_open_edition"):
        return Turn(Page.CLOSED, {})
    if "challenge" in fields:
        return Turn(Page.CODE, {"code": fields["challenge"]})
    if "proof_of_work" in fields:
        return Turn(Page.CODE, {"proof": fields["proof_of_work"]})
    if "reasons" in fields:
        return Turn(Page.REASONS, {"reasons": fields["reasons"]})
    if any(field.startswith("scale_answers") for field in fields):
        return Turn(Page.SCALES, {"scales": MESSAGES["again"]})
    own = {field: text for field, text in fields.items() if field in FORM_FIELDS}
    return Turn(Page.FORM, own or {"again": MESSAGES["again"]})


def after_rejection(reason: str, edition: Edition) -> Turn:
    """Verification rejected the rating: what the citizen is told.

    With the image code alone, nothing may tell whether a number has rated before, so a duplicate ends as any
    other rating. It may be told to whoever has proved, with the code from the SMS, that the number is theirs.
    """
    if reason == "duplicate":
        return Turn(Page.THANKS, {})
    if reason == "edition_closed":
        return Turn(Page.CLOSED, {})
    if reason in CHALLENGE_REASONS and edition.policy.asks_captcha:
        return Turn(Page.CODE, {"code": MESSAGES[reason]})
    if reason in PROOF_REASONS and edition.policy.computes:
        return Turn(Page.CODE, {"proof": MESSAGES["proof_spent"]})
    messages = {
        "phone_code_wrong": ("phone", "phone_code_spent"),
        "expired": ("phone", "phone_code_late"),
        "phone_unreadable": ("phone", "unreadable"),
    }
    field, message = messages.get(reason, ("again", "again"))
    return Turn(Page.FORM, {field: MESSAGES[message]})


def told_duplicate(draft: Draft, edition: Edition) -> bool:
    return edition.policy.asks_phone_code and draft.phone_code_entered


def body(draft: Draft) -> dict[str, object]:
    """The rating as intake takes it; the same for the same frozen draft."""
    about: dict[str, object] = {
        "file_number": draft.file_number,
        "respondent": draft.respondent,
        "deciding_unit_id": draft.deciding_unit_id,
        "scale_answers": [_scale_answer(*each) for each in draft.scale_answers.items()],
    }
    proofs = {"vouched": True} if draft.vouched else _proofs(draft)
    return (
        {name: value for name, value in about.items() if value}
        | proofs
        | {
            "edition_id": draft.edition_id,
            "officer_id": draft.officer_id,
            "answer": draft.answer,
            "reasons": draft.reasons,
            "channel": draft.channel,
            "language": draft.language,
        }
    )


def _scale_answer(name: str, choice: str) -> dict[str, str]:
    scale, _, question = name.partition("/")
    return {"scale": scale, "question": question, "choice": choice}


def _proofs(draft: Draft) -> dict[str, object]:
    challenge = draft.challenge if draft.code else None
    proof = {"proof_of_work": draft.proof} if draft.proof else {}
    return proof | {
        "phone": draft.phone,
        "consent": True,
        "challenge": None if challenge is None else {"id": challenge.id, "answer": draft.code},
    }
