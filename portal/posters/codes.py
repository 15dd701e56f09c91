"""What a poster's code holds: a reference to an officer or a unit, and the proof that we made it.

Twelve characters of Crockford's alphabet, without I, L, O and U: one names the key, six refer, five prove.
Reference and proof are parts of HMAC-SHA-256 under that key, so a code for an officer of one's choice is one
guess in 2^55. Nobody but the portal checks one: others need no signature to verify.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from chassis import key_files
from chassis.key_files import KeyFolder, KeyMissing

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
REFERS, PROVES, GROUP = 6, 5, 4
MOST = len(ALPHABET) - 1
"""Keys are numbered from 1 to this."""
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})


class NoMoreKeys(Exception):
    """Every number has had its key."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a code leads."""

    kind: Literal["officer", "unit"]
    id: str


@dataclass(frozen=True, slots=True)
class Genuine:
    """What a code of ours says: a reference, to be found among targets under the same key."""

    number: int
    reference: str


class Codes:
    """Makes codes with the newest key, and knows those of every key that the folder has now."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keys = KeyFolder(folder)

    def code(self, target: Target) -> str:
        """Three groups of four characters. Raises KeyMissing."""
        number = self.newest()
        key = self._keys.read(file_name(number))
        reference = _reference(key, target)
        code = ALPHABET[number] + reference + _proof(key, number, reference)
        return "-".join(code[n : n + GROUP] for n in range(0, len(code), GROUP))

    def read(self, typed: str) -> Genuine | None:
        """None for what is not ours: made up, mistyped, or of a key that was retired."""
        code = plain(typed)
        if len(code) != 1 + REFERS + PROVES or not set(code) <= set(ALPHABET):
            return None
        number, reference = ALPHABET.index(code[0]), code[1 : 1 + REFERS]
        try:
            key = self._keys.read(file_name(number))
        except KeyMissing:
            return None
        proved = hmac.compare_digest(_proof(key, number, reference), code[1 + REFERS :])
        return Genuine(number, reference) if proved else None

    def refers(self, genuine: Genuine, target: Target) -> bool:
        """Raises KeyMissing where the key was retired meanwhile."""
        return _reference(self._keys.read(file_name(genuine.number)), target) == genuine.reference

    def find(self, genuine: Genuine, targets: Iterable[Target]) -> Target | None:
        """The one that is referred to; None where none is, or, once in a great many, two are."""
        found = [each for each in targets if self.refers(genuine, each)]
        return found[0] if len(found) == 1 else None

    def newest(self) -> int:
        """Raises KeyMissing."""
        found = [number for number in range(1, MOST + 1) if (self._folder / file_name(number)).exists()]
        if not found:
            raise KeyMissing(file_name(1))
        return found[-1]


def plain(typed: str) -> str:
    """A code as it is compared, however it was typed: case, hyphens, spaces, and O, I or L for 0 and 1."""
    return typed.upper().replace("-", "").replace(" ", "").translate(_READ_AS)


def file_name(number: int) -> str:
    return f"posters-{number}.key"


def ensure_key(folder: Path) -> None:
    """The first key, made at the first start, unless one was retired since. Raises OSError."""
    if not any(_used(folder, number) for number in range(1, MOST + 1)):
        key_files.create(folder / file_name(1))


def rotate(folder: Path) -> int:
    """Another key, for the codes made from now on; returns its number. Raises NoMoreKeys."""
    number = 1 + max((n for n in range(1, MOST + 1) if _used(folder, n)), default=0)
    if number > MOST:
        raise NoMoreKeys
    key_files.create(folder / file_name(number))
    return number


def retire(folder: Path, number: int) -> bool:
    """For good: no poster made with that key is ours any more. Returns whether there was one."""
    return key_files.destroy(folder / file_name(number))


def _used(folder: Path, number: int) -> bool:
    path = folder / file_name(number)
    return path.exists() or key_files.is_destroyed(path)


def _reference(key: bytes, target: Target) -> str:
    return _characters(key, f"refers\0{target.kind}\0{target.id}", REFERS)


def _proof(key: bytes, number: int, reference: str) -> str:
    return _characters(key, f"proves\0{number}\0{reference}", PROVES)


def _characters(key: bytes, text: str, count: int) -> str:
    value = int.from_bytes(hmac.digest(key, text.encode(), hashlib.sha256)[:8])
    return "".join(ALPHABET[value >> 5 * n & 31] for n in range(count))
