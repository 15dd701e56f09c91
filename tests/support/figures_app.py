"""The query API in this process, over figures that a test keeps in memory."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast

from fastapi import FastAPI

from chassis.http import create_app
from chassis.readiness import Check, Readiness
from chassis.tasks import Owned
from services.aggregation import api
from services.aggregation.answers import Reading
from services.aggregation.keeping import Moments
from services.aggregation.live import Hub


class _Silent:
    async def wait(self) -> None:
        raise AssertionError("no stream is open")


class _EverNew:
    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self.now = lambda: datetime.now(UTC)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reading, name)

    async def version(self) -> object:
        return object()

    @asynccontextmanager
    async def at_one_moment(self) -> AsyncIterator[Any]:
        yield self


def ever_new(reading: Reading) -> Moments:
    """Says that all has changed whenever it is asked, so that nothing of it is kept."""
    return cast(Moments, _EverNew(reading))


def figures_app(reading: Reading, *before: Callable[[FastAPI], None]) -> FastAPI:
    """`before`: what installs routes that come before those of figures."""

    @asynccontextmanager
    async def lifespan(app: FastAPI, readiness: Readiness, owned: Owned) -> AsyncIterator[None]:
        del app, readiness, owned
        yield

    app = create_app(title="t", description="t", lifespan=lifespan)
    for install in (*before, api.install):
        install(app)
    api.attach(app, ever_new(reading), Hub(reading, _Silent(), Check("postgres"), most=1), api.Pace())
    return app
