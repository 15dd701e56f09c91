"""Request ids: what the log lines of one request have in common, in every process that it comes through."""

import re
from uuid import uuid4

import structlog
from starlette.types import Scope

HEADER = "X-Request-Id"
_ID = re.compile(rb"[0-9a-f-]{16,64}")
_LIKE_A_NUMBER = re.compile(rb"[0-9]{9}")


def given(scope: Scope) -> str | None:
    """The caller's own, where it is one that cannot spell a phone number: it will be logged."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _harmless(value):
            return str(value.decode())
    return None


def new() -> str:
    """One that every other process takes over."""
    while not _harmless((made := str(uuid4())).encode()):
        pass
    return made


def current() -> str | None:
    """That of the request being answered, to hand on; None outside of one."""
    found: str | None = structlog.contextvars.get_contextvars().get("request_id")
    return found


def _harmless(value: bytes) -> bool:
    """Hexadecimal as UUIDs and trace ids are, and never nine digits in a row, not even across hyphens."""
    return _ID.fullmatch(value) is not None and not _LIKE_A_NUMBER.search(value.replace(b"-", b""))
