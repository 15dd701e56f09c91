"""Pages of other sites that may call an API from browsers: those of named origins, no others."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator
from pydantic_settings import NoDecode
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

REMEMBERED_SECONDS = 600
SENT = ("Accept-Language", "Content-Type", "Idempotency-Key")
TOLD = ("Content-Language", "Location", "Retry-After")


def _listed(said: object) -> object:
    return tuple(_origin(each) for each in said.replace(",", " ").split()) if isinstance(said, str) else said


def _origin(text: str) -> str:
    """As browsers write it. Raises ValueError for `*` and all else that is none."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or f"{parts.scheme}://{parts.netloc}" != text or "*" in text:
        raise ValueError(f"{text} is no origin; write each as in https://portal.example, without a path or *")
    return text.lower()


Origins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
"""For settings: origins with commas between them."""


def answering(app: ASGIApp, origins: Origins) -> CORSMiddleware:
    """`app`, whose answers pages of these origins may read. Their readers' cookies never count."""
    return CORSMiddleware(
        app,
        allow_origins=list(origins),
        allow_methods=["GET", "POST"],
        allow_headers=list(SENT),
        expose_headers=list(TOLD),
        max_age=REMEMBERED_SECONDS,
    )
