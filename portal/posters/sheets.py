"""What a sheet says: a poster (A4) or a desk card (A6), Vietnamese and English, as data for `sheet.typ`.

Everything reaches the template as data, so nothing that a name holds is taken for markup.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import segno

from portal.i18n import N_, Language
from portal.posters.codes import Target
from portal.view import Help

Paper = Literal["a4", "a6"]
Format = Literal["pdf", "svg"]
Localised = Mapping[str, str]
PAPERS: Mapping[Literal["officer", "unit"], tuple[Paper, ...]] = {"officer": ("a4", "a6"), "unit": ("a4",)}
FORMATS: tuple[Format, ...] = ("pdf", "svg")
PATH = "/r"
QUIET_MODULES = 4  # as the standard asks
WORDS = {
    "survey": N_("Đánh giá dịch vụ công"),
    "city": N_("Thành phố Đà Nẵng"),
    "ask": N_("Ông/bà hài lòng hay chưa hài lòng?"),
    "scan": N_("Quét mã bằng máy ảnh của điện thoại"),
    "or_open": N_("hoặc mở địa chỉ"),
    "unseen": N_("Công chức không biết ai đã trả lời thế nào."),
    "free": N_("Không mất phí, không cần cài ứng dụng."),
    "genuine": N_("Trang mở ra phải bắt đầu bằng"),
    "otherwise": N_("Nếu không, mã này là giả: không nhập gì, và báo tổng đài"),
    "help": N_("Tổng đài thông tin dịch vụ công"),
    "picture": N_("Mã QR dẫn đến"),
    "poster": N_("Áp phích mã QR"),
    "card": N_("Thẻ để bàn mã QR"),
    "sample": N_("Dữ liệu mẫu"),
}


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a sheet is for. `name` and `title` are the officer's; a unit's sheet has neither."""

    target: Target
    unit: Localised
    name: str = ""
    title: Localised | None = None
    sample: bool = False


def sheet(
    subject: Subject,
    code: str,
    *,
    site: str,
    paper: Paper,
    format: Format,
    languages: Mapping[str, Language],
) -> dict[str, Any]:
    """`site`: the portal's address as browsers have it, without a slash behind it."""
    address = f"{site}{PATH}/{code}"
    return {
        "format": format,
        "paper": paper,
        "kind": subject.target.kind,
        "unit": dict(subject.unit),
        "name": subject.name,
        "title": None if subject.title is None else dict(subject.title),
        "sample": subject.sample,
        "address": address,
        "shown_address": address.partition("://")[2],
        "site": f"{urlsplit(site).scheme}://{urlsplit(site).netloc}/",
        "phone": Help().phone,
        "code": picture(address),
        "words": {
            name: {code: each.gettext(text) for code, each in languages.items()}
            for name, text in WORDS.items()
        },
    }


def file_name(subject: Subject, paper: Paper, format: Format) -> str:
    return f"{subject.target.id}-{paper}.{format}"


def picture(address: str) -> str:
    """The code to scan, as SVG. A quarter of it may be soiled (level Q)."""
    code = segno.make(address, error="q", micro=False, boost_error=False)
    rows = ["".join("1" if dark else "0" for dark in row) for row in code.matrix]
    size = len(rows) + 2 * QUIET_MODULES
    path = io.StringIO()
    for y, row in enumerate(rows):
        x = 0
        for run in _runs(row):
            if run[0] == "1":
                path.write(f"M{x + QUIET_MODULES} {y + QUIET_MODULES}h{len(run)}v1h-{len(run)}z")
            x += len(run)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" width="{size}" height="{size}"'
        f' shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{size}v{size}h-{size}z"/>'
        f'<path d="{path.getvalue()}"/></svg>'
    )


def _runs(row: str) -> list[str]:
    """The row in stretches of one colour."""
    stretches: list[str] = []
    for module in row:
        if stretches and stretches[-1][0] == module:
            stretches[-1] += module
        else:
            stretches.append(module)
    return stretches
