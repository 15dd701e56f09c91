"""How a portal is told an outcome: what is said, how it is signed (Standard Webhooks), how often tried."""

import base64
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Literal
from uuid import UUID

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)
TRIED_FOR = timedelta(days=1)
OVERLAP = timedelta(days=7)
SALT_BYTES = 16
TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"), IPv6Network("2002::/16"))
"""Networks whose addresses lead to others, of IPv4."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a portal wants to be told. `salts`: the newest, and the one before while that still counts."""

    client_id: str
    url: str
    salts: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class News:
    """An outcome as anyone who knows the rating's id may hear it; nothing about what was answered."""

    rating_id: UUID
    status: Literal["accepted", "rejected"]
    reason: str | None
    decided_at: datetime


def secret(key: bytes, client_id: str, salt: bytes) -> bytes:
    """An endpoint's: 32 bytes that nobody has who lacks the service's key, so no database holds them."""
    return hmac.digest(key, b"webhook\0" + client_id.encode() + b"\0" + salt, "sha256")


def shown(secret_: bytes) -> str:
    return f"whsec_{base64.b64encode(secret_).decode()}"


def message_id(news: News) -> str:
    """The same however often it is told: whoever has seen it need not look at it again."""
    return f"outcome_{news.rating_id.hex}"


def body(news: News) -> bytes:
    """The same bytes every time."""
    data = {"rating_id": str(news.rating_id), "status": news.status}
    if news.reason is not None:
        data["reason"] = news.reason
    decided = news.decided_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return json.dumps({"type": "rating.decided", "timestamp": decided, "data": data}).encode()


def headers(news: News, content: bytes, secrets: Sequence[bytes], now: datetime) -> Mapping[str, str]:
    """A signature by each secret; one that fits is enough."""
    identity, seconds = message_id(news), str(int(now.timestamp()))
    signed = f"{identity}.{seconds}.".encode() + content
    signatures = (base64.b64encode(hmac.digest(each, signed, "sha256")).decode() for each in secrets)
    return {
        "Content-Type": "application/json",
        "webhook-id": identity,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{each}" for each in signatures),
    }


def pause(attempt: int, chance: float) -> timedelta:
    """Before the next try: doubling from FIRST_PAUSE, LONGEST_PAUSE at most, give or take half of it.

    `attempt` counts from 1; `chance` is from 0 to 1.
    """
    doubled: timedelta = FIRST_PAUSE * 2 ** min(attempt - 1, 20)
    return min(doubled, LONGEST_PAUSE) * (0.5 + chance)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether it is somebody's on the internet, rather than this machine's or its network's."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if any(address in network for network in TRANSLATED):
            return False
    return address.is_global and not address.is_multicast
