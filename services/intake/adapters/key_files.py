"""Intake's secret, and an edition's key for pseudonyms, as key files."""

from pathlib import Path

from chassis import key_files
from services.intake.ports import KeysMissing

SECRET = "intake.secret"  # noqa: S105 - a file's name
_PSEUDONYM = ".pseudonym.key"


def create_keys(folder: Path, edition_id: str) -> list[str]:
    """Make what is missing, keep what is there. Returns the names of the files made."""
    return [name for name in (SECRET, f"{edition_id}{_PSEUDONYM}") if key_files.create(folder / name)]


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
            return key_files.read(self._folder / name)
        except key_files.KeyMissing as error:
            raise KeysMissing(str(error)) from error
