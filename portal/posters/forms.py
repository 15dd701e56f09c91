"""Paper forms (A4), Vietnamese and English, as data for `form.typ`: one for each number that was issued."""

from collections.abc import Mapping, Sequence
from typing import Any

from portal.apis.office_forms import Answer, Instrument, RunToPrint
from portal.i18n import N_, Language
from portal.posters.sheets import picture
from portal.view import Help

AT_ONCE = 50
"""Forms in one file: as many as are set within the press's time."""
WORDS = {
    "form": N_("Phiếu khảo sát"),
    "city": N_("Thành phố Đà Nẵng"),
    "survey": N_("Đánh giá dịch vụ công"),
    "number": N_("Số phiếu"),
    "choose": N_("Đánh dấu vào một ô"),
    "why": N_("vì sao? Có thể chọn nhiều ô"),
    "further": N_("Mỗi dòng đánh dấu một ô; có thể bỏ trống"),
    "day": N_("Ngày ghi phiếu"),
    "nameless": N_("Không ghi họ tên hay số điện thoại. Gấp phiếu lại và bỏ vào thùng phiếu."),
    "online": N_("Mỗi phiếu chỉ tính một lần. Đã đánh giá trên mạng cho lần này thì không cần điền phiếu."),
    "help": N_("Tổng đài thông tin dịch vụ công"),
    "picture": N_("Mã QR của số phiếu"),
    "sample": N_("Dữ liệu mẫu"),
}


def sheet(run: RunToPrint, numbers: Sequence[str], *, languages: Mapping[str, Language]) -> dict[str, Any]:
    """Those of the run's forms that have these numbers, in one file."""
    instrument = run.edition.instrument
    return {
        "template": "form",
        "format": "pdf",
        "forms": [{"number": grouped(each), "code": picture(each)} for each in numbers],
        "edition": dict(run.edition.title),
        "unit": dict(run.unit_name),
        "name": run.officer.name,
        "title": dict(run.officer.title),
        "sample": run.officer.sample,
        "question": dict(instrument.question),
        "answers": [
            {"text": dict(each.text), "reasons": _reasons(instrument, each)} for each in instrument.answers
        ],
        "scales": [
            {
                "title": dict(scale.title),
                "questions": [
                    {"text": dict(each.text), "choices": [dict(choice.text) for choice in each.choices]}
                    for each in scale.questions
                ],
            }
            for scale in instrument.scales
        ],
        "phone": Help().phone,
        "words": {
            name: {code: each.gettext(text) for code, each in languages.items()}
            for name, text in WORDS.items()
        },
    }


def parts(run: RunToPrint) -> list[Sequence[str]]:
    """The numbers of each file."""
    return [run.numbers[at : at + AT_ONCE] for at in range(0, run.count, AT_ONCE)]


def file_name(run: RunToPrint, numbers: Sequence[str]) -> str:
    return f"{run.officer.id}-phieu-{numbers[0]}-{numbers[-1]}.pdf"


def grouped(number: str) -> str:
    """As it is printed: groups of three."""
    return " ".join(number[at : at + 3] for at in range(0, len(number), 3))


def _reasons(instrument: Instrument, answer: Answer) -> list[Mapping[str, str]]:
    return [dict(each.text) for each in instrument.reasons if each.explains(answer)]
