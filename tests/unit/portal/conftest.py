"""A portal over the fake city, and a citizen who walks through it."""

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from portal.bootstrap import build
from portal.draft import path_of
from portal.settings import Settings
from tests.unit.portal import fake_city
from tests.unit.portal.fake_data import OFFICER, RIGHT_CODE
from tests.unit.portal.fake_state import FakeCity

PHONE = "0905 123 456"
FORM = path_of(OFFICER)
ASSETS = (
    *("site.css", "mark.svg"),
    *("walk.js", "work.js", "solve.js", "live.js", "history.js", "wall.js", "kiosk.js", "kiosk-offline.js"),
    "kiosk-worker.js",
)
FONTS = ("latin-400", "vietnamese-400", "latin-600", "vietnamese-600")

OpenPortal = Callable[..., AbstractAsyncContextManager["Citizen"]]


class Citizen:
    """A browser without JavaScript: keeps cookies, follows redirects, posts the form of the page it is on."""

    def __init__(
        self, client: httpx.AsyncClient, operations: httpx.AsyncClient, city: FakeCity, keys: Path
    ) -> None:
        self.keys = keys
        self.client = client
        self.operations = operations
        self.city = city
        self.urls: list[str] = []
        self.page = ""

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return self._landed(await self.client.get(path, headers=headers, follow_redirects=True))

    async def post(self, path: str, follow: bool = True, **fields: Any) -> httpx.Response:
        found = re.search(r'name="token" value="([0-9a-f]+)"', self.page)
        data = {"token": found.group(1) if found else "", **fields}
        return self._landed(await self.client.post(path, data=data, follow_redirects=follow))

    def _landed(self, response: httpx.Response) -> httpx.Response:
        self.urls += [str(r.url) for r in (*response.history, response)]
        if "text/html" in response.headers.get("content-type", "") and not response.has_redirect_location:
            self.page = unescape(response.text)
        return response

    @property
    def page_of_anyone(self) -> str:
        """Without the receipt, which is each rating's own, and the moment until when it is good."""
        bare = re.sub(r"[0-9A-F]{4}(?:-[0-9A-F]{4}){5}", "RECEIPT", self.page)
        return re.sub(r"đến \d\d:\d\d ngày", "đến GIỜ ngày", bare)

    async def fill_form(self, answer: str = "satisfied", phone: str = PHONE) -> httpx.Response:
        await self.get(FORM)
        return await self.post(FORM, phone=phone, answer=answer, consent="yes")

    async def send_code(self, code: str = RIGHT_CODE) -> httpx.Response:
        return await self.post(f"{FORM}/ma-xac-thuc", code=code)


@pytest.fixture
def city() -> FakeCity:
    return FakeCity()


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    folder.mkdir()
    names = {name: f"made-{name}" for name in (*ASSETS, *(f"be-vietnam-pro-{f}-normal.woff2" for f in FONTS))}
    (folder / "manifest.json").write_text(json.dumps(names))
    for made in names.values():
        (folder / made).write_bytes(b"plain")
        (folder / f"{made}.gz").write_bytes(b"gzipped")
    return folder


@pytest.fixture
def open_portal(city: FakeCity, assets: Path, tmp_path: Path) -> OpenPortal:
    """Opens a portal; `network` replaces the way to all three APIs, `provider` that to the identity provider;
    other options are settings."""

    @asynccontextmanager
    async def opened(
        *,
        network: httpx.AsyncBaseTransport | None = None,
        provider: httpx.AsyncBaseTransport | None = None,
        **options: Any,
    ) -> AsyncIterator[Citizen]:
        settings = Settings(
            **{
                "keys_dir": tmp_path / "keys",
                "assets_dir": assets,
                "secure_cookies": False,
                "outcome_wait": 0.2,
                **options,
            }
        )
        fake = network or httpx.ASGITransport(app=fake_city.build(city))
        transports = dict.fromkeys(("intake", "verification", "aggregation"), fake)
        transports |= {"identity_provider": provider} if provider else {}
        app = build(settings, transports=transports)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app=app, raise_app_exceptions=False),
                base_url="http://portal.test",
            ) as client,
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app=app.state.operations), base_url="http://operations.test"
            ) as operations,
        ):
            yield Citizen(client, operations, city, tmp_path / "keys")

    return opened


@pytest.fixture
async def citizen(open_portal: OpenPortal) -> AsyncIterator[Citizen]:
    async with open_portal() as walking:
        yield walking
