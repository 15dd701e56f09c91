"""The embedded stack's identity provider, and signing in with it as a browser would."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from chassis import key_files
from chassis.oidc import Provider
from chassis.readiness import Check
from deploy.local.identity_provider import AUDIENCE, CLIENT, IdentityProvider
from deploy.local.layout import Layout
from deploy.local.ports import HOST, free_ports
from portal import assets, node
from portal.oidc import Attempt, Client, SignedIn, SignIn

PORTAL = "http://127.0.0.1:1"  # nothing is there: the browser's way back is read, not followed


@dataclass
class Running:
    """`http` is the browser's."""

    process: IdentityProvider
    http: httpx.AsyncClient
    sign_in: SignIn
    provider: Provider

    @property
    def issuer(self) -> str:
        return f"http://{HOST}:{self.process.port}"

    @property
    def settings(self) -> dict[str, str]:
        """Aggregation's."""
        return {
            "AGGREGATION_OIDC_ISSUER": self.issuer,
            "AGGREGATION_OIDC_AUDIENCE": AUDIENCE,
            "AGGREGATION_OIDC_LOCAL": "true",
        }

    async def way_back(self, attempt: Attempt, person: str) -> dict[str, str]:
        """The query with which the browser comes back after somebody has said to be `person`."""
        self.http.cookies.clear()
        page = await self.http.get(await self.sign_in.begin(attempt), follow_redirects=True)
        chosen = await self.http.post(page.url, data={"person": person})
        resumed = await self.http.get(chosen.headers["location"])
        return dict(httpx.URL(resumed.headers["location"]).params)

    async def signed_in(self, person: str) -> SignedIn:
        attempt = Attempt(next="/noi-bo")
        return await self.sign_in.complete(attempt, await self.way_back(attempt, person))


@asynccontextmanager
async def an_identity_provider(folder: Path) -> AsyncIterator[Running]:
    await asyncio.to_thread(assets.build)
    layout = Layout(folder)
    key_files.create(layout.sign_in_secret)
    process = IdentityProvider(
        layout, node.program(), node.NODE_MODULES, port=free_ports(1)[0], portal=PORTAL
    )
    await process.start()
    try:
        async with httpx.AsyncClient(timeout=30) as http, httpx.AsyncClient() as ours:
            issuer = f"http://{HOST}:{process.port}"
            provider = Provider(issuer, ours, Check("identity_provider"), local=True)
            client = Client(
                CLIENT,
                f"{PORTAL}/dang-nhap/xong",
                f"{PORTAL}/dang-xuat",
                "openid profile figures",
                layout.sign_in_secret,
                AUDIENCE,
            )
            yield Running(process, http, SignIn(provider, ours, client), provider)
    finally:
        await process.process.stop()
