"""A process on the chassis that does what it is told over HTTP, for tests to watch from outside.

python -m tests.unit.chassis.process PORT OPERATIONS_PORT [waits] [traces=URL]
"""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from chassis import traces
from chassis.http import Address, create_app, serve
from chassis.logs import configure, logger
from chassis.overload import Capacity
from chassis.readiness import Readiness
from chassis.tasks import Owned

PLACES = 4
log = logger(__name__)


async def raising() -> None:
    raise LookupError("the work went wrong")


async def returning() -> None:
    """Ends, although it should run for ever."""


async def lasting() -> None:
    try:
        await asyncio.Event().wait()
    finally:
        log.info("task cancelled")


def application(*, waits: bool = False) -> FastAPI:
    """One that `waits` never starts, as without its database."""

    @asynccontextmanager
    async def lifespan(app: FastAPI, readiness: Readiness, owned: Owned) -> AsyncIterator[None]:
        owned.start("lasting", lasting())
        if waits:
            log.info("waiting to start")
            await asyncio.Event().wait()
        yield
        await owned.close()
        log.info("closed")

    app = create_app(title="Obedient", description="", lifespan=lifespan, capacity=Capacity(writes=PLACES))
    readiness: Readiness = app.state.readiness
    owned: Owned = app.state.owned

    @app.post("/start/{work}")
    async def start(work: str) -> None:
        owned.start(work, {"raising": raising, "returning": returning}[work]())

    @app.post("/slow/{phone}")
    async def slow(phone: str) -> dict[str, str]:
        log.info("slow request begun")
        await asyncio.sleep(1)
        return {"status": "done"}

    @app.post("/broken/{phone}")
    async def broken(phone: str) -> None:
        async def forgotten() -> None:
            raise ValueError(f"a library cannot read 0{phone[1:4]} {phone[4:7]} {phone[7:]}")

        await asyncio.wait({asyncio.create_task(forgotten())})
        gc.collect()  # asyncio says now that nobody has asked for the task's error
        raise ValueError(f"cannot read {phone}")

    @app.post("/checks/{name}")
    async def check(name: str, *, ok: bool, required: bool = True) -> None:
        found = readiness.check(name, required=required)
        if ok:
            found.up()
        else:
            found.down("away")

    return app


if __name__ == "__main__":
    configure("obedient")
    told = [each.removeprefix("traces=") for each in sys.argv if each.startswith("traces=")]
    traces.start("obedient", traces.Traces.model_validate({"to": "".join(told)}))
    public, operations = (Address("127.0.0.1", int(port)) for port in sys.argv[1:3])
    serve(application(waits="waits" in sys.argv), public=public, operations=operations)
