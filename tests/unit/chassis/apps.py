"""A small application on the chassis, in this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

from chassis.http import create_app
from chassis.problems import Bilingual, FieldError, Problem, ProblemType
from chassis.readiness import Readiness
from chassis.tasks import Owned

BODY_LIMIT = 100
BUSY = ProblemType(
    "busy",
    503,
    Bilingual("Đang bận", "Busy"),
    Bilingual("Thử lại sau {n} giây.", "Try again in {n} seconds."),
)
TOO_LONG = Bilingual("Dài quá {most} ký tự.", "Longer than {most} characters.")


class Note(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str
    stars: int = 0


def application() -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI, readiness: Readiness, owned: Owned) -> AsyncIterator[None]:
        yield

    app = create_app(title="Notes", description="", lifespan=lifespan, body_limit=BODY_LIMIT)

    @app.post("/notes/{phone}")
    async def note(phone: str, note: Note) -> dict[str, str]:
        return {"text": note.text}

    @app.get("/busy")
    async def busy() -> None:
        errors = [FieldError("/text", "too_long", TOO_LONG, {"most": 3})]
        raise Problem(BUSY, errors=errors, retry_after=7, n=7)

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("of ours")

    return app


def client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")
