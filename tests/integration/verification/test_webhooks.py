"""Portals are told the outcomes of what they posted, by real workers over real connections."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import uvicorn
from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from typer.testing import CliRunner

from contracts.events import Assurance, ChallengeAnswer
from services.verification import webhooks as telling
from services.verification.__main__ import app as commands
from services.verification.adapters.decisions import PostgresDecisions
from services.verification.bootstrap import worker_app
from services.verification.domain import webhooks
from services.verification.domain.outcomes import Rated
from services.verification.domain.ratings import Accepted
from services.verification.ports import NewRating, Source
from services.verification.settings import Settings
from tests.support.verification import World, running, until

pytestmark = pytest.mark.any_servers


@dataclass
class Portals:
    """A server that is several portals: `/portal` takes what it is told at the third try, `/slow` never
    answers, and `/trap` is where a redirect of the first leads to."""

    secret: str = ""
    url: str = ""
    tries: Counter[str] = field(default_factory=Counter)
    taken: list[dict[str, Any]] = field(default_factory=list)
    slow: int = 0
    trapped: int = 0

    async def portal(self, request: Request) -> Response:
        content, identity = await request.body(), request.headers["webhook-id"]
        self.tries[identity] += 1
        if self.tries[identity] == 1:
            return Response(status_code=500)
        if self.tries[identity] == 2:
            return Response(status_code=307, headers={"Location": f"{self.url}/trap"})
        Webhook(self.secret).verify(content, dict(request.headers))
        self.taken.append({"id": identity, **json.loads(content)["data"]})
        return Response(status_code=204)

    async def never(self, _: Request) -> Response:
        self.slow += 1
        await asyncio.sleep(3600)
        return Response()

    async def trap(self, _: Request) -> Response:
        self.trapped += 1
        return Response()


@pytest.fixture
async def portals() -> AsyncIterator[Portals]:
    found = Portals()
    names = (("/portal", found.portal), ("/slow", found.never), ("/trap", found.trap))
    app = Starlette(routes=[Route(path, handle, methods=["POST"]) for path, handle in names])
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:
            await asyncio.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    found.url = f"http://localhost:{port}"
    yield found
    server.should_exit = True
    await serving


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "FIRST_PAUSE", timedelta(seconds=0.05))
    monkeypatch.setattr(webhooks, "LONGEST_PAUSE", timedelta(seconds=0.2))
    monkeypatch.setattr(telling, "_FIRST_REST", 0.05)
    monkeypatch.setattr(telling, "_LONGEST_REST", 0.2)
    monkeypatch.setattr(telling, "LOOK_SECONDS", 0.1)


@pytest.fixture
def operator(world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command of `webhooks` as an operator does; gives what it printed."""
    monkeypatch.setenv("VERIFICATION_DATABASE_URL", world.settings.database_url)
    monkeypatch.setenv("VERIFICATION_KEYS_DIR", str(world.settings.keys_dir))
    monkeypatch.setenv("VERIFICATION_WEBHOOKS_PRIVATE", "true")

    async def run(*arguments: str) -> str:
        done = await asyncio.to_thread(CliRunner().invoke, commands, ["webhooks", *arguments])
        assert done.exit_code == 0, done.output
        return str(done.output)

    return run


@asynccontextmanager
async def workers(settings: Settings, number: int) -> AsyncIterator[None]:
    if not number:
        yield
        return
    async with running(worker_app(settings)), workers(settings, number - 1):
        yield


async def waiting(world: World, client: str) -> int:
    return int(
        await world.database.fetchval("SELECT count(*) FROM webhook_outbox WHERE client_id = $1", client)
    )


