"""A screen at a desk: a browser that was enrolled with a key of its own, in an encrypted cookie of its own.

The key is intake's, of a client with the channel `kiosk`. Ratings from the screen are posted with it, so that
revoking it (`python -m services.intake clients revoke`) shuts this screen out and no other.
"""

from typing import Final

from fastapi import Request, Response
from pydantic import BaseModel

from portal.session import Sealed

COOKIE = "hl_kiosk"  # as `portal.cookies` names it
CHANNEL: Final = "kiosk"
LIFETIME_SECONDS = 400 * 24 * 3600
"""As long as browsers keep a cookie; each visit of the first page renews it."""


class Device(BaseModel):
    """`key` proves it to intake as the client `client_id`; it shows the officers of `unit_id`. `vouches`, as
    intake last said: whether it stands for its ratings, where the edition lets it."""

    key: str
    client_id: str
    name: str
    unit_id: str
    vouches: bool = False


class Devices:
    """Seals a device into its cookie, and opens it."""

    def __init__(self, key: bytes, *, secure: bool) -> None:
        self._sealed = Sealed(key, COOKIE, Device, secure=secure)

    def read(self, request: Request) -> Device | None:
        return self._sealed.read(request)

    def enrol(self, response: Response, device: Device) -> None:
        self._sealed.write(response, device, LIFETIME_SECONDS)

    def remove(self, response: Response) -> None:
        self._sealed.remove(response)
