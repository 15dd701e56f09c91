"""Who is at the other end of a page: what intake is told, so that one citizen's limit is not another's.

The visit is a random name in a cookie, kept for as long as a draft. It says nothing of the person, and intake
keeps only a digest of it that means nothing the next day; the same with the address.
"""

import re
import secrets
from dataclasses import dataclass

COOKIE = "hl_visit"  # as `portal.cookies` names it
PATH = "/danh-gia"
_NAME = re.compile(r"[A-Za-z0-9_-]{22}")


@dataclass(frozen=True, slots=True)
class Visitor:
    """`address` as Proxies found it; empty where it is not known. `visit`: empty for who is not rating.
    `device_key`: of the screen at a desk, which posts in its own name."""

    visit: str
    address: str
    device_key: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        said = {"X-Forwarded-For": self.address} if self.address else {}
        return said | ({"Hailong-Session": self.visit} if self.visit else {})


def new_visit() -> str:
    return secrets.token_urlsafe(16)


def visit_of(brought: str) -> str:
    """The visit that a browser brings in its cookie, else a new one."""
    return brought if _NAME.fullmatch(brought) else new_visit()
