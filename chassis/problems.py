"""Errors a caller can act on: RFC 9457 problem details, in Vietnamese or English."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

LANGUAGES = ("vi", "en")
MEDIA_TYPE = "application/problem+json"
FIELD_NAME = re.compile(r"[A-Za-z_-]{1,40}")
"""What we call fields. A caller may have called one by anything, and is not told it again."""


@dataclass(frozen=True, slots=True)
class Bilingual:
    """A text for the caller; `{name}` places are filled from the problem's values."""

    vi: str
    en: str

    def say(self, language: str, values: Mapping[str, Any]) -> str:
        return (self.en if language == "en" else self.vi).format(**values)


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field. `pointer` is a JSON pointer into the body, or a header's name."""

    pointer: str
    code: str
    detail: Bilingual
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of problem; `code` never changes once published."""

    code: str
    status: int
    title: Bilingual
    detail: Bilingual

    @property
    def uri(self) -> str:
        return f"urn:hailong:problem:{self.code}"


class Problem(Exception):
    """Raise to answer with problem details. `retry_after` is in seconds; `headers` are sent beside them."""

    def __init__(
        self,
        kind: ProblemType,
        *,
        errors: Sequence[FieldError] = (),
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> None:
        super().__init__(kind.code)
        self.kind = kind
        self.errors = tuple(errors)
        self.retry_after = retry_after
        self.headers = dict(headers or {})
        self.values = values


class FieldErrorBody(BaseModel):
    pointer: str
    code: str
    detail: str


class ProblemBody(BaseModel):
    """The document, for OpenAPI."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldErrorBody] | None = None
    retry_after: int | None = None


VALIDATION_FAILED = ProblemType(
    "validation_failed",
    422,
    Bilingual("Thông tin chưa hợp lệ", "Some information is not valid"),
    Bilingual("Vui lòng sửa các mục được nêu rồi gửi lại.", "Correct the fields named and send again."),
)
NOT_FOUND = ProblemType(
    "not_found",
    404,
    Bilingual("Không tìm thấy", "Not found"),
    Bilingual("Địa chỉ này không có. Vui lòng kiểm tra lại.", "There is nothing at this address. Check it."),
)
METHOD_NOT_ALLOWED = ProblemType(
    "method_not_allowed",
    405,
    Bilingual("Phương thức không được hỗ trợ", "Method not allowed"),
    Bilingual(
        "Xem tài liệu API để biết cách gọi.", "See the API documentation for how to call this address."
    ),
)
INTERNAL = ProblemType(
    "internal",
    500,
    Bilingual("Hệ thống gặp lỗi", "Something went wrong"),
    Bilingual(
        "Lỗi đã được ghi lại. Vui lòng thử lại sau ít phút.",
        "The error has been recorded. Please try again in a few minutes.",
    ),
)
REFUSED = ProblemType(
    "request_refused",
    400,
    Bilingual("Yêu cầu không được chấp nhận", "The request was refused"),
    Bilingual("Vui lòng kiểm tra lại yêu cầu.", "Check the request."),
)
TOO_LARGE = ProblemType(
    "too_large",
    413,
    Bilingual("Nội dung quá lớn", "Content too large"),
    Bilingual("Vui lòng gửi nội dung ngắn hơn.", "Send less in one request."),
)

_BY_STATUS = {404: NOT_FOUND, 405: METHOD_NOT_ALLOWED, 413: TOO_LARGE}
_MESSAGES: dict[str, Bilingual] = {
    "missing": Bilingual("Mục này bắt buộc.", "This field is required."),
    "extra_forbidden": Bilingual(
        "Mục này không có trong API; hãy bỏ đi.", "The API has no such field; remove it."
    ),
    "json_invalid": Bilingual("Nội dung không phải JSON hợp lệ.", "The body is not valid JSON."),
}
_OTHERWISE = Bilingual("Giá trị không hợp lệ.", "The value is not valid: {message}.")


def language_of(request: Request) -> str:
    """The caller's language by Accept-Language (RFC 9110, 12.5.4); Vietnamese where it asks for neither."""
    return language_in(request.headers.get("accept-language", ""))


def language_in(accepted: str) -> str:
    """The same, of the header's value."""
    best, best_quality = "vi", 0.0
    for part in accepted.lower().split(","):
        tag, _, parameters = part.strip().partition(";")
        quality = _quality(parameters)
        language = tag.strip().split("-")[0]
        if language in LANGUAGES and quality > best_quality:
            best, best_quality = language, quality
    return best


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def respond(request: Request, problem: Problem) -> Response:
    """The answer for a problem, in the caller's language."""
    return respond_in(language_of(request), problem)


def respond_in(language: str, problem: Problem) -> Response:
    """The answer for a problem, in one of LANGUAGES."""
    kind = problem.kind
    body: dict[str, Any] = {
        "type": kind.uri,
        "title": kind.title.say(language, problem.values),
        "status": kind.status,
        "detail": kind.detail.say(language, problem.values),
    }
    if problem.errors:
        body["errors"] = [
            {"pointer": e.pointer, "code": e.code, "detail": e.detail.say(language, e.values)}
            for e in problem.errors
        ]
    headers = {"Content-Language": language, "Vary": "Accept-Language", "Cache-Control": "no-store"}
    headers |= problem.headers
    if problem.retry_after is not None:
        body["retry_after"] = problem.retry_after
        headers["Retry-After"] = str(problem.retry_after)
    return JSONResponse(body, status_code=kind.status, headers=headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Answer every error of `app` with problem details."""

    async def on_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)  # noqa: S101 - registered for this class alone
        return respond(request, error)

    async def on_invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        return respond(request, Problem(VALIDATION_FAILED, errors=[field_error(e) for e in error.errors()]))

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        answer = respond(request, Problem(_BY_STATUS.get(error.status_code, REFUSED)))
        answer.headers.update(error.headers or {})  # Allow, with a 405 (RFC 9110, 15.5.6)
        return answer

    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)


def field_error(error: Mapping[str, Any]) -> FieldError:
    """What FastAPI found wrong with one field."""
    place, *path = error["loc"]
    path = [part if isinstance(part, int) or FIELD_NAME.fullmatch(part) else "…" for part in path]
    pointer = "/" + "/".join(map(str, path)) if place == "body" else str(path[-1] if path else place)
    if error["type"] == "json_invalid":
        pointer = "/"
    code = str(error["type"])
    return FieldError(pointer, code, _MESSAGES.get(code, _OTHERWISE), {"message": error["msg"].lower()})
