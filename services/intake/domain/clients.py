"""API clients: who may post on citizens' behalf, through which channels, proved by a key.

A key is random and long, so its plain SHA-256 can be published: nobody gets back from it to the key.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from contracts.events import ApiClientPublished, ApiKey

OPEN_CHANNEL = "web"
"""A citizen's own browser or app: needs no key."""
SCREEN = "kiosk"
"""A screen at a desk, which can vouch for its ratings."""
CHANNELS = (OPEN_CHANNEL, "portal", SCREEN, "qr")
KEY_BYTES = 32
PREFIX = "hailong_"


@dataclass(frozen=True, slots=True)
class Made:
    """A client as it is to be published, and its new key, which is told once."""

    client: ApiClientPublished
    key: str


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def holder(key: str, clients: Mapping[str, ApiClientPublished], day: date) -> ApiClientPublished | None:
    """Whose key it is, if it is in force on `day`. Looks at every key, so that the time tells nothing."""
    presented = digest(key).encode()
    found = None
    for client in clients.values():
        for each in client.keys:
            if hmac.compare_digest(presented, each.digest.encode()) and in_force(each, day):
                found = client
    return found


def in_force(key: ApiKey, day: date) -> bool:
    return key.expires_on is None or day < key.expires_on


def added(
    client_id: str, name: str, channels: Sequence[str], expires_on: date | None, *, vouches: bool = False
) -> Made:
    """A client that was not there before."""
    client = ApiClientPublished(
        client_id=client_id, name=name, keys=(), channels=tuple(channels), vouches=vouches
    )
    return rotated(client, expires_on=expires_on)


def rotated(
    client: ApiClientPublished, *, old_expire_on: date | None = None, expires_on: date | None = None
) -> Made:
    """With one key more. The others go on until `old_expire_on`, or until they would have expired anyway."""
    key = PREFIX + secrets.token_urlsafe(KEY_BYTES)
    new = ApiKey(key_id=secrets.token_hex(4), digest=digest(key), expires_on=expires_on)
    old = (
        each.model_copy(update={"expires_on": _first(each.expires_on, old_expire_on)}) for each in client.keys
    )
    return Made(client.model_copy(update={"keys": (*old, new)}), key)


def revoked(client: ApiClientPublished, key_id: str | None) -> ApiClientPublished:
    """Without that key; without any where none is named. It stays known, and is shut out without keys."""
    left = tuple(each for each in client.keys if key_id is not None and each.key_id != key_id)
    return client.model_copy(update={"keys": left})


def _first(*days: date | None) -> date | None:
    return min((day for day in days if day is not None), default=None)
