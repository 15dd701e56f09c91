"""A backup's folder: its files, what its manifest says of them, and whether that is so."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict, Field

from chassis.key_files import private_folder

MANIFEST = "manifest.json"
FORMAT = 1


class Unusable(Exception):
    """The backup, or the place it is to go to, is not as it has to be; the text says how, in one line."""


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class File(Frozen):
    """`name` is relative to the folder."""

    name: str
    size: int
    sha256: str


class Partition(Frozen):
    """`ends`: the offset after the last committed record when the backup was taken."""

    file: File
    records: int
    ends: int


class Position(Frozen):
    """Where a group goes on in a partition, as it was committed."""

    topic: str
    partition: int
    next_offset: int
    metadata: str


class Keys(Frozen):
    """`sealed_for` is the public half that opens with the recovery key. `destroyed`: names of keys that there
    shall never be again."""

    file: File
    sealed_for: str
    names: tuple[str, ...]
    destroyed: tuple[str, ...]


class Manifest(Frozen):
    """`retention_ms`: for how long topics that hold sealed phones were told to keep them."""

    format: int = FORMAT
    taken_at: datetime
    topics: dict[str, tuple[Partition, ...]] = Field(default_factory=dict)
    groups: dict[str, tuple[Position, ...]] = Field(default_factory=dict)
    retention_ms: dict[str, int] = Field(default_factory=dict)
    databases: dict[str, File] = Field(default_factory=dict)
    keys: Keys | None = None

    @property
    def files(self) -> tuple[File, ...]:
        partitions = tuple(each.file for topic in self.topics.values() for each in topic)
        return (*partitions, *self.databases.values(), *((self.keys.file,) if self.keys else ()))


def private(path: Path) -> BinaryIO:
    """A new file for its owner alone, in a folder for its owner alone."""
    private_folder(path.parent)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def described(folder: Path, path: Path) -> File:
    """Also makes sure that it is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return File(name=str(path.relative_to(folder)), size=path.stat().st_size, sha256=digest)


@contextmanager
def unfinished(folder: Path) -> Iterator[Path]:
    """Where to write: it gets the folder's name when all is there, and not before.

    What a run that was broken off has left is removed. Raises Unusable where the folder exists.
    """
    if folder.exists():
        raise Unusable(f"{folder} exists: name a new folder.")
    part = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(part, ignore_errors=True)
    private_folder(part)
    yield part
    descriptor = os.open(part, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    part.rename(folder)


def write(folder: Path, manifest: Manifest) -> None:
    with private(folder / MANIFEST) as file:
        file.write(manifest.model_dump_json(indent=1).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read(folder: Path) -> Manifest:
    """Raises Unusable."""
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_text())
    except FileNotFoundError as error:
        raise Unusable(f"{folder} is no whole backup: it has no {MANIFEST}.") from error
    except ValueError as error:
        raise Unusable(f"{folder / MANIFEST} cannot be read: {error}") from error


def check(folder: Path, manifest: Manifest, checked: Callable[[File], None]) -> None:
    """Raises Unusable for the first file that is not the one that was written."""
    for file in manifest.files:
        path = folder / file.name
        if not path.is_file():
            raise Unusable(f"{path} is missing.")
        if described(folder, path) != file:
            raise Unusable(f"{path} has changed since the backup was taken: its SHA-256 is another.")
        checked(file)
