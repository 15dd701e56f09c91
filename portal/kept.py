"""Ratings that a screen at a desk kept while it could not send them, each in a box that we alone can open.

A box is an ephemeral public key (P-256, 65 bytes), a nonce (12) and the rating under AES-256-GCM. Its key is
HKDF-SHA256 of the ECDH secret, with both public keys as salt; so the screen that closed a box cannot open it
again (docs/decisions/0031). `portal/frontend/kiosk-queue.js` closes them.
"""

import base64
import hashlib
from datetime import datetime, timedelta
from typing import Annotated, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

CURVE = ec.SECP256R1()
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the curve's group. Source: NIST SP 800-186, 3.2.1.3."""
POINT_BYTES, NONCE_BYTES = 65, 12
MOST_CHARACTERS = 8_000
INFO = b"hailong kept rating 1"
Moment = Annotated[int, Field(ge=0, le=4_000_000_000_000)]
"""Milliseconds since 1970; no clock says anything later than 2096."""
Short = Annotated[str, StringConstraints(max_length=200)]


class Unreadable(Exception):
    """Not a box of ours, or what is in it is no rating."""


class Kept(BaseModel):
    """A rating as the screen took it. `key`: its Idempotency-Key, made when it was given; `given`: when, in
    milliseconds of the screen's own clock."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,64}$")]
    given: Moment
    edition_id: Short
    officer_id: Short
    answer: Short
    reasons: Annotated[list[Short], Field(max_length=50)] = []
    respondent: Literal["", "citizen", "organisation"] = ""
    language: Literal["vi", "en"] = "vi"

    def given_at(self, screen: int, now: datetime) -> datetime:
        """By our clock, where the screen's says `screen` now: only how long it was is taken from it."""
        return now - timedelta(milliseconds=max(0, screen - self.given))

    def body(self, at: datetime) -> dict[str, object]:
        """As intake takes it."""
        about = {"respondent": self.respondent} if self.respondent else {}
        return about | {
            "edition_id": self.edition_id,
            "officer_id": self.officer_id,
            "answer": self.answer,
            "reasons": self.reasons,
            "channel": "kiosk",
            "language": self.language,
            "vouched": True,
            "rated_at": at.isoformat(),
        }


class Boxes:
    """Opens boxes with a key that follows from the portal's, so that every replica has it."""

    def __init__(self, key: bytes) -> None:
        seed = hashlib.sha512(b"kept ratings\0" + key).digest()
        self._private = ec.derive_private_key(int.from_bytes(seed, "big") % (ORDER - 1) + 1, CURVE)
        self._public = self._private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def public(self) -> str:
        """What a screen closes boxes with, in base64."""
        return base64.b64encode(self._public).decode()

    def open(self, box: str) -> Kept:
        """Raises Unreadable."""
        try:
            content = base64.b64decode(box, validate=True)
            point, nonce, sealed = (
                content[:POINT_BYTES],
                content[POINT_BYTES : POINT_BYTES + NONCE_BYTES],
                content[POINT_BYTES + NONCE_BYTES :],
            )
            theirs = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, point)
            shared = self._private.exchange(ec.ECDH(), theirs)
            key = HKDF(SHA256(), 32, salt=point + self._public, info=INFO).derive(shared)
            return Kept.model_validate_json(AESGCM(key).decrypt(nonce, sealed, None))
        except (ValueError, InvalidTag, ValidationError):
            raise Unreadable from None  # what it held is nobody's to read
