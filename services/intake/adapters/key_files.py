"""Secrets, each a file of 32 random bytes in base64, readable by its owner alone."""

import base64
import os
import secrets
from pathlib import Path

from services.intake.ports import KeysMissing

SECRET = "intake.secret"  # noqa: S105 - a file's name
_PSEUDONYM = ".pseudonym.key"


def create_keys(folder: Path, edition_id: str) -> list[str]:
    """Make what is missing, keep what is there. Returns the names of the files made."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return [name for name in (SECRET, f"{edition_id}{_PSEUDONYM}") if _create(folder / name)]


class FileKeys:
    """A key file removed is a key destroyed: each use looks whether it is still there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._secret: bytes | None = None
        self._known: dict[str, tuple[int, bytes]] = {}

    @property
    def secret(self) -> bytes:
        """The same for the life of the process. Raises KeysMissing."""
        if self._secret is None:
            self._secret = self._read(SECRET)
        return self._secret

    def pseudonym_key(self, edition_id: str) -> bytes:
        name = f"{edition_id}{_PSEUDONYM}"
        try:
            inode = (self._folder / name).stat().st_ino
        except OSError as error:
            self._known.pop(edition_id, None)
            raise KeysMissing(name) from error
        known = self._known.get(edition_id)
        if known is None or known[0] != inode:
            known = self._known[edition_id] = (inode, self._read(name))
        return known[1]

    def _read(self, name: str) -> bytes:
        try:
            key = base64.b64decode((self._folder / name).read_text().strip(), validate=True)
        except OSError as error:
            raise KeysMissing(name) from error
        except ValueError as error:
            raise KeysMissing(f"{name} (not base64)") from error
        if len(key) != 32:
            raise KeysMissing(f"{name} (not 32 bytes)")
        return key


def _create(path: Path) -> bool:
    made = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
        os.link(made, path)  # fails where there is one: none is ever overwritten
    except FileExistsError:
        return False
    finally:
        made.unlink()
    return True
