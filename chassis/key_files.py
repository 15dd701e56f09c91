"""Key files: 32 random bytes in base64, readable by their owner alone, and never overwritten.

A key that was destroyed leaves a tombstone, so that its name never gets another one. See docs/decisions/0009.
"""

import base64
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

KEY_BYTES = 32
_TOMBSTONE = ".destroyed"


class KeyMissing(Exception):
    """The file is not there, cannot be read, or holds no key; the text names it."""


class KeyDestroyed(Exception):
    """There was a key of that name, and there shall never be another; the text names it."""


def create(path: Path) -> bool:
    """Make the key, and its folder, unless there is one. Returns whether it was made here.

    Two processes that start at once get the same key. Raises KeyDestroyed.
    """
    if is_destroyed(path):
        raise KeyDestroyed(path.name)
    if path.exists():
        return False  # perhaps in a folder that nobody may write to
    private_folder(path.parent)
    made = _written(path)
    try:
        os.link(made, path)  # fails where there is one
    except FileExistsError:
        return False
    finally:
        made.unlink()
    return True


def read(path: Path) -> bytes:
    """Raises KeyMissing."""
    try:
        key = base64.b64decode(path.read_text().strip(), validate=True)
    except OSError as error:
        raise KeyMissing(path.name) from error
    except ValueError as error:
        raise KeyMissing(f"{path.name} (not base64)") from error
    if len(key) != KEY_BYTES:
        raise KeyMissing(f"{path.name} (not {KEY_BYTES} bytes)")
    return key


def rotate(path: Path, previous: Path) -> None:
    """Put a new key in the place of the one there, which stays as `previous`. Raises KeyMissing.

    At every moment a reader finds the key that was there before in one of the two.
    """
    read(path)
    made = _written(path)
    kept = _beside(previous)
    os.link(path, kept)
    kept.replace(previous)
    made.replace(path)


def destroy(path: Path) -> bool:
    """Overwrite the key and remove it, for good. Returns whether there was one; does no harm twice.

    The tombstone comes first: what is interrupted can only be done again. Overwriting reaches what the file
    system keeps in place; copies that a journal, a flash drive or a backup has are out of reach.
    """
    tombstone = path.with_name(path.name + _TOMBSTONE)
    if not tombstone.exists():
        private_folder(path.parent)
        descriptor = os.open(tombstone, os.O_WRONLY | os.O_CREAT, 0o600)
        _written_out(descriptor, datetime.now(UTC).isoformat(timespec="seconds").encode() + b"\n")
    left_over = list(path.parent.glob(f".{path.name}.*"))  # by a process killed while it made the key
    there = path.exists()
    for each in (path, *left_over):
        if each.exists():
            _written_out(os.open(each, os.O_WRONLY), secrets.token_bytes(each.stat().st_size))
            each.unlink()
    _sync_folder(path.parent)
    return there


def is_destroyed(path: Path) -> bool:
    return path.with_name(path.name + _TOMBSTONE).exists()


def private_folder(folder: Path) -> None:
    """Make it, and what is missing above it, for their owner alone, whatever the umask."""
    for each in reversed((folder, *folder.parents)):
        if not each.exists():
            each.mkdir(mode=0o700, exist_ok=True)


class KeyFolder:
    """Keys as the folder has them now: each use looks whether the file is there, and still the same."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[tuple[int, int], bytes]] = {}

    def read(self, name: str) -> bytes:
        """Raises KeyMissing, and has then forgotten the key."""
        path = self._folder / name
        try:
            found = path.stat()
            version = found.st_ino, found.st_mtime_ns
            known = self._known.get(name)
            if known is None or known[0] != version:
                known = self._known[name] = version, read(path)
        except (OSError, KeyMissing) as error:
            self._known.pop(name, None)
            raise error if isinstance(error, KeyMissing) else KeyMissing(name) from error
        return known[1]


def _written(path: Path) -> Path:
    """A new key beside the path."""
    made = _beside(path)
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    _written_out(descriptor, base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
    return made


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")


def _written_out(descriptor: int, content: bytes) -> None:
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
