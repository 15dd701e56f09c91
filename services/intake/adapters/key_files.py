"""Intake's secret, and an edition's key for pseudonyms, as key files."""

from pathlib import Path

from chassis import key_files
from chassis.key_files import KeyDestroyed, KeyFolder, KeyMissing
from services.intake.ports import KeysMissing

__all__ = ["FileKeys", "KeyDestroyed", "create_keys", "destroy_keys"]

SECRET = "intake.secret"  # noqa: S105 - a file's name
PSEUDONYM = ".pseudonym.key"


def create_keys(folder: Path, edition_id: str) -> list[str]:
    """Make what is missing, keep what is there. Returns the names of the files made. Raises KeyDestroyed."""
    return [name for name in (f"{edition_id}{PSEUDONYM}", SECRET) if key_files.create(folder / name)]


def destroy_keys(folder: Path, edition_id: str) -> bool:
    """Make the edition's pseudonyms unlinkable for good. Returns whether there was a key."""
    return key_files.destroy(folder / f"{edition_id}{PSEUDONYM}")


class FileKeys:
    """A key file removed is a key destroyed: each use looks whether it is still there."""

    def __init__(self, folder: Path) -> None:
        self._files = KeyFolder(folder)
        self._secret: bytes | None = None

    @property
    def secret(self) -> bytes:
        """The same for the life of the process. Raises KeysMissing."""
        if self._secret is None:
            self._secret = self._read(SECRET)
        return self._secret

    def pseudonym_key(self, edition_id: str) -> bytes:
        return self._read(f"{edition_id}{PSEUDONYM}")

    def _read(self, name: str) -> bytes:
        try:
            return self._files.read(name)
        except KeyMissing as error:
            raise KeysMissing(str(error)) from error
