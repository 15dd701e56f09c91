"""Ids that follow from what was sent, so that a repetition is recognised with nothing stored.

See docs/decisions/0003 and 0004. All are HMAC-SHA256 under a secret, each with its own label; parts are
length-prefixed, so that no two lists of parts give the same bytes.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import date
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any
from uuid import UUID

BLOCK_BITS = {4: 24, 6: 48}
"""An address block: what one network is given, or as many homes as share an IPv4 one."""


@dataclass(frozen=True, slots=True)
class Identity:
    """`rating_id` is for the citizen, `submission_id` for the log; neither tells the other."""

    rating_id: UUID
    submission_id: UUID
    idempotency_token: str


def identify(secret: bytes, idempotency_key: str, fingerprint: bytes) -> Identity:
    key = idempotency_key.encode()
    return Identity(
        rating_id=_uuid(_digest(secret, b"rating", key, fingerprint)),
        submission_id=_uuid(_digest(secret, b"submission", key, fingerprint)),
        idempotency_token=_digest(secret, b"idempotency-token", key).hex(),
    )


def event_id(secret: bytes, label: str, idempotency_key: str, *parts: str) -> UUID:
    """The id of an event that a caller may send again under the same key."""
    return _uuid(_digest(secret, label.encode(), idempotency_key.encode(), *(p.encode() for p in parts)))


def pseudonym(edition_key: bytes, phone: str) -> str:
    """The same for the same number (E.164) within an edition; meaningless without the edition's key."""
    return _digest(edition_key, b"phone", phone.encode()).hex()


def fingerprint(edition_key: bytes, body: dict[str, Any]) -> bytes:
    """What a body says, whatever order or spelling it came in. Keyed: it covers a phone number."""
    canonical = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return _digest(edition_key, b"body", canonical.encode())


def origin(secret: bytes, day: date, address: IPv4Address | IPv6Address) -> str:
    """The address block that a submission came from. Means nothing without the day's key."""
    block = ip_network((address, BLOCK_BITS[address.version]), strict=False)
    return _digest(_of_day(secret, day), b"origin", str(block).encode()).hex()


def session(secret: bytes, day: date, client_id: str, visit: str) -> str:
    """The visit that a client says a submission came from; no two clients can mean the same one."""
    return _digest(_of_day(secret, day), b"session", client_id.encode(), visit.encode()).hex()


def _of_day(secret: bytes, day: date) -> bytes:
    """The day's key: nothing can be followed from one day to the next by what is made with it."""
    return _digest(secret, b"day", day.isoformat().encode())


def _digest(secret: bytes, *parts: bytes) -> bytes:
    mac = hmac.new(secret, digestmod=hashlib.sha256)
    for part in parts:
        mac.update(len(part).to_bytes(4, "big") + part)
    return mac.digest()


def _uuid(digest: bytes) -> UUID:
    """A version 8 UUID: 122 bits of the digest. Source: RFC 9562, 5.8."""
    value = int.from_bytes(digest[:16], "big")
    value = value & ~(0xF << 76) | (8 << 76)
    return UUID(int=value & ~(0x3 << 62) | (0x2 << 62))
