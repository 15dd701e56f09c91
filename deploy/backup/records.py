"""The records of one partition as a file: gzip, a JSON object a line, oldest first.

    {"offset": 7, "timestamp": 1764000000000, "key": "…", "value": "…", "headers": [["ce_id", "…"]]}

`timestamp` is in milliseconds. `key`, `value` and each header's value are base64, or null where Kafka has
null.
"""

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from deploy.backup.files import private


class Record(NamedTuple):
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


class Writer:
    """Writes a new file that its owner alone may read. `count` is how many it has."""

    def __init__(self, path: Path) -> None:
        self._raw = private(path)
        self._file = gzip.GzipFile(filename="", mode="wb", fileobj=self._raw, compresslevel=6, mtime=0)
        self.count = 0

    def write(self, record: Record) -> None:
        line = {
            "offset": record.offset,
            "timestamp": record.timestamp,
            "key": _text(record.key),
            "value": _text(record.value),
            "headers": [[name, _text(value)] for name, value in record.headers],
        }
        self._file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        self.count += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._raw.close()


def read(path: Path) -> Iterator[Record]:
    with gzip.open(path, "rb") as file:
        for line in file:
            said: dict[str, Any] = json.loads(line)
            yield Record(
                said["offset"],
                said["timestamp"],
                _bytes(said["key"]),
                _bytes(said["value"]),
                tuple((name, _bytes(value)) for name, value in said["headers"]),
            )


def _text(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)
