"""An API client asks who it is to us: whether its key is in force, and for which channels."""

from fastapi import APIRouter, Request
from pydantic import BaseModel

from chassis.problems import Problem
from services.intake import faults
from services.intake.calling import Callers
from services.intake.ports import DirectoryUnread

RETRY_SECONDS = 2


class Client(BaseModel):
    client_id: str
    name: str
    channels: list[str]
    vouches: bool


def routes(callers: Callers) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["ratings"])

    @router.get(
        "/client",
        response_model=Client,
        responses={401: {"description": "No key, or one that is not known, or not any more."}},
    )
    async def client(request: Request) -> Client:
        """Whose key it is (Authorization: Bearer), as long as it is in force."""
        try:
            known = callers.of(request).client
        except DirectoryUnread:
            raise Problem(faults.DIRECTORY_UNREAD, retry_after=RETRY_SECONDS) from None
        if known is None:
            raise Problem(faults.KEY_NOT_IN_FORCE, headers={"WWW-Authenticate": "Bearer"})
        channels = list(known.channels)
        return Client(client_id=known.client_id, name=known.name, channels=channels, vouches=known.vouches)

    return router
