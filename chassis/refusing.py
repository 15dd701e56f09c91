"""Refusing as soon as a request's head is read, for a tenth of what it costs in the application.

Under overload the event loop has far more requests to refuse than to answer. Were each refused by the
application, with a task of its own, those that were let in would hardly get their turn. What is no HTTP, or
has a head that is too large, never gets to the application at all.
"""

import random
from functools import cache
from http import HTTPStatus
from typing import cast

from fastapi import Response
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from chassis.headers import Headers
from chassis.overload import PLACE, RETRY_SECONDS, Door, Full, refusal_after, wants_page
from chassis.problems import REFUSED, Bilingual, Problem, ProblemType, language_in, respond_in

Defaults = tuple[tuple[str, str], ...]

HEAD_BYTES = 16 * 1024
"""Of the address and the headers; llhttp itself would take any number."""
HEAD_TOO_LARGE = ProblemType(
    "head_too_large",
    431,
    Bilingual("Phần đầu của yêu cầu quá lớn", "Request header fields too large"),
    Bilingual("Vui lòng xóa cookie của trang này rồi thử lại.", "Delete this site's cookies and try again."),
)


class RefusingProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, behind a door. Use `behind`."""

    door: Door | None
    defaults: Defaults
    _refused = False
    _head: int | None = None  # bytes of it, while it is read

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head is not None and not self.transport.is_closing():
            self._head += len(data)
            if self._head > HEAD_BYTES:
                self._end_with(HEAD_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head = 0

    def send_400_response(self, msg: str) -> None:
        del msg
        self._end_with(REFUSED)

    def on_headers_complete(self) -> None:
        self._head = None
        if self.transport.is_closing():  # what came along with something that was refused
            self._refused = True
            return
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > HEAD_BYTES:
            self._refused = True
            self._end_with(HEAD_TOO_LARGE)
            return
        if self.door is None:
            super().on_headers_complete()
            return
        # What is queued behind another request on its connection, and what may have no body in its answer,
        # the application refuses.
        queued = self.cycle is not None and not self.cycle.response_complete
        method = self.parser.get_method().decode("ascii")
        if queued or method == "HEAD" or self.parser.should_upgrade():
            super().on_headers_complete()
            return
        path = self.url.partition(b"?")[0].decode("latin-1")
        try:
            place = self.door.enter(method, path)
        except Full:
            self._refuse()
            return
        super().on_headers_complete()
        cast(dict[str, object], self.scope)[PLACE] = place

    def on_body(self, body: bytes) -> None:
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if not self._refused:
            super().on_message_complete()
        self._refused = False

    def _refuse(self) -> None:
        """Answer; what follows of the request is read and dropped."""
        self._refused = True
        # Who waits to be told to go on will not send the body, and nobody could tell where it would end.
        close = self.expect_100_continue or not self.parser.should_keep_alive()
        language, page = language_in(self._header(b"accept-language")), wants_page(self._header(b"accept"))
        self.transport.write(
            _overloaded(self.defaults, language, random.randint(*RETRY_SECONDS), page, close)
        )
        if close:
            self.transport.close()
        else:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _end_with(self, kind: ProblemType) -> None:
        """Answer, and hear no more from this connection."""
        self.transport.write(_written(respond_in("vi", Problem(kind)), self.defaults, close=True))
        self.transport.close()

    def _header(self, wanted: bytes) -> str:
        return next((value for name, value in self.headers if name == wanted), b"").decode("latin-1")


def behind(door: Door | None, defaults: Headers) -> type[RefusingProtocol]:
    """The protocol of one listener: `door` None lets all in, `defaults` are the headers of every answer."""

    class Protocol(RefusingProtocol):
        pass

    Protocol.door, Protocol.defaults = door, tuple(defaults.items())
    return Protocol


@cache
def _overloaded(defaults: Defaults, language: str, seconds: int, page: bool, close: bool) -> bytes:
    """All of it: few differ, and each is sent often."""
    response = refusal_after(language, seconds, page=page)
    # The figures and the directory may be read by any page; a refusal holds nothing that may not.
    response.headers["Access-Control-Allow-Origin"] = "*"
    return _written(response, defaults, close=close)


def _written(response: Response, defaults: Defaults, *, close: bool) -> bytes:
    for name, value in defaults:
        response.headers.setdefault(name, value)
    headers = [*response.raw_headers, (b"connection", b"close" if close else b"keep-alive")]
    status = HTTPStatus(response.status_code)
    lines = (name + b": " + value for name, value in headers)
    return b"\r\n".join((f"HTTP/1.1 {status} {status.phrase}".encode(), *lines, b"", b"")) + bytes(
        response.body
    )
