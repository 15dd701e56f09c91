"""A local sign-in for the embedded stack: a real OpenID Connect provider in a process of its own.

Whoever reaches it may be anybody, so it listens on the loopback interface alone, and services take such an
issuer only where a setting of theirs says so.
"""

import asyncio
import json
import os
from pathlib import Path

from deploy.local.http_process import get
from deploy.local.layout import Layout
from deploy.local.process import Process, until_ready

SCRIPT = Path(__file__).with_suffix(".mjs")
CLIENT = "hai-long-portal"
AUDIENCE = "urn:hailong:aggregation"
PEOPLE = {
    "survey-office": {"name": "Phòng khảo sát", "departments": ["*"], "roles": ["survey-office"]},
    "auditor": {"name": "Kiểm toán viên", "departments": ["*"], "roles": ["auditor"]},
    "head-of-unit": {
        "name": "Lãnh đạo Sở Thông tin và Truyền thông",
        "departments": ["so-thong-tin-va-truyen-thong"],
        "roles": ["department"],
    },
    "head-of-group": {
        "name": "Phụ trách các sở, ban, ngành",
        "departments": ["so-ban-nganh"],
        "roles": ["department"],
    },
    "nobody": {"name": "Nhân viên chưa được phân quyền", "departments": [], "roles": []},
}
READY_DEADLINE = 60.0


class IdentityProvider:
    """`portal` is where browsers reach the portal, whose client it knows; `node` runs it."""

    def __init__(self, layout: Layout, node: Path, modules: Path, *, port: int, portal: str) -> None:
        self.port = port
        settings = {
            "PORT": str(port),
            "PORTAL": portal,
            "AUDIENCE": AUDIENCE,
            "CLIENT": CLIENT,
            "SECRET_FILE": str(layout.sign_in_secret),
            "PEOPLE": json.dumps(PEOPLE),
        }
        named = {f"IDENTITY_PROVIDER_{name}": value for name, value in settings.items()}
        command = (str(node), str(SCRIPT), str(modules))
        self.process = Process(
            "identity-provider", command, layout.logs / "identity-provider.log", {**os.environ, **named}
        )

    async def start(self) -> float:
        """Return the seconds until it was ready. Raises StackError."""
        await self.process.start()
        return await until_ready(self.process, self._probe, READY_DEADLINE)

    async def _probe(self) -> str:
        try:
            status, _ = await get(self.port, "/.well-known/openid-configuration")
        except (OSError, ValueError, asyncio.IncompleteReadError) as error:
            return str(error) or type(error).__name__
        return "" if status == 200 else f"discovery answers {status}"
