"""Whether what a program calls over HTTP is there."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx

from chassis.checking.findings import Finding, Probe

SECONDS = 5.0
TITLE_WITHIN = 200
"""Characters: an OpenAPI document of ours begins with it."""


def api(what: str, url: str, setting: str, *, title: str) -> Probe:
    """One of ours: it says itself whether it is ready, and by `title` which one it is."""

    async def find() -> AsyncIterator[Finding]:
        at = url.rstrip("/")
        try:
            async with httpx.AsyncClient(timeout=SECONDS) as http:
                status = (await http.get(f"{at}/readyz")).status_code
                described = await http.get(f"{at}/openapi.json")
        except httpx.HTTPError as error:
            text = f"{at} does not answer ({type(error).__name__}): start it, or mend {setting}"
            yield Finding(what, False, text)
            return
        if title not in described.text[:TITLE_WITHIN]:
            yield Finding(what, False, f"{at} is not {what}: mend {setting}")
        elif status == 200:
            yield Finding(what, True, f"{at} is ready")
        else:
            text = f"{at} is not ready (status {status}): its operations' /readyz names what it waits for"
            yield Finding(what, False, text)

    return Probe(what, find, setting)


def connection(what: str, url: str, setting: str) -> Probe:
    """For an address at which a request would do something: that it takes connections has to be enough."""

    async def find() -> AsyncIterator[Finding]:
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        at = f"{parts.hostname}:{port}"
        try:
            async with asyncio.timeout(SECONDS):
                _, writer = await asyncio.open_connection(parts.hostname, port, ssl=secure or None)
            writer.close()
        except (OSError, TimeoutError) as error:
            yield Finding(what, False, f"{at} takes no connection ({type(error).__name__}); see {setting}")
            return
        yield Finding(what, True, f"{at} takes connections; nothing was sent")

    return Probe(what, find, setting)
