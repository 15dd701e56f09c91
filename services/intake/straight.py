"""A body that is sound goes straight to what answers it; whatever else comes takes FastAPI's way.

FastAPI matches a route several times over, solves dependencies, and reads a body into Python values and
those into a model: more work than taking a rating in. What it does for a sound body is done here in one step.
Nothing is ever refused here, so that every refusal stays FastAPI's.
"""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from fastapi import Request, Response
from fastapi.exceptions import HTTPException
from fastapi.routing import APIRouter
from pydantic import BaseModel, ValidationError
from starlette.routing import BaseRoute, Match
from starlette.types import Message, Receive, Scope, Send

B = TypeVar("B", bound=BaseModel)
JSON = (b"application/json", b"application/json; charset=utf-8")
_USUAL = "hailong.usual_route"


class Straight(BaseRoute, Generic[B]):
    """To stand before all routes of `router`, which has one for the same `path`. `answer` may raise what an
    endpoint may."""

    def __init__(
        self, router: APIRouter, path: str, body: type[B], answer: Callable[[B, Request], Awaitable[Response]]
    ) -> None:
        self.path, self.methods = path, {"POST"}
        self._router = router
        self._body = body
        self._answer = answer

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        ours = (
            scope["type"] == "http"
            and scope["path"] == self.path
            and scope["method"] in self.methods
            and not scope.get("root_path")
            and _USUAL not in scope
            and _content_type(scope) in JSON
        )
        return (Match.FULL, {"route": self}) if ours else (Match.NONE, {})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        content = await _whole(receive)
        try:
            body = self._body.model_validate_json(content)
        except ValidationError:
            scope[_USUAL] = True
            await self._router.app(scope, _again(content, receive), send)
            return
        response = await self._answer(body, Request(scope, receive))
        await response(scope, receive, send)


def _content_type(scope: Scope) -> bytes:
    """Empty where there are several."""
    found = [value for name, value in scope["headers"] if name == b"content-type"]
    return found[0].lower() if len(found) == 1 else b""


async def _whole(receive: Receive) -> bytes:
    message = await receive()
    content = message.get("body", b"")
    while message["type"] == "http.request" and message.get("more_body"):
        message = await receive()
        content += message.get("body", b"")
    if message["type"] != "http.request":
        raise HTTPException(400)  # the caller has gone: nobody hears it
    return bytes(content)


def _again(content: bytes, receive: Receive) -> Receive:
    """What was read already, and then what comes."""
    ahead: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def received() -> Message:
        return ahead.pop() if ahead else await receive()

    return received
