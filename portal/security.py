"""What every page tells the browser not to do, and which posts are refused."""

from urllib.parse import urlsplit

from fastapi import Request
from starlette import datastructures
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.headers import HTTPS_ONLY, Headers
from chassis.overload import SAFE
from portal.errors import page


def content_security_policy(live_url: str) -> str:
    """Nothing from elsewhere and nothing inline; the dashboards' stream is the one other origin."""
    parts = urlsplit(live_url)
    return "; ".join(
        (
            "default-src 'none'",
            "object-src 'none'",
            "style-src 'self'",
            "script-src 'self'",
            "font-src 'self'",
            "img-src 'self' data:",  # the component set draws its icons from data addresses
            "media-src 'self'",
            f"connect-src 'self' {parts.scheme}://{parts.netloc}",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            # No script of ours makes markup out of text, and none may begin to; one starts a worker of ours.
            "require-trusted-types-for 'script'",
            "trusted-types own-worker",
        )
    )


def headers(live_url: str, *, https: bool) -> Headers:
    """Of every answer that says nothing else: what is not said to be for keeping is kept nowhere."""
    return {
        "Content-Security-Policy": content_security_policy(live_url),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        # With no-referrer, browsers would send our own forms with `Origin: null`.
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
        **(HTTPS_ONLY if https else {}),
    }


class Guard:
    """Refuses posts that another site's page started. What is left, a form's token must prove."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        writes = scope["type"] == "http" and scope["method"] not in SAFE
        if writes and _from_elsewhere(datastructures.Headers(scope=scope)):
            await page(Request(scope), 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _from_elsewhere(headers: datastructures.Headers) -> bool:
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host", "")
