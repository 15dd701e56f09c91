"""A citizen at the real portal, with a browser that runs no scripts."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from cryptography.fernet import Fernet

from portal.draft import COOKIE, Draft, load_key, path_of
from tests.support.system import OFFICER, System

FORM = path_of(OFFICER)
THANKS = f"{FORM}/cam-on"


@dataclass
class Citizen:
    """`answers` are all that the portal gave, redirects too."""

    system: System
    http: httpx.AsyncClient
    answers: list[httpx.Response] = field(default_factory=list)

    async def rates(self, phone: str, answer: str = "satisfied") -> None:
        """From the form to the thanks."""
        page = await self.get(FORM)
        page = await self.post(FORM, page, phone=phone, answer=answer, consent="yes")
        page = await self.post(f"{FORM}/ma-xac-thuc", page, code=self.digits())
        while page.url.path != THANKS:  # each look waits for the outcome
            page = await self.get(f"{FORM}/xu-ly")

    async def get(self, path: str) -> httpx.Response:
        return self._seen(await self.http.get(path))

    async def post(self, path: str, page: httpx.Response, **fields: str) -> httpx.Response:
        """The form on `page`."""
        found = re.search(r'name="token" value="([0-9a-f]+)"', page.text)
        assert found is not None, page.text
        return self._seen(await self.http.post(path, data={"token": found[1], **fields}))

    def draft(self) -> Draft:
        """What the portal keeps sealed in this browser, opened with the portal's own key."""
        key = Fernet(load_key(self.system.wiring.keys("portal")))
        return Draft.model_validate_json(key.decrypt(self.http.cookies[COOKIE].strip('"')))

    def digits(self) -> str:
        """What the picture shows."""
        challenge = self.draft().challenge
        assert challenge is not None
        return self.system.challenges.open(challenge.id).digits

    def _seen(self, answer: httpx.Response) -> httpx.Response:
        self.answers += [*answer.history, answer]
        return answer


@asynccontextmanager
async def a_citizen(system: System) -> AsyncIterator[Citizen]:
    async with httpx.AsyncClient(base_url=system.url("portal"), follow_redirects=True, timeout=60) as http:
        yield Citizen(system, http)
