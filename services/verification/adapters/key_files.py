"""Verification's keys, and the private halves of editions', as key files."""

import base64
import os
import re
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from chassis import key_files
from chassis.key_files import KeyDestroyed, KeyFolder, KeyMissing
from chassis.key_files import read as read_key
from contracts.events import Sealed, SealingKey
from services.verification.domain.webhooks import Endpoint, secret
from services.verification.ports import NotTaken, Unreadable

__all__ = [
    "CHALLENGE_KEY",
    "PHONE_CODE_KEY",
    "SEALING",
    "WEBHOOK_KEY",
    "FileKeyRing",
    "KeyDestroyed",
    "KeyMissing",
    "RotatedKey",
    "TooSoon",
    "WebhookSecrets",
    "create_keys",
    "destroy_edition",
    "read_key",
    "retire_key",
    "rotate_edition",
    "rotate_key",
]

CHALLENGE_KEY = "challenge.key"
PHONE_CODE_KEY = "phone-code.key"
WEBHOOK_KEY = "webhook.key"
REST = timedelta(
    days=1
)  # between two rotations: longer than anything waits that was made under the one before
SEALING = ".sealing.key"


class TooSoon(Exception):
    """The key was rotated a moment ago, and what was made before that still counts."""


# --- of an edition: numbered, all kept until they are retired -------------------------------------------


def create_keys(folder: Path, edition_id: str) -> SealingKey:
    """Make what is missing, keep what is there. Returns the edition's newest public key.

    Raises KeyDestroyed where the edition's keys were destroyed.
    """
    if key_files.is_destroyed(_edition(folder, edition_id)):
        raise KeyDestroyed(edition_id)
    numbers = _numbers(folder, edition_id)
    key_id = f"{edition_id}-{max(numbers, default=1)}"
    for path in (
        folder / CHALLENGE_KEY,
        folder / PHONE_CODE_KEY,
        folder / WEBHOOK_KEY,
        _sealing(folder, key_id),
    ):
        key_files.create(path)
    return _public(folder, key_id)


def rotate_edition(folder: Path, edition_id: str) -> SealingKey:
    """Make the edition's next key and return its public half. Those before still open. Raises KeyDestroyed,
    and KeyMissing where there is none to follow on.
    """
    if key_files.is_destroyed(_edition(folder, edition_id)):
        raise KeyDestroyed(edition_id)
    numbers = _numbers(folder, edition_id)
    if not numbers:
        raise KeyMissing(f"{edition_id}-1{SEALING}")
    key_id = f"{edition_id}-{max(numbers) + 1}"
    key_files.create(_sealing(folder, key_id))
    return _public(folder, key_id)


def retire_key(folder: Path, key_id: str) -> bool:
    """Destroy one key; what was sealed for it is unreadable for good. Returns whether it was there."""
    return key_files.destroy(_sealing(folder, key_id))


def destroy_edition(folder: Path, edition_id: str) -> list[str]:
    """Destroy all keys of an edition, which gets no others. Returns the ids of those that were there."""
    key_files.destroy(_edition(folder, edition_id))
    ids = [f"{edition_id}-{number}" for number in _numbers(folder, edition_id)]
    return [key_id for key_id in ids if retire_key(folder, key_id)]


def _numbers(folder: Path, edition_id: str) -> list[int]:
    """Of the keys that the edition has or had."""
    name = re.compile(rf"{re.escape(edition_id)}-([1-9][0-9]*){re.escape(SEALING)}(?:\.destroyed)?")
    found = (name.fullmatch(path.name) for path in folder.glob("*")) if folder.is_dir() else ()
    return sorted({int(match[1]) for match in found if match})


def _edition(folder: Path, edition_id: str) -> Path:
    """No key: its tombstone stands for all of the edition's, those to come as well."""
    return folder / f"{edition_id}.edition"


def _sealing(folder: Path, key_id: str) -> Path:
    return folder / f"{key_id}{SEALING}"


def _public(folder: Path, key_id: str) -> SealingKey:
    public = PrivateKey(read_key(_sealing(folder, key_id))).public_key
    return SealingKey(key_id=key_id, public_key=base64.b64encode(bytes(public)).decode())


class FileKeyRing:
    """Opens sealed boxes. A key file removed is a key destroyed: each opening looks whether it is there."""

    def __init__(self, folder: Path) -> None:
        self._files = KeyFolder(folder)
        self._boxes: dict[str, tuple[bytes, SealedBox[PrivateKey]]] = {}

    def open(self, sealed: Sealed) -> bytes:
        try:
            key = self._files.read(f"{sealed.key_id}{SEALING}")
            known = self._boxes.get(sealed.key_id)
            if known is None or known[0] != key:
                known = self._boxes[sealed.key_id] = (key, SealedBox(PrivateKey(key)))
            return known[1].decrypt(base64.b64decode(sealed.box))
        except KeyMissing as error:
            self._boxes.pop(sealed.key_id, None)
            raise Unreadable(f"no key {sealed.key_id}") from error
        except (CryptoError, ValueError) as error:
            raise Unreadable(f"not sealed for {sealed.key_id}") from error


# --- of the service: one, and the one before it ----------------------------------------------------------


def rotate_key(folder: Path, name: str, *, at_once: bool = False) -> None:
    """Put a new key in the place of the one there; what was made under that still counts.

    What was made under the one before does not any more. Raises KeyMissing, and TooSoon unless `at_once`.
    """
    path, previous = folder / name, _previous(folder / name)
    if not at_once and previous.exists() and time.time() - path.stat().st_mtime < REST.total_seconds():
        raise TooSoon(name)
    key_files.rotate(path, previous)


class RotatedKey:
    """The key as it is now, then the one before it, however long the process runs.

    Raises KeyMissing when it is made. A folder that cannot be read later changes nothing.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._newest, self._before = folder / name, _previous(folder / name)
        self._keys: tuple[bytes, ...] = (read_key(self._newest),)
        self._seen: tuple[_Version | None, ...] = ()
        self()

    def __call__(self) -> tuple[bytes, ...]:
        # In this order: a rotation in between shows the same key twice, never one too few.
        seen = _version(self._newest), _version(self._before)
        if seen != self._seen:
            with suppress(KeyMissing):
                self._keys = self._read()
                self._seen = seen
        return self._keys

    def _read(self) -> tuple[bytes, ...]:
        """Raises KeyMissing where there is no newest."""
        newest = read_key(self._newest)
        try:
            return newest, read_key(self._before)
        except KeyMissing:
            return (newest,)


_Version = tuple[int, int]


def _version(path: Path) -> _Version | None:
    """Differs from what it was before where the file is another; None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - for each challenge, and in half the time of the path's own
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _previous(path: Path) -> Path:
    """`challenge.previous.key` for `challenge.key`."""
    return path.with_suffix(f".previous{path.suffix}")


class WebhookSecrets:
    """What portals tell by that it is us who tells them."""

    def __init__(self, folder: Path) -> None:
        self._folder = KeyFolder(folder)

    def of(self, endpoint: Endpoint) -> tuple[bytes, ...]:
        """The newest first. Raises NotTaken where the key that they are made of is missing."""
        try:
            key = self._folder.read(WEBHOOK_KEY)
        except KeyMissing as error:
            raise NotTaken(f"{error} is missing") from error
        return tuple(secret(key, endpoint.client_id, salt) for salt in endpoint.salts)
