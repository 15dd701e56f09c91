"""An outage is waited out: nothing is lost, nothing told twice, nothing sent to the dead letters."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from contracts.topics import RATING_SUBMISSIONS
from services.verification.bootstrap import worker_app
from tests.support.stack import Kafka
from tests.support.verification import World, running, until


class Gate:
    """A way to a server that can be closed: connections break, and new ones are refused."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._to = (parts.hostname or "127.0.0.1", parts.port or 5432)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._to)
        tasks = {
            asyncio.create_task(_copy(reader, far_writer)),
            asyncio.create_task(_copy(far_reader, writer)),
        }
        self._tasks |= tasks
        await asyncio.wait(tasks)
        self._tasks -= tasks


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
    finally:
        writer.transport.abort()


@pytest.fixture
async def gate(world: World) -> AsyncIterator[Gate]:
    gate = Gate(world.settings.database_url)
    await gate.open()
    yield gate
    with suppress(asyncio.CancelledError):
        await gate.close()


def through(world: World, gate: Gate) -> World:
    url = urlsplit(world.settings.database_url)
    user = url.netloc.rpartition("@")[0]
    moved = url._replace(netloc=f"{user}@127.0.0.1:{gate.port}").geturl()
    world.settings = world.settings.model_copy(update={"database_url": moved})
    return world


async def test_the_database_can_go_and_come_back(world: World, gate: Gate) -> None:
    through(world, gate)
    edition = await world.edition()
    sent = [world.submission(edition) for _ in range(60)]
    app = worker_app(world.settings)
    async with running(app):
        await world.submit(*sent[:20])
        await world.drained()
        await gate.close()
        await world.submit(*sent[20:40])

        async def noticed() -> bool:
            return not app.state.readiness.ready

        await until(noticed, why="/readyz says so")
        assert "postgres" in [check.name for check in app.state.readiness.checks.values() if not check.ok]
        await gate.open()
        await world.submit(*sent[40:])
        await world.drained()

        async def back() -> bool:
            return bool(app.state.readiness.ready)

        await until(back, why="/readyz says that all is well")
    assert list((await world.said(sent)).values()) == [["accepted"]] * 60
    assert not await world.read(RATING_SUBMISSIONS.dead_letters)


async def test_connections_that_break_in_the_middle_change_nothing(world: World, gate: Gate) -> None:
    through(world, gate)
    edition = await world.edition()
    sent = [world.submission(edition) for _ in range(150)]
    async with running(worker_app(world.settings)):
        for start in range(0, 150, 10):
            await world.submit(*sent[start : start + 10])
            await gate.close()
            await gate.open()
        await world.drained()
    assert list((await world.said(sent)).values()) == [["accepted"]] * 150


async def test_a_broker_that_hangs_is_waited_for(world: World, kafka: Kafka) -> None:
    """Long enough for the group to forget the worker, and for a transaction under way to run out of time."""
    edition = await world.edition()
    sent = [world.submission(edition) for _ in range(300)]
    app = worker_app(world.settings)
    async with running(app):
        await world.submit(*sent)

        async def begun() -> bool:
            return bool(await world.database.fetchval("SELECT count(*) FROM ratings"))

        await until(begun, why="the first decisions")
        await kafka.pause()
        try:

            async def noticed() -> bool:
                return not app.state.readiness.ready

            await until(noticed, why="/readyz says so")
        finally:
            await kafka.resume()
        await world.drained(seconds=90)
    assert list((await world.said(sent)).values()) == [["accepted"]] * 300
    assert not await world.read(RATING_SUBMISSIONS.dead_letters)


async def test_a_broker_that_crashes_is_waited_for(world: World, kafka: Kafka) -> None:
    edition = await world.edition()
    sent = [world.submission(edition) for _ in range(300)]
    async with running(worker_app(world.settings)):
        await world.submit(*sent[:200])
        await kafka.kill()
        await kafka.start()
        await world.submit(*sent[200:])
        await world.drained(seconds=90)
    assert list((await world.said(sent)).values()) == [["accepted"]] * 300
    assert not await world.read(RATING_SUBMISSIONS.dead_letters)


async def test_a_worker_that_starts_before_its_database_waits_for_it(world: World, gate: Gate) -> None:
    through(world, gate)
    await gate.close()
    submission = world.submission(await world.edition())
    await world.submit(submission)
    async with running(worker_app(world.settings)) as owned:
        await gate.open()
        await world.drained()
        assert owned.failure is None
    assert await world.said([submission]) == {submission.id: ["accepted"]}
