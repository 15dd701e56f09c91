"""Keys, each a file of 32 random bytes in base64, readable by its owner alone."""

import base64
import os
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox
from nacl.utils import random

from contracts.events import Sealed, SealingKey
from services.verification.ports import Unreadable

CHALLENGE_KEY = "challenge.key"
PHONE_CODE_KEY = "phone-code.key"
_SEALING = ".sealing.key"


class KeyMissing(Exception):
    """A key that this process cannot do without."""


def create_keys(folder: Path, edition_id: str) -> SealingKey:
    """Make what is missing, keep what is there. Returns the edition's public key."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in (CHALLENGE_KEY, PHONE_CODE_KEY):
        _create(folder / name)
    key_id = f"{edition_id}-1"
    private = PrivateKey(_create(folder / f"{key_id}{_SEALING}"))
    return SealingKey(key_id=key_id, public_key=base64.b64encode(bytes(private.public_key)).decode())


def read_key(path: Path) -> bytes:
    """Raises `KeyMissing`, or ValueError where the file is not a key."""
    try:
        key = base64.b64decode(path.read_text().strip(), validate=True)
    except FileNotFoundError as error:
        raise KeyMissing(f"{path.name} is missing; make it with: keys create --edition EDITION") from error
    if len(key) != 32:
        raise ValueError(f"{path.name} does not hold 32 bytes")
    return key


def _create(path: Path) -> bytes:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(base64.b64encode(random(32)).decode() + "\n")
    try:
        os.link(temporary, path)  # fails where there is a key already, so that none is ever overwritten
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    return read_key(path)


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
