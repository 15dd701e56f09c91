"""What a dead-letter topic holds: the original bytes, with headers that say why and from where.

Beside the letters it holds a marker for each that was redriven, so that none is sent twice by accident.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from contracts.envelope import InvalidMessage, Message
from contracts.topics import DEAD_LETTER_BYTES

PREFIX = "dlt_"
_LEFT_OUT = PREFIX + "left_out"
_REDRIVEN_OFFSET = PREFIX + "redriven_offset"
_REDRIVEN_AT = PREFIX + "redriven_at"
_RECORD_BYTES = 128  # a record's and its batch's own; and of each header's lengths, at most:
_HEADER_BYTES = 10

Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """Where a message was read that could not be read."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Letter:
    """What a dead letter's headers say. `left_out` names what was too large to keep, or is empty."""

    reason: str
    detail: str
    origin: Origin
    at: datetime
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class Redriven:
    """A marker: the dead letter at `offset` was sent to its topic again."""

    offset: int
    at: datetime


def dead_letter(
    *,
    key: bytes | None,
    value: bytes | None,
    headers: Iterable[tuple[str, bytes]],
    topic: str,
    partition: int,
    offset: int,
    error: InvalidMessage,
    at: datetime,
) -> Message:
    """Wrap a message that can never be read. Headers of an earlier dead letter are replaced.

    The letter always fits into its topic: a message that was compressed may not, and loses first its value,
    then its headers, then its key; `dlt_left_out` names them. A message with neither key nor value gets an
    empty key, because not every client can write such a one.
    """
    why = {
        "reason": error.reason,
        "detail": str(error)[:300],
        "topic": topic,
        "partition": str(partition),
        "offset": str(offset),
        "at": at.astimezone(UTC).isoformat(),
    }
    said = tuple((PREFIX + name, text.encode()) for name, text in why.items())
    letter = Message(key, value, (*original_headers(headers), *said))
    if size_of(letter) > DEAD_LETTER_BYTES:
        letter = without_value(letter)
    if size_of(letter) > DEAD_LETTER_BYTES:
        letter = Message(key, None, (*said, (_LEFT_OUT, b"value, headers")))
    if size_of(letter) > DEAD_LETTER_BYTES:
        letter = Message(None, None, (*said, (_LEFT_OUT, b"value, headers, key")))
    return _with_key(letter)


def without_value(letter: Message) -> Message:
    """The letter for a topic that takes no larger one. Its message cannot be redriven from it."""
    return _with_key(Message(letter.key, None, (*letter.headers, (_LEFT_OUT, b"value"))))


def _with_key(message: Message) -> Message:
    neither = message.key is None and message.value is None
    return Message(b"", None, message.headers) if neither else message


def size_of(message: Message) -> int:
    """Bytes in Kafka's log, uncompressed; a little more than it will be.

    Source: Kafka protocol guide, "Record Batch" and "Record".
    """
    headers = sum(_HEADER_BYTES + len(name.encode()) + len(held or b"") for name, held in message.headers)
    return _RECORD_BYTES + len(message.key or b"") + len(message.value or b"") + headers


def original_headers(headers: Iterable[tuple[str, bytes]]) -> Headers:
    """Without what a dead letter added."""
    return tuple((name, content) for name, content in headers if not name.startswith(PREFIX))


def letter_of(headers: Iterable[tuple[str, bytes]]) -> Letter | None:
    """What the headers say, or None where they are not those of a dead letter."""
    said = _texts(headers)
    try:
        return Letter(
            reason=said[PREFIX + "reason"],
            detail=said.get(PREFIX + "detail", ""),
            origin=Origin(
                said[PREFIX + "topic"], int(said[PREFIX + "partition"]), int(said[PREFIX + "offset"])
            ),
            at=datetime.fromisoformat(said[PREFIX + "at"]),
            left_out=said.get(_LEFT_OUT, ""),
        )
    except (KeyError, ValueError):
        return None


def marker(offset: int, at: datetime) -> Message:
    """To be written together with the message that is redriven from the dead letter at `offset`."""
    when = at.astimezone(UTC).isoformat()
    return Message(b"", None, ((_REDRIVEN_OFFSET, str(offset).encode()), (_REDRIVEN_AT, when.encode())))


def redriven_of(headers: Iterable[tuple[str, bytes]]) -> Redriven | None:
    """What a marker says, or None where the headers are not those of one."""
    said = _texts(headers)
    try:
        return Redriven(int(said[_REDRIVEN_OFFSET]), datetime.fromisoformat(said[_REDRIVEN_AT]))
    except (KeyError, ValueError):
        return None


def _texts(headers: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    return {
        name: content.decode(errors="replace")
        for name, content in headers
        if name.startswith(PREFIX) and content is not None
    }
