"""Real intake processes to attack, with keys, a directory and an edition of their own, on any Kafka."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from deploy.local.http_process import HttpProcess
from deploy.local.layout import CHECKOUT, Layout
from deploy.local.ports import HOST, free_ports
from deploy.local.process import run_to_end
from deploy.local.stack import python, sealing_key_in

STEP_SECONDS = 120.0
POST_SECONDS = 15.0
DIRECTORY_FILE = CHECKOUT / "data" / "directory-2017.yaml"
OFFICER = "so-thong-tin-va-truyen-thong.dinh-thi-minh-phuong"

Json = dict[str, Any]
Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Intake:
    """One process. `serving` knows its operations; `url` is its public address."""

    serving: HttpProcess
    url: str

    @property
    def operations_url(self) -> str:
        return self.serving.url

    async def start(self) -> None:
        """Returns once it is ready and has read what all replicas took in before."""
        await self.serving.start()
        async with httpx.AsyncClient(timeout=POST_SECONDS) as http, asyncio.timeout(STEP_SECONDS):
            while not (await http.get(f"{self.operations_url}/readyz")).json()["checks"]["limits"]["ok"]:
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        await self.serving.process.stop()

    async def restart(self) -> None:
        """At the same address."""
        await self.stop()
        await self.start()


class Intakes:
    """`set_up` once, then `start` as many as wanted; they share keys, and so are replicas of one another."""

    def __init__(self, folder: Path, kafka_bootstrap: str) -> None:
        self.layout = Layout(folder)
        self.edition = f"attacked-{secrets.token_hex(4)}"
        self.processes: list[Intake] = []
        self._settings = {
            "INTAKE_KAFKA_BOOTSTRAP": kafka_bootstrap,
            "INTAKE_KEYS_DIR": str(self.layout.keys / "intake"),
            "VERIFICATION_KEYS_DIR": str(self.layout.keys / "verification"),
        }

    async def set_up(self) -> None:
        keys = ("keys", "create", "--edition", self.edition)
        await self.run("services.intake", *keys)
        sealing_key = sealing_key_in(await self.run("services.verification", *keys))
        document = yaml.safe_load((CHECKOUT / "data" / "edition-2017.yaml").read_text(encoding="utf-8"))
        document["edition"]["id"] = self.edition
        edition = self.layout.root / "edition.yaml"
        edition.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
        files = (str(DIRECTORY_FILE), str(edition), "--sealing-key", sealing_key)
        await self.run("services.intake", "publish", *files)

    async def run(self, module: str, *arguments: str) -> str:
        """One of the services' commands, to its end; what it printed."""
        process = python(self.layout, f"{module}-{arguments[0]}", module, *arguments, settings=self._settings)
        return (await run_to_end(process, STEP_SECONDS)).strip()

    async def key_of(self, client: str, *channels: str) -> str:
        """Let a client in, and take its key."""
        options = [word for channel in channels for word in ("--channel", channel)]
        return (await self.run("services.intake", "clients", "add", client, *options)).splitlines()[-1]

    async def start(self, **settings: str) -> Intake:
        """One more process; `settings` are intake's, in small letters."""
        port, operations = free_ports(2)
        own = {f"INTAKE_{name.upper()}": value for name, value in settings.items()}
        ports = {"INTAKE_PORT": str(port), "INTAKE_OPERATIONS_PORT": str(operations)}
        environment = {**self._settings, "INTAKE_HOST": HOST, **ports, **own}
        name = f"intake-{len(self.processes)}"
        process = python(self.layout, name, "services.intake", "serve", settings=environment)
        intake = Intake(HttpProcess(process, operations), f"http://{HOST}:{port}")
        self.processes.append(intake)
        await intake.start()
        return intake

    def rating(self, **changes: Any) -> Json:
        """A body that can be taken in, of a citizen of its own. Intake reads no challenge."""
        return {
            "edition_id": self.edition,
            "officer_id": OFFICER,
            "answer": "satisfied",
            "phone": f"090{secrets.randbelow(10**7):07}",
            "consent": True,
            "challenge": {"id": "attack", "answer": "123456"},
        } | changes


async def post(
    http: httpx.AsyncClient, url: str, body: Json, headers: Iterable[tuple[str, str]] = (), key: str = ""
) -> httpx.Response:
    """`headers` are sent as they are, in this order, and as often as they are named."""
    said = [*headers, ("Idempotency-Key", key or secrets.token_urlsafe(24))]
    return await http.post(f"{url}/v1/ratings", json=body, headers=said)


@asynccontextmanager
async def caller_at(address: str) -> AsyncIterator[httpx.AsyncClient]:
    """Calls from an address of this machine's loopback network, of which each /24 is a block of its own."""
    transport = httpx.AsyncHTTPTransport(local_address=address)
    async with httpx.AsyncClient(transport=transport, timeout=POST_SECONDS) as http:
        yield http


@asynccontextmanager
async def intakes(folder: Path, kafka_bootstrap: str) -> AsyncIterator[Intakes]:
    made = Intakes(folder, kafka_bootstrap)
    try:
        await made.set_up()
        yield made
    finally:
        await asyncio.gather(*(each.stop() for each in made.processes))


def bearer(key: str) -> tuple[str, str]:
    return ("Authorization", f"Bearer {key}")
