"""The query API in this process, over figures that a test keeps in memory."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI

from chassis.http import create_app
from chassis.readiness import Check, Readiness
from chassis.tasks import Owned
from services.aggregation import api
from services.aggregation.answers import Reading
from services.aggregation.live import Hub


class _Silent:
    async def wait(self) -> None:
        raise AssertionError("no stream is open")


def figures_app(reading: Reading, *before: Callable[[FastAPI], None]) -> FastAPI:
    """`before`: what installs routes that come before those of figures."""

    @asynccontextmanager
    async def lifespan(app: FastAPI, readiness: Readiness, owned: Owned) -> AsyncIterator[None]:
        del app, readiness, owned
        yield

    app = create_app(title="t", description="t", lifespan=lifespan)
    for install in (*before, api.install):
        install(app)
    api.attach(app, reading, Hub(reading, _Silent(), Check("postgres"), most=1), api.Pace())
    return app
