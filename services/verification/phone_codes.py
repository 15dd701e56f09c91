"""The six digits that go to a phone. They follow from a key and the rating, so they are stored nowhere."""

import hashlib
import hmac
from uuid import UUID

from contracts.events import Sealed
from services.verification.domain.ratings import CodeCheck
from services.verification.ports import KeyRing, Unreadable

_TEXTS = {
    # With diacritics an SMS holds 70 characters; each of these fits in one.
    "vi": "Hài Lòng: mã xác thực của ông/bà là {code}, có hiệu lực 5 phút.",
    "en": "Hai Long: your verification code is {code}, valid for 5 minutes.",
}


class PhoneCodes:
    def __init__(self, key: bytes, ring: KeyRing) -> None:
        self._key = key
        self._ring = ring

    def code(self, rating_id: UUID) -> str:
        digest = hmac.digest(self._key, b"phone-code\0" + rating_id.bytes, hashlib.sha256)
        return f"{int.from_bytes(digest[:8]) % 1_000_000:06d}"

    def text(self, rating_id: UUID, language: str) -> str:
        return _TEXTS.get(language, _TEXTS["vi"]).format(code=self.code(rating_id))

    def check(self, rating_id: UUID, entered: Sealed) -> CodeCheck:
        try:
            code = self._ring.open(entered)
        except Unreadable:
            return CodeCheck.UNREADABLE
        right = hmac.compare_digest(code.strip(), self.code(rating_id).encode())
        return CodeCheck.RIGHT if right else CodeCheck.WRONG
