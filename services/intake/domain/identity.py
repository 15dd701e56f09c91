"""Ids that follow from what was sent, so that a repetition is recognised with nothing stored.

See docs/decisions/0003 and 0004. All are HMAC-SHA256 under a secret, each with its own label; parts are
length-prefixed, so that no two lists of parts give the same bytes.
"""

import base64
import hmac
import json
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from uuid import UUID

SOURCE = "/hailong/intake"
"""Of every event that intake tells: CloudEvents' `source`."""
_MISREAD = str.maketrans("018", "OIB")  # base 32 has none of these digits
BLOCK_BITS = {4: 24, 6: 48}
"""An address block: what one network is given, or as many homes as share an IPv4 one."""


RECEIPT_BYTES, CHECK_BYTES = 12, 3  # 96 bits that nobody guesses, and what shows a slip of the pen
RECEIPT_CHARACTERS = (RECEIPT_BYTES + CHECK_BYTES) * 8 // 5


@dataclass(frozen=True, slots=True)
class Identity:
    """`receipt` and `rating_id` are for the citizen, `submission_id` for the log. The receipt is as good as
    the rating's id, which follows from it; apart from that, none of them tells another."""

    receipt: str
    rating_id: UUID
    submission_id: UUID
    idempotency_token: str


def identify(secret: bytes, idempotency_key: str, fingerprint: bytes) -> Identity:
    key = idempotency_key.encode()
    receipt = _digest(secret, b"receipt", key, fingerprint)[:RECEIPT_BYTES]
    return Identity(
        receipt=_written(secret, receipt),
        rating_id=_rating_of(secret, receipt),
        submission_id=_uuid(_digest(secret, b"submission", key, fingerprint)),
        idempotency_token=_digest(secret, b"idempotency-token", key).hex(),
    )


def identify_form(secret: bytes, edition_id: str, number: str, content: bytes) -> tuple[UUID, UUID, str]:
    """The rating's id, the submission's and the idempotency token of a paper form. The token is the form's,
    whatever was read on it: of two readings that both came in, verification counts one. No caller's
    Idempotency-Key gives it, so none can use a form up."""
    form = edition_id.encode(), number.encode()
    return (
        _uuid(_digest(secret, b"rating-of-form", *form, content)),
        _uuid(_digest(secret, b"submission-of-form", *form, content)),
        _digest(secret, b"token-of-form", *form).hex(),
    )


def received(secret: bytes, typed: str) -> UUID | None:
    """The rating that a receipt is for, however it is spaced and whatever case it is in; None for what never
    was one."""
    characters = re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", typed)).upper().translate(_MISREAD)
    if len(characters) != RECEIPT_CHARACTERS:
        return None
    try:
        receipt = base64.b32decode(characters)[:RECEIPT_BYTES]
    except ValueError:
        return None
    right = _written(secret, receipt).replace("-", "")
    return _rating_of(secret, receipt) if hmac.compare_digest(right, characters) else None


def _written(secret: bytes, receipt: bytes) -> str:
    """Six groups of four letters and digits."""
    checked = receipt + _digest(secret, b"receipt-check", receipt)[:CHECK_BYTES]
    characters = base64.b32encode(checked).decode()
    return "-".join(characters[at : at + 4] for at in range(0, RECEIPT_CHARACTERS, 4))


def _rating_of(secret: bytes, receipt: bytes) -> UUID:
    """So the log holds a keyed digest of the receipt, and nothing that withdraws."""
    return _uuid(_digest(secret, b"rating-of-receipt", receipt))


def event_id(secret: bytes, label: str, idempotency_key: str, *parts: str) -> UUID:
    """The id of an event that a caller may send again under the same key."""
    return _uuid(_digest(secret, label.encode(), idempotency_key.encode(), *(p.encode() for p in parts)))


def pseudonym(edition_key: bytes, phone: str) -> str:
    """The same for the same number (E.164) within an edition; meaningless without the edition's key."""
    return _digest(edition_key, b"phone", phone.encode()).hex()


def file_pseudonym(edition_key: bytes, unit_id: str, number: str) -> str:
    """The same for the same file of a unit within an edition; meaningless without the edition's key."""
    return _digest(edition_key, b"file", unit_id.encode(), number.encode()).hex()


def fingerprint(edition_key: bytes, body: dict[str, Any]) -> bytes:
    """What a body says, whatever order or spelling it came in. Keyed: it covers a phone number."""
    canonical = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return _digest(edition_key, b"body", canonical.encode())


def origin(secret: bytes, day: date, address: IPv4Address | IPv6Address) -> str:
    """The address block that a submission came from. Means nothing without the day's key."""
    return _digest(_of_day(secret, day), b"origin", _block(address).encode()).hex()


def session(secret: bytes, day: date, client_id: str, visit: str) -> str:
    """The visit that a client says a submission came from; no two clients can mean the same one."""
    return _digest(_of_day(secret, day), b"session", client_id.encode(), visit.encode()).hex()


def _block(address: IPv4Address | IPv6Address) -> str:
    """As CIDR writes it."""
    bits = BLOCK_BITS[address.version]
    kept = int(address) >> (address.max_prefixlen - bits) << (address.max_prefixlen - bits)
    return f"{type(address)(kept)}/{bits}"


@lru_cache(maxsize=2)
def _of_day(secret: bytes, day: date) -> bytes:
    """The day's key: nothing can be followed from one day to the next by what is made with it."""
    return _digest(secret, b"day", day.isoformat().encode())


def _digest(secret: bytes, *parts: bytes) -> bytes:
    framed = b"".join([len(part).to_bytes(4, "big") + part for part in parts])
    return hmac.digest(secret, framed, "sha256")


def _uuid(digest: bytes) -> UUID:
    """A version 8 UUID: 122 bits of the digest. Source: RFC 9562, 5.8."""
    value = int.from_bytes(digest[:16], "big")
    value = value & ~(0xF << 76) | (8 << 76)
    return UUID(int=value & ~(0x3 << 62) | (0x2 << 62))
