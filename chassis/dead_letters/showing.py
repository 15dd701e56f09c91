"""How dead letters look on a terminal. What others wrote is shown without what would steer one."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from aiokafka import ConsumerRecord
from rich.table import Table
from rich.text import Text

from chassis.dead_letters.topic import Entry
from contracts.dead_letters import letter_of

_WIDTH = 16


def printable(text: str) -> str:
    """With escapes in place of control characters, line breaks too."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def document(entry: Entry) -> dict[str, Any]:
    """A letter for a JSON line."""
    letter, redriven_at = entry.letter, entry.redriven_at
    return {
        "dlt_offset": entry.offset,
        "at": None if letter is None else letter.at.isoformat(),
        "reason": None if letter is None else letter.reason,
        "detail": None if letter is None else letter.detail,
        "topic": None if letter is None else letter.origin.topic,
        "partition": None if letter is None else letter.origin.partition,
        "offset": None if letter is None else letter.origin.offset,
        "type": entry.type,
        "size": entry.size,
        "left_out": "" if letter is None else letter.left_out,
        "redriven_at": None if redriven_at is None else redriven_at.isoformat(),
    }


def table(entries: Iterable[Entry]) -> Table:
    made = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("dlt offset", "when (UTC)", "reason", "from", "type", "bytes", "redriven (UTC)"):
        made.add_column(name, justify="right" if name in ("dlt offset", "bytes") else "left", overflow="fold")
    for entry in entries:
        letter = entry.letter
        found = (
            ("", "not a dead letter", "")
            if letter is None
            else (
                _when(letter.at.isoformat(sep=" ")),
                letter.reason,
                f"{letter.origin.topic}/{letter.origin.partition}/{letter.origin.offset}",
            )
        )
        redriven = "" if entry.redriven_at is None else _when(entry.redriven_at.isoformat(sep=" "))
        cells = (str(entry.offset), *found, entry.type, str(entry.size), redriven)
        made.add_row(*(Text(printable(cell)) for cell in cells))
    return made


def _when(text: str) -> str:
    return text[: len("2017-11-23 09:15:00")]


def whole(record: ConsumerRecord, *, most: int) -> str:
    """Everything of one letter; of its value, `most` bytes."""
    letter = letter_of(record.headers)
    lines = [f"dead letter {record.offset}"]
    if letter is not None:
        lines += [
            f"reason      {printable(letter.reason)}: {printable(letter.detail)}",
            f"from        {printable(letter.origin.topic)}, partition {letter.origin.partition},"
            f" offset {letter.origin.offset}",
            f"when        {letter.at.isoformat()}",
        ]
    lines += ["", f"key         {_bytes(record.key)}", "", "headers", *_headers(record.headers), ""]
    size = "null" if record.value is None else f"{len(record.value)} bytes"
    return "\n".join([*lines, f"value ({size})", *_value(record.value, most)])


def _headers(headers: Sequence[tuple[str, bytes | None]]) -> list[str]:
    return [f"  {printable(name)}: {_bytes(held)}" for name, held in headers] or ["  none"]


def _bytes(held: bytes | None) -> str:
    if held is None:
        return "null"
    try:
        return printable(held.decode())
    except UnicodeDecodeError:
        return f"0x{held.hex()}"


def _value(value: bytes | None, most: int) -> list[str]:
    if value is None:
        return []
    try:
        lines = json.dumps(json.loads(value), ensure_ascii=False, indent=2).splitlines()
    except (ValueError, RecursionError):
        lines = _hexdump(value[:most])
        return lines if len(value) <= most else [*lines, f"… {len(value) - most} bytes more (--bytes)"]
    text = "\n".join(printable(line) for line in lines)
    if len(text) <= most:
        return text.splitlines()
    return [*text[:most].splitlines(), f"… {len(text) - most} characters more (--bytes)"]


def _hexdump(value: bytes) -> list[str]:
    lines = []
    for start in range(0, len(value), _WIDTH):
        part = value[start : start + _WIDTH]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{start:08x}  {part.hex(' '):<{3 * _WIDTH}} {text}")
    return lines
