"""What intake's use cases need of the outside."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from contracts.envelope import Message
from contracts.events import OfficeActionTaken, Sealed, SealingKey
from services.intake.domain.directory import Directory
from services.intake.domain.paper import Forms


class NotKept(Exception):
    """The log did not confirm the message. It may be there all the same: send it again, unchanged."""


class KeysMissing(Exception):
    """This process cannot read a key, or it was destroyed. The text names the file."""


class DirectoryUnread(Exception):
    """The directory has not been read to its end yet, so nothing can be said of it."""


class FilesAway(Exception):
    """The office's file system does not say anything of a file now."""


class Overtaken(Exception):
    """Somebody else has begun to change the directory since; nothing of this was written."""


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


class FileSystem(Protocol):
    async def knows(self, unit_id: str, number: str) -> bool:
        """Whether the unit has taken in a file of that number. Raises FilesAway, within 3 seconds."""


class DirectoryView(Protocol):
    @property
    def current(self) -> Directory:
        """The directory as it was last read; never waits. Raises DirectoryUnread."""


Advance = Callable[[int, int], None]
"""Hears how much is done, of how much."""


class Writing(Protocol):
    """One change of the directory under way; whoever begins another ends this one."""

    @property
    def directory(self) -> Directory:
        """As it stands, up to the last change that anybody made."""

    async def commit(self, messages: Sequence[tuple[str, Message]], advance: Advance) -> None:
        """All of these messages, each for a topic, or none. Raises Overtaken, where none was written, and
        NotKept, where all of it may be there all the same."""


class Ledger(Protocol):
    def writing(self) -> AbstractAsyncContextManager[Writing]:
        """Raises NotKept and Overtaken."""


@dataclass(frozen=True, slots=True)
class Taken:
    """An action as the trail has it; None for a message of the trail that nobody can read."""

    id: UUID | None
    number: int
    action: OfficeActionTaken | None


class TrailView(Protocol):
    @property
    def current(self) -> Sequence[Taken]:
        """Every action that was ever taken, the first first, as far as it was read; never waits."""


class FormsView(Protocol):
    @property
    def forms(self) -> Forms:
        """Paper forms as they were last read; never waits."""

    async def forms_now(self) -> Forms:
        """With all that was committed before the call. Raises NotKept where that cannot be read."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the use cases stand on."""

    log: Log
    directory: DirectoryView
    keys: Keys
    sealer: Sealer
    clock: Callable[[], datetime]
