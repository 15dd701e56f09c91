"""Debian's Chromium, and what a person's browser saw of the site."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from playwright.async_api import Browser, BrowserContext, Page, Request, async_playwright, expect

from portal.draft import COOKIE, Draft, load_key
from tests.support.system import System

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",  # tests may run as root, where Chromium's sandbox does not
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 15_000.0

expect.set_options(timeout=PATIENCE_MS)


class NoBrowser(Exception):
    """No Chromium on this machine; the text says what to do."""


def program() -> str:
    """The path of Chromium: CHROMIUM's, or what this machine has. Raises NoBrowser."""
    named = os.environ.get("CHROMIUM")
    for name in (named,) if named else PROGRAMS:
        found = shutil.which(name)
        if found:
            return found
    raise NoBrowser(
        f"CHROMIUM={named} is no program: name another, or apt-get install chromium."
        if named
        else "No browser here: apt-get install chromium, name one in CHROMIUM, or leave it out: BROWSER=0."
    )


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    path = program()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Visitor:
    """One person with a browser of their own, and all that went wrong in it.

    `asked` are the hosts that any request went to. `forgiven` are parts of console messages that a test
    brings about on purpose.
    """

    context: BrowserContext
    system: System
    said: list[str] = field(default_factory=list)
    strayed: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    forgiven: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.context.on("request", self._requested)
        self.context.on("console", lambda m: self.said.append(m.text) if m.type == "error" else None)
        self.context.on("weberror", lambda e: self.said.append(str(e.error)))

    def _requested(self, request: Request) -> None:
        parts = urlsplit(request.url)
        self.asked.add(parts.netloc)
        own = {urlsplit(self.system.url(part)).netloc for part in ("portal", "aggregation")}
        if parts.scheme != "data" and parts.netloc not in own:
            self.strayed.append(request.url)

    async def open(self, path: str, page: Page | None = None) -> Page:
        """Go to a page of the portal, in a new window where none is given."""
        page = page or await self.context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        await page.goto(self.system.url("portal") + path)
        return page

    async def draft(self, page: Page) -> Draft:
        """What the portal keeps sealed in the browser of `page`, opened with the portal's own key."""
        key = load_key(self.system.wiring.keys("portal"))
        [sealed] = [c["value"] for c in await self.context.cookies(page.url) if c["name"] == COOKIE]
        return Draft.model_validate_json(Fernet(key).decrypt(sealed.strip('"')))

    async def digits(self, page: Page) -> str:
        """What the picture on `page` shows."""
        challenge = (await self.draft(page)).challenge
        assert challenge is not None
        return self.system.challenges.open(challenge.id).digits

    def check(self) -> None:
        """No error in the console (a violation of the content policy is one), no request elsewhere."""
        unforgiven = [text for text in self.said if not any(part in text for part in self.forgiven)]
        assert unforgiven == []
        assert self.strayed == []


@asynccontextmanager
async def a_visitor(browser: Browser, system: System, **options: Any) -> AsyncIterator[Visitor]:
    """Someone with a small phone; checked when they leave. `options` are the browser context's."""
    settings = {"viewport": {"width": 360, "height": 740}, "locale": "vi-VN", **options}
    visitor = Visitor(await browser.new_context(**settings), system)
    visitor.watch()
    try:
        yield visitor
        visitor.check()
    finally:
        await visitor.context.close()
