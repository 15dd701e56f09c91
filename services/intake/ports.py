"""What intake's use cases need of the outside."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from contracts.envelope import Message
from contracts.events import Sealed, SealingKey
from services.intake.domain.directory import Directory


class NotKept(Exception):
    """The log did not confirm the message. It may be there all the same: send it again, unchanged."""


class KeysMissing(Exception):
    """This process cannot read a key, or it was destroyed. The text names the file."""


class DirectoryUnread(Exception):
    """The directory has not been read to its end yet, so nothing can be said of it."""


class Log(Protocol):
    async def append(self, topic: str, message: Message) -> None:
        """Returns once all replicas have it; raises NotKept within 5 seconds otherwise."""


class Keys(Protocol):
    @property
    def secret(self) -> bytes:
        """32 bytes, the same on every replica."""

    def pseudonym_key(self, edition_id: str) -> bytes:
        """Raises KeysMissing."""


class Sealer(Protocol):
    def seal(self, key: SealingKey, content: bytes) -> Sealed:
        """Encrypt to the key's holder. Raises ValueError for a key that is none."""


class DirectoryView(Protocol):
    @property
    def current(self) -> Directory:
        """The directory as it was last read; never waits. Raises DirectoryUnread."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the use cases stand on."""

    log: Log
    directory: DirectoryView
    keys: Keys
    sealer: Sealer
    clock: Callable[[], datetime]
