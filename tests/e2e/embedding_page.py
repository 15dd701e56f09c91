"""A city portal's page with the element in it, as docs/embedding.md has it, under a strict content policy."""

import asyncio
import importlib.util
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import ModuleType
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route

from deploy.local.layout import CHECKOUT
from tests.support.system import System

GUIDE = CHECKOUT / "docs" / "embedding.md"
BACKEND = CHECKOUT / "docs" / "embedding" / "backend.py"
LISTENING = """<script type="module" src="/listening.js"></script>"""
LISTENS = """
window.told = [];
for (const name of ["hai-long:kept", "hai-long:outcome"])
  document.addEventListener(name, (event) => window.told.push([name, event.detail]));
"""


def snippets(language: str) -> list[str]:
    """The guide's, in its order."""
    return re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(), re.DOTALL)


def page_of(system: System, query: str) -> str:
    """The guide's page with this system's addresses. `query` says in which language, and through what."""
    [snippet] = [each for each in snippets("html") if "<script" in each]
    through_backend = "backend" in query
    for part, name in (("intake", "intake."), ("verification", "verification."), ("portal", "")):
        mine = "/hai-long" if through_backend and part != "portal" else system.url(part)
        snippet = snippet.replace(f"https://{name}hailong.example", mine)
    language = "en" if "en" in query else "vi"
    title = "<title>Cổng dịch vụ công</title><link rel=icon href=data:,>"
    body = f"<main><h1>Cổng dịch vụ công</h1>{snippet}</main>{LISTENING}"
    return f"<!doctype html><html lang={language}><head>{title}</head><body>{body}</body></html>"


def policy(system: System, query: str) -> str:
    """As the guide says: nothing inline, nothing from elsewhere but the element, its media and its APIs."""
    apis = "'self'" if "backend" in query else f"{system.url('intake')} {system.url('verification')}"
    media = "'self'" if "backend" in query else system.url("verification")
    return (
        f"default-src 'none'; script-src 'self' {system.url('portal')}; connect-src {apis};"
        f" img-src data: {media}; media-src {media}; base-uri 'none'; require-trusted-types-for 'script';"
        " trusted-types 'none'"
    )


def _backend(system: System) -> ModuleType:
    os.environ["INTAKE"], os.environ["VERIFICATION"] = system.url("intake"), system.url("verification")
    os.environ["HAI_LONG_KEY_FILE"] = str(system.layout.portal_key)
    spec = importlib.util.spec_from_file_location("backend", BACKEND)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@asynccontextmanager
async def a_portal(system: System, origin: str) -> AsyncIterator[str]:
    """Serves at `origin`."""

    async def page(request: Request) -> Response:
        query = request.url.query
        return HTMLResponse(
            page_of(system, query), headers={"Content-Security-Policy": policy(system, query)}
        )

    async def script(_: Request) -> Response:
        return Response(LISTENS, media_type="text/javascript")

    routes = [Route("/", page), Route("/listening.js", script), Mount("/hai-long", _backend(system).app)]
    config = uvicorn.Config(
        Starlette(routes=routes), host="localhost", port=urlsplit(origin).port or 0, log_level="warning"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:
            await asyncio.sleep(0.02)
    try:
        yield origin
    finally:
        server.should_exit = True
        await serving
