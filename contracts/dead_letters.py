"""What a dead-letter topic holds: the original bytes, with headers that say why and from where."""

from collections.abc import Iterable
from datetime import UTC, datetime

from contracts.envelope import InvalidMessage, Message

PREFIX = "dlt_"


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
    """Wrap a message that can never be read. Headers of an earlier dead letter are replaced."""
    kept = tuple((name, content) for name, content in headers if not name.startswith(PREFIX))
    why = {
        "reason": error.reason,
        "detail": str(error)[:300],
        "topic": topic,
        "partition": str(partition),
        "offset": str(offset),
        "at": at.astimezone(UTC).isoformat(),
    }
    return Message(
        key or b"", value, (*kept, *((PREFIX + name, text.encode()) for name, text in why.items()))
    )