@pytest.mark.usefixtures("quick")
async def test_a_portal_that_fails_at_first_is_told_each_outcome_and_a_slow_one_holds_nobody_up(
    world: World, api: httpx.AsyncClient, portals: Portals, operator: Any
) -> None:
    portals.secret = (await operator("add", "portal", f"{portals.url}/portal")).split()[-1]
    await operator("add", "slow", f"{portals.url}/slow")
    edition = await world.edition()
    posted = [world.submission(edition, client_id="portal") for _ in range(8)]
    wrong = (
        ChallengeAnswer(id=posted[0].event.challenge.id, answer="x") if posted[0].event.challenge else None
    )
    posted.append(world.submission(edition, client_id="portal", challenge=wrong))
    others = [world.submission(edition, client_id=who) for who in ("slow", "slow", "unknown", None)]
    settings = world.settings.model_copy(update={"webhooks_private": True})
    async with workers(settings, 2):
        await world.submit(*others, *posted)

        async def all_told() -> bool:
            return len(portals.taken) >= len(posted) and await waiting(world, "portal") == 0

        await until(all_told, why="outcomes told")
        assert await waiting(world, "slow") == 2
    told = {each["rating_id"]: each for each in portals.taken}
    assert len(portals.taken) == len(told) == len(posted)
    assert portals.tries == {each["id"]: 3 for each in portals.taken}
    assert portals.trapped == 0
    assert portals.slow >= 1
    for each in posted:
        public = (await api.get(f"/v1/ratings/{each.rating_id}/outcome")).json()
        mine = told[str(each.rating_id)]
        assert (mine["status"], mine.get("reason")) == (public["status"], public.get("reason"))
        assert mine.keys() <= {"id", "rating_id", "status", "reason"}
    assert await world.database.fetchval("SELECT count(*) FROM webhook_outbox") == 2


@pytest.mark.usefixtures("quick")
async def test_a_private_address_is_never_called_and_after_a_day_an_operator_sees_it(
    world: World, portals: Portals, operator: Any
) -> None:
    secret = (await operator("add", "portal", f"{portals.url}/portal")).split()[-1]
    portals.secret = (await operator("rotate", "portal")).split()[-1]
    assert portals.secret != secret
    edition = await world.edition()
    submission = world.submission(edition, client_id="portal")
    async with running(worker_app(world.settings)):
        await world.submit(submission)

        async def failed() -> bool:
            failures = await world.database.fetch("SELECT last_failure FROM webhook_outbox")
            return any(row["last_failure"] == "not https" for row in failures)

        await until(failed, why="a first try")
        await world.database.execute("UPDATE webhook_endpoints SET url = replace(url, 'http:', 'https:')")

        async def refused() -> bool:
            failures = await world.database.fetch("SELECT last_failure FROM webhook_outbox")
            return any(row["last_failure"] == "a private address" for row in failures)

        await until(refused, why="a try at the private address")
        await world.database.execute("UPDATE webhook_outbox SET since = since - interval '25 hours'")

        async def aside() -> bool:
            return "a private address" in await operator("aside", "portal")

        await until(aside, why="it is set aside")
        assert str(submission.rating_id) in await operator("aside", "portal")
        assert "0 waiting, 1 set aside" in await operator("list")
        assert not portals.tries
    await world.database.execute("UPDATE webhook_endpoints SET url = replace(url, 'https:', 'http:')")
    assert "1 outcomes wait again" in await operator("send-again", "portal")
    async with running(worker_app(world.settings.model_copy(update={"webhooks_private": True}))):

        async def told() -> bool:
            return len(portals.taken) == 1

        await until(told, why="the outcome is told after all")
    await operator("remove", "portal")
    assert await operator("list") == ""


async def test_an_outcome_is_to_be_told_with_its_decision_or_not_at_all(world: World, operator: Any) -> None:
    await operator("add", "portal", "https://portal.example/outcomes")
    decisions = PostgresDecisions(world.database)
    epoch = await decisions.take_over(0)
    posted = world.submission(await world.edition(), client_id="portal")
    rated = Rated.of(posted.id, posted.event)
    rating = NewRating(posted.rating_id, rated, Accepted(Assurance.CAPTCHA), Source(0, 1), "portal")

    async def broken_off() -> None:
        async with decisions.transaction(0, epoch) as transaction:
            await transaction.add([rating], [], datetime.now(UTC))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await broken_off()
    assert await waiting(world, "portal") == 0
    async with decisions.transaction(0, epoch) as transaction:
        await transaction.add([rating], [], datetime.now(UTC))
    assert await waiting(world, "portal") == 1
    await world.database.execute("DELETE FROM ratings")
    assert await waiting(world, "portal") == 0, "gone with the rating"
