"""Looks for the numbers that were posted, in any usual spelling, wherever bytes are kept."""

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator

_DIGITS = re.compile(rb"(?<![0-9])[0-9]{9,14}(?![0-9])")
# 0905 123 456, +84 90 512 3456, 090-512-3456, 090.5123456, …: pieces with one kind of separator between.
_GROUPED = re.compile(rb"(?<![0-9])\(?[0-9]{1,4}\)?(?:(?:[ .\-\xa0]|%20|\+)[0-9]{2,7}){1,4}(?![0-9])")
_HEX = re.compile(rb"(?:3[0-9]){9,}")
# Base64 of digits alone: each three bytes 0011xxxx make four letters of few kinds (RFC 4648, section 4).
_BASE64 = re.compile(rb"(?:[MNO][DTjz][AEIMQUYcgk][wxyz0-5]){2,}")


# A number hashed without a key is found by trying them all, so it is as good as in the clear.
_DIGEST = re.compile(rb"(?<![0-9a-fA-F])(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{40}|[0-9a-fA-F]{32})(?![0-9a-fA-F])")
_HASHES = (hashlib.sha256, hashlib.sha1, hashlib.md5)


class Phones:
    """`national`: nine digits each, without the leading 0."""

    def __init__(self, national: Iterable[str]) -> None:
        self._known = {each.encode() for each in national}
        # Where base64 begins in the middle of a number, six of its digits stand alone.
        self._inner = {phone[skip : skip + 6]: phone for phone in self._known for skip in (1, 2, 3)}
        self._digests = {
            function(before + phone).hexdigest().encode(): phone
            for phone in self._known
            for function in _HASHES
            for before in (b"+84", b"0")
        }

    def found_in(self, content: bytes) -> Iterator[str]:
        """Each place where one of the numbers stands: the number, and how."""
        for match in _DIGITS.finditer(content):
            if self._is_number(match[0]):
                yield f"{match[0].decode()} in digits at {match.start()}"
        for match in _GROUPED.finditer(content):
            digits = bytes(c for c in match[0].replace(b"%20", b"") if 0x30 <= c <= 0x39)
            if self._is_number(digits):
                yield f"{match[0].decode('latin-1')} at {match.start()}"
        for match in _HEX.finditer(content):
            digits = match[0][1::2]
            for phone in self._within(digits):
                yield f"{phone} in hexadecimal at {match.start()}"
        for match in _BASE64.finditer(content):
            digits = base64.b64decode(match[0])
            inner = self._inner.get(digits[:6]) or self._inner.get(digits[-6:])
            if inner is not None or any(self._within(digits)):
                yield f"{(inner or digits).decode()} in base64 at {match.start()}"

        for match in _DIGEST.finditer(content):
            hashed = self._digests.get(match[0].lower())
            if hashed is not None:
                yield f"{hashed.decode()} hashed without a key at {match.start()}"

    def _is_number(self, digits: bytes) -> bool:
        """With 0, 84, 084, 0084 or nothing before it, as people and systems write it."""
        return digits[-9:] in self._known and digits[:-9].lstrip(b"0") in (b"", b"84")

    def _within(self, digits: bytes) -> Iterator[str]:
        for start in range(len(digits) - 8):
            if digits[start : start + 9] in self._known:
                yield digits[start : start + 9].decode()
