"""A small city: groups, units, officers, reasons; and how its APIs write errors."""

import hashlib
import json
import unicodedata
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

Json = dict[str, Any]
OFFICER = "so-thong-tin-va-truyen-thong.dinh-thi-minh-phuong"
SAMPLE = "so-thong-tin-va-truyen-thong.tran-van-mau"
PROOF = "cHJvb2Y="
RIGHT_CODE = "246813"
SMS_CODE = "123456"
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c02"
    "0000000b4944415478da6364f80f00010501012718e3660000000049454e44ae426082"
)
GROUPS = {
    "so-ban-nganh": {"vi": "Sở, Ban, Ngành", "en": "Departments, boards and sectors"},
    "quan-huyen": {"vi": "UBND các quận, huyện", "en": "People's Committees of districts"},
}
UNITS = {
    "van-phong-ubnd-thanh-pho": (
        "so-ban-nganh",
        "Văn phòng UBND thành phố",
        "Office of the City People's Committee",
    ),
    "so-thong-tin-va-truyen-thong": (
        "so-ban-nganh",
        "Sở Thông tin và Truyền thông",
        "Department of Information and Communications",
    ),
    "so-noi-vu": ("so-ban-nganh", "Sở Nội vụ", "Department of Home Affairs"),
    "so-nong-nghiep": (
        "so-ban-nganh",
        "Sở Nông nghiệp và Phát triển nông thôn",
        "Department of Agriculture and Rural Development",
    ),
    "so-lao-dong": (
        "so-ban-nganh",
        "Sở Lao động – Thương binh và Xã hội",
        "Department of Labour, Invalids and Social Affairs",
    ),
    "hai-chau": ("quan-huyen", "UBND quận Hải Châu", "People's Committee of Hai Chau District"),
}
TITLE = {
    "vi": "Công chức tiếp nhận và giải quyết hồ sơ",
    "en": "One-stop officer, receives and settles files",
}
OFFICERS = {
    OFFICER: ("Đinh Thị Minh Phương", False),
    SAMPLE: ("Trần Văn Mẫu", True),
    "so-thong-tin-va-truyen-thong.nguyen-thi-thuy-an": ("Nguyễn Thị Thùy Ân", True),
}
REASONS = {
    "thai-do": ("Thái độ phục vụ chưa đúng mực", "The manner of service was not proper"),
    "tre-hen": ("Trả kết quả trễ hẹn", "The result came later than promised"),
    "huong-dan": (
        "Hướng dẫn không rõ ràng, phải đi lại nhiều lần",
        "Guidance was unclear, several trips were needed",
    ),
    "ho-so": ("Yêu cầu thêm giấy tờ ngoài quy định", "Papers beyond the rules were asked for"),
    "khac": ("Lý do khác", "Another reason"),
}


def problem(status: int, code: str, errors: list[Json] | None = None) -> Response:
    body: Json = {"type": f"urn:hailong:problem:{code}", "title": code, "status": status, "detail": code}
    if errors:
        body["errors"] = errors
    headers = {"Retry-After": "1"} if status == 503 else {}
    return JSONResponse(body, status_code=status, headers=headers, media_type="application/problem+json")


def text(vi: str, en: str) -> Json:
    return {"vi": vi, "en": en}


def plain(value: str) -> str:
    folded = unicodedata.normalize("NFD", value.casefold().replace("đ", "d"))
    return "".join(c for c in folded if not unicodedata.combining(c))


def unit_of(unit_id: str) -> Json:
    return {"id": unit_id, "name": text(*UNITS[unit_id][1:])}


def group_of(group_id: str) -> Json:
    return {"id": group_id, "name": GROUPS[group_id]}


def officers_of(unit_id: str) -> list[Json]:
    return [
        {"id": i, "name": name, "title": TITLE, "sample": sample}
        for i, (name, sample) in OFFICERS.items()
        if i.startswith(unit_id + ".")
    ]


def with_etag(request: Request, body: Json) -> Response:
    etag = '"' + hashlib.sha256(json.dumps(body).encode()).hexdigest()[:16] + '"'
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"ETag": etag})
    return JSONResponse(body, headers={"ETag": etag, "Cache-Control": "public, max-age=10"})
