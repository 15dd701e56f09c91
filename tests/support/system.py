"""The whole system as its operators run it: every process of its own, on servers of the test run."""

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
import yaml

from chassis import key_files
from deploy.local.environment import Wiring
from deploy.local.http_process import HttpProcess
from deploy.local.layout import CHECKOUT, Layout
from deploy.local.ports import HTTP_OFFSETS, Ports, free_ports
from deploy.local.process import run_to_end
from deploy.local.stack import COMMANDS, identity_provider, portal_client, python
from portal import assets
from services.verification.adapters.key_files import CHALLENGE_KEY, read_key
from services.verification.challenges import Challenges
from tests.support.stack import own_database

STEP_SECONDS = 120.0
OUTCOME_SECONDS = 60.0
OFFICER = "so-thong-tin-va-truyen-thong.dinh-thi-minh-phuong"
UNIT = "so-thong-tin-va-truyen-thong"
AT_ONCE = {"officer_batch": 1, "officer_hour": 0, "suppress_below": 1}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Submitted:
    """What was sent, under which key, and what intake answered."""

    body: Json
    key: str
    answer: httpx.Response

    @property
    def rating_id(self) -> str:
        return str(self.answer.json()["rating_id"])


class System:
    """All services and the portal, and a client of their public APIs that knows every challenge's digits."""

    def __init__(
        self,
        folder: Path,
        kafka_bootstrap: str,
        database_urls: dict[str, str],
        *,
        more: Mapping[str, Mapping[str, str]] | None = None,
        sign_in: bool = False,
    ) -> None:
        """`more`: further settings of a process or a command, by the name of its log. `sign_in`: with the
        local identity provider."""
        self.more = dict(more or {})
        self.layout = Layout(folder)
        ports = Ports(dict(zip(HTTP_OFFSETS, free_ports(len(HTTP_OFFSETS)), strict=True)), {})
        self.wiring = Wiring(self.layout, ports, kafka_bootstrap, database_urls, sign_in=sign_in)
        self.identity_provider = identity_provider(self.wiring) if sign_in else None
        self.kafka_bootstrap = kafka_bootstrap
        self.database_urls = database_urls
        self.parts = {name: self._part(name) for name in COMMANDS}
        self.http = httpx.AsyncClient(timeout=35)
        self.posted_phones: list[str] = []

    def _part(self, name: str) -> HttpProcess:
        module, command = COMMANDS[name]
        process = python(self.layout, name, module, command, settings=self._settings(name))
        return HttpProcess(process, self.wiring.operations_port(name))

    def _settings(self, part: str) -> dict[str, str]:
        settings = {
            "intake": self.wiring.intake,
            "verification": self.wiring.verification,
            "aggregation": self.wiring.aggregation,
            "portal": self.wiring.portal,
        }
        # Tests send one phone several messages, and need not wait between them.
        # Browsers that share two cores would compute for longer than a phone does.
        quick = {"VERIFICATION_SMS_PAUSES": "[]", "VERIFICATION_PROOF_OF_WORK_MAXNUMBER": "20000"}
        return {**settings[part.partition("-")[0]](), **quick, **self.more.get(part, {})}

    def url(self, part: str) -> str:
        return self.wiring.http_url(part)

    def operations_url(self, process: str) -> str:
        return self.wiring.http_url(f"{process}-operations")

    def urls(self) -> dict[str, str]:
        """Every listener's, public ones and operations, as `make urls` names them."""
        return {part: self.url(part) for part in HTTP_OFFSETS if part != "identity-provider"}

    async def __aenter__(self) -> Self:
        try:
            await self._bring_up()
        except BaseException as error:
            error.add_note(self.last_lines())
            await self.__aexit__()
            raise
        return self

    async def _bring_up(self) -> None:
        await asyncio.to_thread(assets.build)
        if self.identity_provider is not None:
            key_files.create(self.layout.sign_in_secret)
            await self.identity_provider.start()
        await self._start_services()
        await self.parts["portal"].start()

    async def _start_services(self) -> None:
        for name in ("verification", "aggregation"):
            await self.run(name, f"services.{name}", "migrate")
        await self.publish("2017")
        await self.run("intake", "services.intake", *portal_client(self.layout))
        await asyncio.gather(*(part.start() for name, part in self.parts.items() if name != "portal"))
        self.use_newest_challenge_key()

    def use_newest_challenge_key(self) -> None:
        self.challenges = Challenges(read_key(self.wiring.keys("verification") / CHALLENGE_KEY))

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()
        provider = [] if self.identity_provider is None else [self.identity_provider.process]
        processes = [*provider, *(part.process for part in self.parts.values())]
        await asyncio.gather(*(process.stop() for process in processes))

    def last_lines(self) -> str:
        """The end of every log, for whoever reads of a failure."""
        ends = {
            path.name: path.read_text(errors="replace") for path in sorted(self.layout.logs.glob("*.log"))
        }
        return "\n".join(f"--- {name}\n{text[-2000:]}" for name, text in ends.items() if text)

    async def kill(self, name: str) -> None:
        """SIGKILL. Its log stays beside that of its next life."""
        await self.parts[name].process.kill()
        self._keep_log(name)

    async def terminate(self, name: str) -> None:
        """SIGTERM. Raises AssertionError where it had to be killed or failed."""
        process = self.parts[name].process
        assert await process.stop(), f"{name} did not stop in time"
        assert await process.wait() == 0
        self._keep_log(name)

    async def start(self, name: str) -> None:
        """At the same address; returns once it is ready."""
        await self.parts[name].start()

    async def restart(self, name: str, *, kill: bool) -> None:
        await (self.kill(name) if kill else self.terminate(name))
        await self.start(name)

    def _keep_log(self, name: str) -> None:
        log = self.parts[name].process.log
        log.rename(log.with_name(f"{name}-{secrets.token_hex(4)}.log"))

    async def publish(self, edition: str, *, alone: bool = True, **policy: Any) -> None:
        """Publish the survey of 2017 under another id and with another policy. `alone` ends all others;
        else they stay open beside it, and the highest id is the one that intake shows. Unless the policy says
        otherwise, every rating is public at once.
        """
        keys = ("keys", "create", "--edition", edition)
        await self.run("intake", "services.intake", *keys)
        sealing_key = await self.run("verification", "services.verification", *keys)
        document = yaml.safe_load((CHECKOUT / "data" / "edition-2017.yaml").read_text())
        document["edition"] |= {"id": edition}
        document["edition"]["policy"] |= {"publication": AT_ONCE} | policy
        file = self.layout.root / f"edition-{edition}.yaml"
        file.write_text(yaml.safe_dump(document, allow_unicode=True))
        files = [str(CHECKOUT / "data" / "directory-2017.yaml"), str(file), *["--prune"] * alone]
        await self.run("intake", "services.intake", "publish", *files, "--sealing-key", sealing_key)
        if self.parts["intake"].process.running:
            await self._until_intake_serves(edition)

    async def _until_intake_serves(self, edition: str) -> None:
        async with asyncio.timeout(STEP_SECONDS):
            while (await self.edition())["id"] != edition:
                await asyncio.sleep(0.05)

    async def run(self, service: str, module: str, *arguments: str) -> str:
        """One of a service's commands, to its end; what it printed."""
        name = f"{service}-{arguments[0]}"
        process = python(self.layout, name, module, *arguments, settings=self._settings(name))
        return (await run_to_end(process, STEP_SECONDS)).strip()

    # --- as a client -----------------------------------------------------------------------------------

    async def edition(self) -> Json:
        return dict((await self.http.get(f"{self.url('intake')}/v1/edition")).json())

    async def challenge(self, edition: str = "2017") -> tuple[str, str]:
        """A new challenge's id, and its digits."""
        answer = await self.http.post(
            f"{self.url('verification')}/v1/challenges", json={"edition_id": edition}
        )
        assert answer.status_code == 201, answer.text
        challenge_id = str(answer.json()["id"])
        return challenge_id, self.challenges.open(challenge_id).digits

    async def submit(
        self, *, key: str = "", headers: dict[str, str] | None = None, **changes: Any
    ) -> Submitted:
        """Post a rating that counts, but for `changes`; without a challenge of its own it gets one."""
        body: Json = {
            "edition_id": "2017",
            "officer_id": OFFICER,
            "answer": "satisfied",
            "phone": new_phone(),
            "consent": True,
            "channel": "portal",
        } | changes
        if "challenge" not in body:
            challenge_id, digits = await self.challenge(body["edition_id"])
            body["challenge"] = {"id": challenge_id, "answer": digits}
        return await self.send(body, key or secrets.token_urlsafe(24), headers)

    async def submit_until_taken(self, **changes: Any) -> Submitted:
        """As a portal does: while there is no answer, the same again under the same key."""
        key, phone = secrets.token_urlsafe(24), new_phone()
        async with asyncio.timeout(STEP_SECONDS):
            while True:
                with contextlib.suppress(httpx.TransportError):
                    submitted = await self.submit(key=key, phone=phone, **changes)
                    if submitted.answer.status_code == 202:
                        return submitted
                    assert submitted.answer.status_code == 503, submitted.answer.text
                await asyncio.sleep(0.05)

    async def send(self, body: Json, key: str, headers: dict[str, str] | None = None) -> Submitted:
        """`headers`: who posts it; else the portal, for a citizen who has not been here before."""
        self.posted_phones.append(body["phone"])
        headers = {"Idempotency-Key": key, **(headers or self.on_behalf_of_someone())}
        async with asyncio.timeout(STEP_SECONDS):
            while True:
                answer = await self.http.post(f"{self.url('intake')}/v1/ratings", json=body, headers=headers)
                if answer.status_code != 503 or answer.json()["type"] != "urn:hailong:problem:overloaded":
                    return Submitted(body, key, answer)
                await asyncio.sleep(float(answer.headers["Retry-After"]))

    def on_behalf_of_someone(self) -> dict[str, str]:
        """As the portal posts for a citizen who has not been here before."""
        return {
            "Authorization": f"Bearer {self.layout.portal_key.read_text().strip()}",
            "Hailong-Session": secrets.token_urlsafe(16),
            "X-Forwarded-For": f"10.0.{secrets.randbelow(256)}.{secrets.randbelow(256)}",
        }

    async def outcome(self, rating_id: str, *, status: str = "") -> Json:
        """What became of a rating: its status once it is decided, or once it is `status`."""
        url = f"{self.url('verification')}/v1/ratings/{rating_id}/outcome"
        wanted = (status,) if status else ("accepted", "rejected")
        async with asyncio.timeout(OUTCOME_SECONDS):
            while True:
                answer = await self.http.get(url, params={"wait": 10})
                if answer.status_code == 200 and answer.json()["status"] in wanted:
                    return dict(answer.json())
                await asyncio.sleep(0.05)

    async def figures(self, scope: str) -> Json:
        """`city`, `groups/ID`, `units/ID` or `officers/ID`."""
        answer = await self.http.get(f"{self.url('aggregation')}/v1/satisfaction/{scope}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def text_messages(self) -> list[str]:
        """What was sent to phones, oldest first."""
        return [json.loads(path.read_text())["text"] for path in sorted(self.layout.outbox.glob("*.json"))]


def new_phone() -> str:
    """A mobile number nobody has used yet, as a citizen writes it."""
    digits = "".join(secrets.choice("0123456789") for _ in range(7))
    return f"090{digits[0]} {digits[1:4]} {digits[4:]}"


@asynccontextmanager
async def a_system(
    folder: Path, kafka_bootstrap: str, postgres_url: str, *, sign_in: bool = False
) -> AsyncIterator[System]:
    mark = secrets.token_hex(4)
    async with (
        own_database(postgres_url, f"verification_{mark}") as verification,
        own_database(postgres_url, f"aggregation_{mark}") as aggregation,
        System(
            folder,
            kafka_bootstrap,
            {"verification": verification, "aggregation": aggregation},
            sign_in=sign_in,
        ) as system,
    ):
        yield system
