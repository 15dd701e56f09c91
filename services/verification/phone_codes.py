"""The six digits that go to a phone: random, and kept only as a hash (docs/decisions/0007)."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.events import Sealed
from services.verification.domain.ratings import PHONE_CODE_LIFETIME, CodeCheck
from services.verification.ports import HashedCode, HashedCodes, KeyRing, Unreadable

SALT_BYTES = 16
_NO_SALT = bytes(SALT_BYTES)
_TEXTS = {
    # With diacritics an SMS holds 70 characters; each of these fits in one.
    "vi": "Hài Lòng: mã xác thực của ông/bà là {code}, có hiệu lực 5 phút.",
    "en": "Hai Long: your verification code is {code}, valid for 5 minutes.",
}


@dataclass(frozen=True, slots=True)
class NewCode:
    code: str
    salt: bytes
    hashed: HashedCode

    def text(self, language: str) -> str:
        return _TEXTS.get(language, _TEXTS["vi"]).format(code=self.code)


class PhoneCodes:
    """Hashing is slow on purpose: call `make` and `check` in a thread."""

    def __init__(self, key: bytes, ring: KeyRing) -> None:
        self._key = key
        self._ring = ring

    def make(self, rating_id: UUID, salt: bytes | None, now: datetime) -> NewCode:
        """`salt` is that of the rating's earlier code: with one salt, a try costs one hash."""
        code = f"{secrets.randbelow(1_000_000):06d}"
        salt = salt or secrets.token_bytes(SALT_BYTES)
        digest = self._hash(rating_id, code.encode(), salt)
        return NewCode(code, salt, HashedCode(digest, now + PHONE_CODE_LIFETIME))

    def check(self, rating_id: UUID, entered: Sealed, at: datetime, sent: HashedCodes | None) -> CodeCheck:
        """`sent` is None where the rating awaits no code."""
        try:
            code = self._ring.open(entered)
        except Unreadable:
            return CodeCheck.UNREADABLE
        if sent is None:
            return CodeCheck.WRONG
        # Hashed even where no code was sent: the time that it takes must not tell.
        digest = self._hash(rating_id, code.strip(), sent.salt or _NO_SALT)
        right = [each for each in sent.codes if hmac.compare_digest(each.digest, digest)]
        if not right:
            return CodeCheck.WRONG
        return CodeCheck.RIGHT if any(at <= each.expires_at for each in right) else CodeCheck.EXPIRED

    def _hash(self, rating_id: UUID, code: bytes, salt: bytes) -> bytes:
        """Peppered with the key, then slow and large (16 MiB): docs/decisions/0007 says how slow, and why."""
        peppered = hmac.digest(self._key, b"phone-code\0" + rating_id.bytes + code, hashlib.sha256)
        return hashlib.scrypt(peppered, salt=salt, n=2**14, r=8, p=1, dklen=32)
