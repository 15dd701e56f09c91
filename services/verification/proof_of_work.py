"""Proof of work: a puzzle that costs a device some seconds and us nothing, in the format of ALTCHA (v1).

The device looks for the number for which SHA-256(salt + number) is the given digest. Expiry, edition and
difficulty stand in the salt; the digest is signed, so they are what we issued, not what comes back. Issuing
stores nothing.

ALTCHA's own library compares digests in variable time, checks the expiry against the clock instead of the
time of submission, and takes SHA-1; none of that can be set, so the few lines are here.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, ConfigDict, StrictInt, StrictStr, ValidationError

from services.verification.domain.ratings import ProofCheck

ALGORITHM = "SHA-256"
LIFETIME = timedelta(minutes=30)  # as long as a form may stay open
# Ends with a delimiter: else digits could move between salt and number, and the digest would stay the same.
_SALT = re.compile(
    r"(?P<nonce>[0-9a-f]{32})\?expires=(?P<expires>[0-9]{1,11})&edition=(?P<edition>[a-z0-9._-]+)"
    r"&maxnumber=(?P<maxnumber>[0-9]{1,9})&"
)


@dataclass(frozen=True, slots=True)
class Puzzle:
    """`challenge` is the digest to find a number for, at most `maxnumber`."""

    id: str
    edition_id: str
    expires_at: datetime
    challenge: str
    salt: str
    signature: str
    maxnumber: int


class _Solution(BaseModel):
    """What a device gives back; fields that we do not need are ignored."""

    model_config = ConfigDict(extra="ignore")

    algorithm: StrictStr
    challenge: StrictStr
    number: StrictInt
    salt: StrictStr
    signature: StrictStr


class ProofsOfWork:
    def __init__(self, key: bytes | Callable[[], Sequence[bytes]], *, maxnumber: int) -> None:
        """`key` may be what gives the key as it is now and, after it, those whose puzzles still count. It may
        serve another purpose too: what is used here is derived from it.
        """
        self._keys = key if callable(key) else lambda: (key,)
        self._maxnumber = maxnumber

    def as_now(self) -> "ProofsOfWork":
        """With the keys as they are at this moment: for a batch of solutions, all written before it."""
        keys = tuple(self._keys())
        return ProofsOfWork(lambda: keys, maxnumber=self._maxnumber)

    def issue(self, edition_id: str, now: datetime) -> Puzzle:
        nonce = secrets.token_hex(16)
        expires = int((now + LIFETIME).timestamp())
        salt = f"{nonce}?expires={expires}&edition={edition_id}&maxnumber={self._maxnumber}&"
        challenge = _digest(salt, secrets.randbelow(self._maxnumber + 1))
        return Puzzle(
            id=nonce,
            edition_id=edition_id,
            expires_at=datetime.fromtimestamp(expires, UTC),
            challenge=challenge,
            salt=salt,
            signature=signature(self._keys()[0], challenge),
            maxnumber=self._maxnumber,
        )

    def check(self, payload: str | None, edition_id: str, at: datetime) -> tuple[ProofCheck, bytes]:
        """What a solution is worth at the moment it was given, and the puzzle's nonce (empty: none)."""
        if payload is None:
            return ProofCheck.NONE, b""
        try:
            solution = _Solution.model_validate_json(base64.b64decode(payload, validate=True))
        except (binascii.Error, ValueError, ValidationError):
            return ProofCheck.INVALID, b""
        salt = _SALT.fullmatch(solution.salt)
        if salt is None or solution.algorithm != ALGORITHM or salt["edition"] != edition_id:
            return ProofCheck.INVALID, b""
        if not 0 <= solution.number <= int(salt["maxnumber"]) or not self._signed(solution):
            return ProofCheck.INVALID, b""
        late = at.timestamp() > int(salt["expires"])
        return ProofCheck.EXPIRED if late else ProofCheck.RIGHT, bytes.fromhex(salt["nonce"])

    def _signed(self, solution: _Solution) -> bool:
        challenge = _digest(solution.salt, solution.number)
        same = hmac.compare_digest(challenge.encode(), solution.challenge.encode())
        signatures = [signature(key, challenge).encode() for key in self._keys()]
        signed = [hmac.compare_digest(each, solution.signature.encode()) for each in signatures]
        return any(signed) and same


def solve(puzzle: Puzzle) -> str:
    """The payload that a device would give back; for tests and demonstrations, which have no browser."""
    for number in range(puzzle.maxnumber + 1):
        if _digest(puzzle.salt, number) == puzzle.challenge:
            solution = _Solution(
                algorithm=ALGORITHM,
                challenge=puzzle.challenge,
                number=number,
                salt=puzzle.salt,
                signature=puzzle.signature,
            )
            return base64.b64encode(solution.model_dump_json().encode()).decode()
    raise ValueError("the puzzle has no solution")


def signature(key: bytes, challenge: str) -> str:
    derived = hashlib.blake2b(b"proof of work", key=key, digest_size=32).digest()
    return hmac.digest(derived, challenge.encode(), "sha256").hex()


def _digest(salt: str, number: int) -> str:
    return hashlib.sha256(f"{salt}{number}".encode()).hexdigest()
