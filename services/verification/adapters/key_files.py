"""Verification's keys, and the private half of an edition's, as key files."""

import base64
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from chassis import key_files
from chassis.key_files import KeyMissing
from chassis.key_files import read as read_key
from contracts.events import Sealed, SealingKey
from services.verification.ports import Unreadable

__all__ = ["CHALLENGE_KEY", "PHONE_CODE_KEY", "FileKeyRing", "KeyMissing", "create_keys", "read_key"]

CHALLENGE_KEY = "challenge.key"
PHONE_CODE_KEY = "phone-code.key"
_SEALING = ".sealing.key"


def create_keys(folder: Path, edition_id: str) -> SealingKey:
    """Make what is missing, keep what is there. Returns the edition's public key."""
    key_id = f"{edition_id}-1"
    sealing = folder / f"{key_id}{_SEALING}"
    for path in (folder / CHALLENGE_KEY, folder / PHONE_CODE_KEY, sealing):
        key_files.create(path)
    public = PrivateKey(read_key(sealing)).public_key
    return SealingKey(key_id=key_id, public_key=base64.b64encode(bytes(public)).decode())


class FileKeyRing:
    """Opens sealed boxes. A key file removed is a key destroyed: each opening looks whether it is there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._boxes: dict[str, tuple[int, SealedBox[PrivateKey]]] = {}

    def open(self, sealed: Sealed) -> bytes:
        path = self._folder / f"{sealed.key_id}{_SEALING}"
        try:
            inode = path.stat().st_ino
            known = self._boxes.get(sealed.key_id)
            if known is None or known[0] != inode:
                known = self._boxes[sealed.key_id] = (inode, SealedBox(PrivateKey(read_key(path))))
            return known[1].decrypt(base64.b64decode(sealed.box))
        except (FileNotFoundError, KeyMissing) as error:
            self._boxes.pop(sealed.key_id, None)
            raise Unreadable(f"no key {sealed.key_id}") from error
        except (CryptoError, ValueError) as error:
            raise Unreadable(f"not sealed for {sealed.key_id}") from error
