"""Refusing as soon as a request's head is read, for a tenth of what it costs in the application.

Under overload the event loop has far more requests to refuse than to answer. Were each refused by the
application, with a task of its own, those that were let in would hardly get their turn.
"""

import random
from functools import cache
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from chassis.overload import PLACE, RETRY_SECONDS, Door, Full, refusal_after, wants_page
from chassis.problems import language_in


class RefusingProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, behind a door. Use `behind`."""

    door: Door
    _refused = False

    def on_headers_complete(self) -> None:
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
        self.transport.write(_answer(language, random.randint(*RETRY_SECONDS), page, close))
        if close:
            self.transport.close()
        else:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _header(self, wanted: bytes) -> str:
        return next((value for name, value in self.headers if name == wanted), b"").decode("latin-1")


def behind(door: Door) -> type[RefusingProtocol]:
    """The protocol of one process."""

    class Protocol(RefusingProtocol):
        pass

    Protocol.door = door
    return Protocol


@cache
def _answer(language: str, seconds: int, page: bool, close: bool) -> bytes:
    """All of it: few differ, and each is sent often."""
    response = refusal_after(language, seconds, page=page)
    headers = [*response.raw_headers, (b"connection", b"close" if close else b"keep-alive")]
    # The figures and the directory may be read by any page; a refusal holds nothing that may not.
    headers.append((b"access-control-allow-origin", b"*"))
    lines = (name + b": " + value for name, value in headers)
    return b"\r\n".join((b"HTTP/1.1 503 Service Unavailable", *lines, b"", b"")) + bytes(response.body)
