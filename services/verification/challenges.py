"""Challenges: digits to read or hear, and type. The id carries it all, encrypted: issuing stores nothing."""

import base64
import binascii
import hashlib
import secrets
import struct
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import NamedTuple

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from contracts.events import ChallengeAnswer
from services.verification.domain.ratings import ChallengeCheck

LIFETIME = timedelta(minutes=10)
DIGITS = 6
ALPHABET = "023456789"  # a leaning 1 looks like a 7
_HEAD = struct.Struct(f">BQ{DIGITS}s")  # version, expiry in milliseconds, digits; the edition's id follows
_VERSION = 1
_LONGEST_ID = 512


class NotAChallenge(Exception):
    """Not an id of ours, or altered."""


class Challenge(NamedTuple):
    """`nonce` is unique to it, so it stands for the challenge where its use is recorded."""

    id: str
    nonce: bytes
    digits: str
    edition_id: str
    expires_at: datetime


class Challenges:
    """`key` may be what gives the key as it is now and, after it, those whose challenges still count."""

    def __init__(self, key: bytes | Callable[[], Sequence[bytes]]) -> None:
        self._keys = key if callable(key) else lambda: (key,)

    def as_now(self) -> "Challenges":
        """With the keys as they are at this moment: for a batch of answers, all of them written before it."""
        keys = tuple(self._keys())
        return Challenges(lambda: keys)

    def issue(self, edition_id: str, now: datetime) -> Challenge:
        digits = "".join(secrets.choice(ALPHABET) for _ in range(DIGITS))
        expires_ms = int((now + LIFETIME).timestamp() * 1000)
        box = SecretBox(self._keys()[0])
        token = bytes(box.encrypt(_HEAD.pack(_VERSION, expires_ms, digits.encode()) + edition_id.encode()))
        return self.open(base64.urlsafe_b64encode(token).rstrip(b"=").decode())

    def open(self, challenge_id: str) -> Challenge:
        """Raises `NotAChallenge`. Whether it has expired is for the caller to say."""
        if len(challenge_id) > _LONGEST_ID:
            raise NotAChallenge
        token = _token(challenge_id)
        _, plain = self._decrypt(token)
        try:
            version, expires_ms, digits = _HEAD.unpack_from(plain)
        except struct.error as error:
            raise NotAChallenge from error
        if version != _VERSION:
            raise NotAChallenge
        return Challenge(
            id=challenge_id,
            nonce=token[: SecretBox.NONCE_SIZE],
            digits=digits.decode(),
            edition_id=plain[_HEAD.size :].decode(),
            expires_at=datetime.fromtimestamp(expires_ms / 1000, UTC),
        )

    def check(
        self, answer: ChallengeAnswer | None, edition_id: str, at: datetime
    ) -> tuple[ChallengeCheck, bytes]:
        """What the answer is worth at the moment it was given, and the challenge's nonce (empty: none)."""
        if answer is None:
            return ChallengeCheck.INVALID, b""
        try:
            challenge = self.open(answer.id)
        except NotAChallenge:
            return ChallengeCheck.INVALID, b""
        if challenge.edition_id != edition_id:
            return ChallengeCheck.INVALID, b""
        if at > challenge.expires_at:
            return ChallengeCheck.EXPIRED, challenge.nonce
        right = compare_digest(_typed(answer.answer), challenge.digits.encode())
        return ChallengeCheck.RIGHT if right else ChallengeCheck.WRONG, challenge.nonce

    def seed(self, challenge: Challenge, medium: str) -> bytes:
        """Where chance in the picture or sound comes from: the same each time, and known to nobody else.

        Raises `NotAChallenge`.
        """
        key, _ = self._decrypt(_token(challenge.id))
        return hashlib.blake2b(medium.encode() + challenge.nonce, key=key, digest_size=16).digest()

    def _decrypt(self, token: bytes) -> tuple[bytes, bytes]:
        """The key it was made with, and what it says. Raises `NotAChallenge`."""
        for key in self._keys():
            with suppress(CryptoError):
                return key, SecretBox(key).decrypt(token)
        raise NotAChallenge


def _token(challenge_id: str) -> bytes:
    """Raises `NotAChallenge`."""
    try:
        return base64.b64decode(challenge_id + "=" * (-len(challenge_id) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotAChallenge from error


def _typed(answer: str) -> bytes:
    """As people type: with spaces, hyphens or full-width digits."""
    return unicodedata.normalize("NFKC", answer).translate({0x20: None, 0x2D: None}).encode()
