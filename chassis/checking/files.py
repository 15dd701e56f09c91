"""Whether files and folders that a program needs are there, and closed to others."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path

from chassis import key_files
from chassis.checking.findings import Finding, Probe
from chassis.key_files import KeyMissing


def keys(folder: Path, patterns: Iterable[str], *, make: str, setting: str) -> Probe:
    """Key files; each pattern has to name one at least. `make` is what to do where one is missing."""

    def found() -> Iterator[Finding]:
        for pattern in patterns:
            paths = sorted(folder.glob(pattern)) if folder.is_dir() else []
            if not paths:
                yield Finding(f"key {pattern}", False, f"none in {folder}: {make}")
            for path in paths:
                yield _private(path, f"key {path.name}", key_files.read)

    return _probe("keys", found, setting)


def secret(path: Path, what: str, *, make: str, setting: str) -> Probe:
    """A file that holds a line of text that nobody else may read. `make`: what to do where it is missing."""

    def found() -> Iterator[Finding]:
        if path.exists():
            yield _private(path, what, _text)
        else:
            yield Finding(what, False, f"no {path}: {make}, or mend {setting}")

    return _probe(what, found, setting)


def writable(folder: Path, what: str, *, setting: str) -> Probe:
    """A folder, or where it would be made."""

    def found() -> Iterator[Finding]:
        there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
        ok = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
        yield Finding(
            what, ok, str(folder) if ok else f"{there} cannot be written by this user; see {setting}"
        )

    return _probe(what, found, setting)


def _probe(what: str, found: Callable[[], Iterator[Finding]], setting: str) -> Probe:
    async def find() -> AsyncIterator[Finding]:
        for finding in await asyncio.to_thread(lambda: list(found())):
            yield finding

    return Probe(what, find, setting)


def _private(path: Path, what: str, read: Callable[[Path], object]) -> Finding:
    try:
        mode = path.stat().st_mode & 0o777
        read(path)
    except KeyMissing as error:
        return Finding(what, False, f"cannot be used: {error}")
    except (OSError, UnicodeDecodeError) as error:
        return Finding(what, False, f"{path} cannot be read: {type(error).__name__}")
    if mode & 0o077:
        return Finding(what, False, f"open to others (mode {mode:04o}): chmod 600 {path}")
    return Finding(what, True, str(path))


def _text(path: Path) -> None:
    if not path.read_text().strip():
        raise KeyMissing(f"{path} is empty")
