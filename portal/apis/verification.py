"""Verification's public API: challenges, and the outcome of a rating."""

from datetime import datetime
from typing import Literal
from urllib.parse import quote

from pydantic import AwareDatetime

from portal.apis.http import Api
from portal.apis.intake import Document


class Challenge(Document):
    id: str
    expires_at: AwareDatetime


class PhoneCodeState(Document):
    expires_at: datetime
    tries_left: int


class Outcome(Document):
    status: Literal["pending", "phone_code_needed", "accepted", "rejected", "withdrawn"]
    reason: str | None = None
    phone_code: PhoneCodeState | None = None
    withdrawable_until: AwareDatetime | None = None


class Verification:
    """Every method raises Refused or Unavailable (see Api)."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def challenge(self, edition_id: str) -> Challenge:
        body = {"edition_id": edition_id, "kind": "digits"}
        response = await self._api.request("POST", "/v1/challenges", json=body)
        return Challenge.model_validate(response.json())

    async def puzzle(self, edition_id: str) -> dict[str, object]:
        """A proof of work for the citizen's device, in ALTCHA's format."""
        body = {"edition_id": edition_id, "kind": "proof_of_work"}
        response = await self._api.request("POST", "/v1/challenges", json=body)
        return dict(response.json())

    async def media(self, challenge_id: str, name: str) -> tuple[bytes, str]:
        """The challenge's image or sound (`image.png`, `audio-vi.wav`, `audio-en.wav`) and its media type."""
        response = await self._api.request("GET", f"/v1/challenges/{quote(challenge_id, safe='')}/{name}")
        return response.content, response.headers.get("content-type", "application/octet-stream")

    async def outcome(self, rating_id: str, *, wait: float, tries_left: int | None = None) -> Outcome:
        """Where the rating stands; waits up to `wait` seconds for a decision.

        Whoever saw `tries_left` and entered a code waits until that number has changed.
        """
        path = f"/v1/ratings/{quote(rating_id, safe='')}/outcome"
        params = {"wait": f"{wait:g}"} | ({} if tries_left is None else {"tries_left": str(tries_left)})
        response = await self._api.request("GET", path, params=params, timeout=wait + 3)
        return Outcome.model_validate(response.json())
