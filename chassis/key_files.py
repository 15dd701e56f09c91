"""Key files: 32 random bytes in base64, readable by their owner alone, and never overwritten."""

import base64
import os
import secrets
from pathlib import Path

KEY_BYTES = 32


class KeyMissing(Exception):
    """The file is not there, cannot be read, or holds no key; the text names it."""


def create(path: Path) -> bool:
    """Make the key, and its folder, unless there is one. Returns whether it was made here.

    Two processes that start at once get the same key.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode() + "\n")
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
