"""A client's key in a file that its owner alone can read, for a portal beside us."""

import os
import secrets
from pathlib import Path


def write(path: Path, key: str) -> None:
    """Whole or not at all; replaces what was there."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(key + "\n")
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)


def read(path: Path) -> str:
    """Empty where there is none. Raises OSError."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""
